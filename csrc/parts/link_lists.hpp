// Link lists: the temporal links of a sparse memory (Rae et al. 2016, supplementary material): the strongest links of
// each slot to slots that were written just before and just after it.
//
// memtape/ops/link_lists.py contains the equations. A write weakens all links to the written slots, in all lists. The
// factor is stored once for each written slot and applied to a list when it is next used, so that the cost of a write
// is proportional to the number of written slots.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "base/lazy.hpp"
#include "machines/sam.hpp"
#include "parts/near_ties.hpp"

template <typename T>
class LinkLists {
  public:
    LinkLists() = default;

    // The lists of a row of the batch, which are changed in place. `empty` states that they are zero everywhere.
    LinkLists(const memtape_link_lists& all, int64_t row, int64_t slots, int64_t length, bool empty)
        : slots(slots), length(length), before{part(all.before_places, row), part(all.before_weights, row)},
          after{part(all.after_places, row), part(all.after_weights, row)},
          last{(T*)all.last_places + row * length, (T*)all.last_weights + row * length}, all_rows(!empty),
          ages(slots * length), fadings(slots), known(slots) {}

    // Update the links with a step's writes: slots in the order of their indices and, for each slot, the sum of the
    // write weights. Only the `most` largest are used.
    void write(const std::vector<int32_t>& some, const Lazy<T>& weights, int64_t most) {
        T sum = 0;
        for (int32_t slot : some) sum += weights[slot];
        rank(some, weights, std::max(sum, T(1)), most);
        then.clear();
        for (int64_t l = 0; l < length; ++l)
            if (last.weights[l] > 0) then.push_back({slot_of(last.places[l]), last.weights[l]});
        added.resize(std::max(written.size(), then.size()));
        for (const Link& now : written) {
            begin_list(before, now.slot, [&](int64_t l) { return before.weights[l] * (1 - now.weight); });
            for (const Link& earlier : then)
                if (earlier.slot != now.slot) add(earlier.slot, now.weight * earlier.weight);
            end_list(before, now.slot);
        }
        for (const Link& now : written) fadings[now.slot].fade(1 - now.weight);
        for (const Link& earlier : then) {
            begin_list(after, earlier.slot, [&](int64_t l) { return weight_after(l); });
            for (const Link& now : written)
                if (now.slot != earlier.slot) add(now.slot, earlier.weight * now.weight);
            end_list(after, earlier.slot);
            for (int64_t l = earlier.slot * length; l < (earlier.slot + 1) * length; ++l) {
                const Fading& fading = fadings[slot_of(after.places[l])];
                after.weights[l] /= fading.kept();
                ages[l] = fading.age;
            }
            if (!known[earlier.slot]) touched.push_back(earlier.slot);
            known[earlier.slot] = 1;
        }
        begin_list(last, 0, [&](int64_t l) { return last.weights[l] * std::max(1 - sum, T(0)); });
        for (const Link& now : written) add(now.slot, now.weight);
        end_list(last, 0);
    }

    // Call take(slot, weight) for each link of a slot to a slot written before it, or after it.
    template <typename Take>
    void each_before(int32_t slot, Take take) const {
        for (int64_t l = slot * length; l < (slot + 1) * length; ++l)
            if (before.weights[l] > 0) take(slot_of(before.places[l]), before.weights[l]);
    }
    template <typename Take>
    void each_after(int32_t slot, Take take) const {
        for (int64_t l = slot * length; l < (slot + 1) * length; ++l)
            if (const T weight = weight_after(l); weight > 0) take(slot_of(after.places[l]), weight);
    }

    // Apply all stored factors, so that all lists are up to date.
    void settle() {
        auto settle_list = [&](int64_t slot) {
            for (int64_t l = slot * length; l < (slot + 1) * length; ++l) after.weights[l] = weight_after(l);
        };
        for (int64_t slot = 0; all_rows && slot < slots; ++slot) settle_list(slot);
        if (!all_rows) std::for_each(touched.begin(), touched.end(), settle_list);
    }

  private:
    struct Lists {
        T *places = nullptr, *weights = nullptr;
    };
    struct Link {
        int32_t slot;
        T weight;
    };

    // The factor of the links to a slot since the start, or since the factor was last 0.
    struct Fading {
        T left;       // 0 for 1
        int32_t age;  // how often the factor was 0

        T kept() const { return left != 0 ? left : T(1); }
        void fade(T factor) {
            left = kept() * factor;
            if (!(left > LEAST)) left = 0, ++age;
        }
        static constexpr T LEAST = sizeof(T) == sizeof(float) ? T(1e-18) : T(1e-150);
    };

    int64_t slots = 0, length = 0;
    Lists before, after, last;
    bool all_rows = false;  // may have links from before the start
    Lazy<int32_t> ages;     // of the target slot of a link, when the link got its weight
    Lazy<Fading> fadings;
    Lazy<uint8_t> known;
    std::vector<int32_t> touched;           // the lists of slots written after that have changed; `known` marks them
    std::vector<Link> written, then, list;  // this step's writes, the previous ones, and a new list
    std::vector<Link> added;                // links to add to it, and then those without room in it
    int64_t fresh = 0;                      // how many

    T* part(void* all, int64_t row) const { return (T*)all + row * slots * length; }

    // A place is a slot index; an invalid one is replaced by a valid one.
    int32_t slot_of(T place) const {
        if (!(place > 0)) return 0;
        return place < T(slots) ? int32_t(std::min<int64_t>(std::nearbyint(place), slots - 1)) : int32_t(slots - 1);
    }

    T weight_after(int64_t l) const {
        const Fading& fading = fadings[slot_of(after.places[l])];
        return ages[l] == fading.age ? after.weights[l] * fading.kept() : T(0);
    }

    // The strongest first, of near-ties the first slot.
    void rank(const std::vector<int32_t>& some, const Lazy<T>& weights, T total, int64_t most) {
        written.clear();
        for (int32_t slot : some) written.push_back({slot, weights[slot] / total});
        std::stable_sort(written.begin(), written.end(), [](auto& a, auto& b) { return a.weight > b.weight; });
        order_equals(written, written.size());
        if (int64_t(written.size()) > most) written.resize(most);
    }

    // Entries of weight 0 are unused and are not near-ties.
    static void order_equals(std::vector<Link>& links, int64_t wanted) {
        auto joins = [](const Link& a, const Link& b) { return b.weight > 0 && a.weight - b.weight <= T(NEAR_TIE); };
        auto before = [](const Link& a, const Link& b) { return a.slot < b.slot; };
        order_near_ties(links.data(), links.size(), wanted, joins, before,
                        [&](Link* first, Link* end) { std::sort(first, end, before); });
    }

    template <typename WeightOf>
    void begin_list(const Lists& lists, int64_t row, WeightOf weight_of) {
        list.resize(length);
        for (int64_t at = 0; at < length; ++at) {
            const int64_t l = row * length + at;
            list[at] = {slot_of(lists.places[l]), weight_of(l)};
        }
        fresh = 0;
    }

    void add(int32_t slot, T weight) {
        for (Link& link : list)
            if (link.slot == slot && link.weight > 0) {
                link.weight += weight;
                return;
            }
        added[fresh++] = {slot, weight};
    }

    // Keep the strongest links, the strongest first, of near-ties the first slot. Links without room are considered
    // again only if the strongest of them is nearly as strong as the last one kept.
    void end_list(const Lists& lists, int64_t row) {
        auto rise = [&](int64_t at) {
            for (; at > 0 && list[at].weight > list[at - 1].weight; --at) std::swap(list[at], list[at - 1]);
        };
        for (int64_t at = 1; at < length; ++at) rise(at);
        T strongest = 0;
        for (int64_t i = 0; i < fresh; ++i) {
            if (added[i].weight > list[length - 1].weight) {
                std::swap(added[i], list[length - 1]);
                rise(length - 1);
            }
            strongest = std::max(strongest, added[i].weight);
        }
        if (strongest > 0 && list[length - 1].weight - strongest <= T(NEAR_TIE))
            for (int64_t i = 0; i < fresh; ++i)
                if (added[i].weight > 0) {
                    list.push_back(added[i]);
                    rise(list.size() - 1);
                }
        order_equals(list, length);
        for (int64_t l = 0; l < length; ++l) {
            lists.places[row * length + l] = T(list[l].slot);
            lists.weights[row * length + l] = list[l].weight;
        }
    }
};
