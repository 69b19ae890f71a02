// Cells: the slots of a large memory, parted by direction, so that a key is compared with those in the nearest cells alone.
//
// The middles of the cells are some of the slots themselves. A slot that changes moves to the cell of its new direction; all
// cells are made anew when the slots have become twice as many.
#pragma once

#include <cmath>
#include <vector>

#include "lazy.hpp"
#include "matrix.hpp"

constexpr int64_t VISITED = 4;     // cells that a key is compared with
constexpr int64_t PLACED = 64;     // slots that are placed together

template <typename T>
class Cells {
  public:
    // How many slots there were when the cells were made, 0 if they have not been.
    int64_t size_when_built() const { return built; }

    void build(const T* memory, int64_t slot_width, int64_t slots, const std::vector<int32_t>& some) {
        width = slot_width;
        built = some.size();
        count = 1;
        while (count * count < built) count *= 2;
        Array<T> middles(count * width);
        for (int64_t c = 0; c < count; ++c) {
            const T* from = memory + int64_t(some[c * built / count]) * width;
            const T square = total<T>(width, [&](int64_t f, int64_t left) {
                const Vector<T> x = load(from + f, left);
                return x * x;
            });
            const T scale = square > 0 ? T(1) / std::sqrt(square) : T(0);
            for (int64_t f = 0; f < width; ++f) middles[c * width + f] = from[f] * scale;
        }
        directions = std::make_unique<Packed<T>>(width, count);
        directions->place(0, width, 1, 0, count, width, middles.data());
        likeness.resize(PLACED * directions->padded_outputs());
        rows.resize(PLACED * width);
        members.assign(count, {});
        cell_of = Lazy<int32_t>(slots);
        place_of = Lazy<int32_t>(slots);
        place(memory, some);
    }

    // Put slots where they belong by their contents.
    void place(const T* memory, const std::vector<int32_t>& some) {
        const int64_t step = directions->padded_outputs();
        for (size_t first = 0; first < some.size(); first += PLACED) {
            const int64_t now = std::min<int64_t>(PLACED, some.size() - first);
            for (int64_t i = 0; i < now; ++i)
                copy(memory + int64_t(some[first + i]) * width, width, &rows[i * width]);
            directions->multiply(now, rows.data(), width, likeness.data(), step);
            for (int64_t i = 0; i < now; ++i) move(some[first + i], most_alike(&likeness[i * step]));
        }
    }

    // Call look(slots) for the cells nearest to a key, and for more of them until it says that it has seen enough.
    template <typename Look>
    void visit(const T* key, Look look) {
        directions->multiply(1, key, width, likeness.data(), directions->padded_outputs());
        bool enough = false;
        for (int64_t visit = 0; visit < count && !(enough && visit >= VISITED); ++visit) {
            const int64_t cell = most_alike(likeness.data());
            enough = look(members[cell]);
            likeness[cell] = -std::numeric_limits<T>::infinity();
        }
    }

  private:
    int64_t built = 0, width = 0, count = 0;
    std::unique_ptr<Packed<T>> directions;
    Array<T> likeness, rows;
    std::vector<std::vector<int32_t>> members;
    Lazy<int32_t> cell_of, place_of;  // each from 1 on, 0 for nowhere

    void move(int32_t slot, int64_t cell) {
        const int64_t before = cell_of[slot] - 1;
        if (before == cell) return;
        if (before >= 0) {
            std::vector<int32_t>& left = members[before];
            const int32_t last = left.back();
            left[place_of[slot] - 1] = last;
            place_of[last] = place_of[slot];
            left.pop_back();
        }
        members[cell].push_back(slot);
        cell_of[slot] = int32_t(cell + 1);
        place_of[slot] = int32_t(members[cell].size());
    }

    // The first of the largest.
    int64_t most_alike(const T* alike) const {
        Vector<T> most = all(-std::numeric_limits<T>::infinity());
        Bits<T> where = {};
        for (int64_t c = 0; c < count; c += LANES<T>) {
            Vector<T> x = load(alike + c);
            const auto more = x > most;
            most = more ? x : most;
            where = more ? Bits<T>{} + typename Register<T>::Word(c) : where;
        }
        int64_t best = -1;
        T value = -std::numeric_limits<T>::infinity();
        for (int64_t i = 0; i < std::min<int64_t>(LANES<T>, count); ++i)
            if (best < 0 || most[i] > value || (most[i] == value && where[i] + i < best)) best = where[i] + i, value = most[i];
        return best;
    }
};
