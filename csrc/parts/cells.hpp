// Cells: an index of the slots of a large memory by direction, so that a key is compared only with slots in the nearest
// cells.
//
// Space is divided into regions and these into cells, whose centres are some of the slots. A cell stores the directions
// of its slots in bytes, so that a key is compared with many in the time of few accesses to the memory. A slot that
// changes moves to the cell of its new direction; all cells are rebuilt when the number of slots has doubled.
#pragma once

#include <cmath>
#include <memory>
#include <vector>

#include "base/lazy.hpp"
#include "base/matrix.hpp"
#include "parts/nearest.hpp"

constexpr int64_t IN_A_CELL = 256;                           // slots, on average
constexpr int64_t COMPARED = 3072;                           // slots that a key is compared with, approximately
constexpr int64_t VISITED_CELLS = 2 * COMPARED / IN_A_CELL;  // largest number of cells of these slots
constexpr int64_t VISITED_REGIONS = 4;                       // regions of these cells
constexpr int64_t PLACED_TOGETHER = 64;                      // slots

// A set of directions; find those most similar to a vector.
template <typename T>
class Directions {
  public:
    Directions(const T* memory, int64_t width, const std::vector<int32_t>& slots, int64_t count)
        : count(count), matrix(width, count) {
        Array<T> middles(count * width);
        for (int64_t c = 0; c < count; ++c) {
            const T* from = memory + int64_t(slots[c * int64_t(slots.size()) / count]) * width;
            const T square = total<T>(width, [&](int64_t f, int64_t left) {
                const Vector<T> x = load(from + f, left);
                return x * x;
            });
            for (int64_t f = 0; f < width; ++f)
                middles[c * width + f] = square > 0 ? from[f] / std::sqrt(square) : T(0);
        }
        matrix.place(0, width, 1, 0, count, width, middles.data());
    }

    const int64_t count;

    int64_t padded_count() const { return matrix.padded_outputs(); }

    // The similarities of vectors and directions.
    void compare(int64_t vectors, const T* from, int64_t stride, T* alike) const {
        matrix.multiply(vectors, from, stride, alike, padded_count());
    }

  private:
    Packed<T> matrix;
};

// The first of the largest numbers.
template <typename T>
int64_t first_largest(const T* numbers, int64_t count) {
    Vector<T> most = all(-std::numeric_limits<T>::infinity());
    Bits<T> where = {};
    int64_t i = 0;
    for (; i + LANES<T> <= count; i += LANES<T>) {
        const Vector<T> x = load(numbers + i);
        const auto more = x > most;
        most = more ? x : most;
        where = more ? Bits<T>{} + typename Register<T>::Word(i) : where;
    }
    int64_t best = 0;
    T value = -std::numeric_limits<T>::infinity();
    for (int64_t lane = 0; i && lane < LANES<T>; ++lane)
        if (most[lane] > value || (most[lane] == value && where[lane] + lane < best))
            best = where[lane] + lane, value = most[lane];
    for (; i < count; ++i)
        if (numbers[i] > value) best = i, value = numbers[i];
    return best;
}

template <typename T>
class Cells {
  public:
    // The number of slots when the cells were built, 0 if there are none.
    int64_t size_when_built() const { return built; }

    void build(const T* memory, int64_t slot_width, int64_t slots, const std::vector<int32_t>& some) {
        width = slot_width;
        built = some.size();
        int64_t count = 1;
        while (count * count * IN_A_CELL < built) count *= 2;
        regions = std::make_unique<Directions<T>>(memory, width, some, count);
        rows.resize(PLACED_TOGETHER * width);
        alike.resize(PLACED_TOGETHER * regions->padded_count());
        std::vector<std::vector<int32_t>> of_region(count);
        in_regions(memory, some, [&](int32_t slot, const T*, int64_t region) { of_region[region].push_back(slot); });
        inner.clear();
        first_cell.assign(1, 0);
        int64_t most = 1;
        for (int64_t region = 0; region < count; ++region) {
            if (of_region[region].empty()) of_region[region].push_back(some[region * built / count]);
            const int64_t cells = (of_region[region].size() + IN_A_CELL - 1) / IN_A_CELL;
            inner.emplace_back(memory, width, of_region[region], cells);
            first_cell.push_back(first_cell.back() + int32_t(cells));
            most = std::max(most, inner.back().padded_count());
        }
        inner_alike.resize(most);
        members.assign(first_cell.back(), Cell());
        cell_of = Lazy<int32_t>(slots);
        place_of = Lazy<int32_t>(slots);
        place(memory, some);
    }

    // Put slots into the cells of their contents.
    void place(const T* memory, const std::vector<int32_t>& some) {
        in_regions(memory, some, [&](int32_t slot, const T* row, int64_t region) {
            inner[region].compare(1, row, width, inner_alike.data());
            move(slot, first_cell[region] + first_largest(inner_alike.data(), inner[region].count), row);
        });
    }

    // List slots that likely contain those nearest to a key; the list may not be full.
    const std::vector<int32_t>& shortlist(const T* key, int64_t length) {
        key_words.assign(words() * BYTES, 0);
        std::copy(key, key + width, key_words.begin());
        list = Nearest<float>(length);
        near.clear();
        regions->compare(1, key, width, alike.data());
        for (int64_t visit = 0; visit < std::min(VISITED_REGIONS, regions->count); ++visit) {
            const int64_t region = first_largest(alike.data(), regions->count);
            alike[region] = -std::numeric_limits<T>::infinity();
            inner[region].compare(1, key, width, inner_alike.data());
            for (int64_t c = 0; c < inner[region].count; ++c)
                near.offer(inner_alike[c], first_cell[region] + int32_t(c));
        }
        int64_t compared = 0;
        for (int64_t i = 0; i < VISITED_CELLS && near.filled(i) && compared < COMPARED; ++i) {
            if (i + 1 < VISITED_CELLS && near.filled(i + 1)) fetch(members[near.slots[i + 1]]);
            compared += compare(members[near.slots[i]]);
        }
        return list.slots;
    }

  private:
    int64_t built = 0, width = 0;
    std::unique_ptr<Directions<T>> regions;
    std::vector<Directions<T>> inner;  // the cells of each region
    std::vector<int32_t> first_cell;
    Array<T> rows, alike, inner_alike;
    Nearest<T> near{VISITED_CELLS};  // cells
    static constexpr int64_t BLOCK = 16;
    static constexpr int64_t BYTES = 4;  // of a word
    typedef float Numbers __attribute__((vector_size(BLOCK * BYTES)));
    typedef int32_t Words __attribute__((vector_size(BLOCK * BYTES)));
    typedef int32_t Stored __attribute__((vector_size(BLOCK * BYTES), aligned(4), may_alias));

    // Slots, and a byte for each number of their directions, four to a word, the first one lowest; the words of a block
    // of slots are adjacent.
    struct Cell {
        std::vector<int32_t> slots, codes;
    };

    std::vector<Cell> members;
    Lazy<int32_t> cell_of, place_of;  // each from 1 on, 0 for none
    std::vector<float> key_words;
    Nearest<float> list;

    // NaN, such as from a slot that has diverged, counts as 0.
    static int8_t in_a_byte(T x) { return x >= -127 && x <= 127 ? int8_t(x) : int8_t(0); }

    int64_t words() const { return (width + BYTES - 1) / BYTES; }

    // The index of a slot's first word in the codes of a cell; the next words are a block apart.
    int64_t codes_at(int64_t place) const { return place / BLOCK * BLOCK * words() + place % BLOCK; }

    // Prefetch the first part of a cell.
    void fetch(const Cell& cell) const {
        constexpr int64_t LINE = 64, LINES = 32;
        const char* codes = reinterpret_cast<const char*>(cell.codes.data());
        const int64_t bytes = std::min<int64_t>(LINES * LINE, cell.codes.size() * BYTES);
        for (int64_t byte = 0; byte < bytes; byte += LINE) __builtin_prefetch(codes + byte);
    }

    // Offer a cell's slots to the list; return their number.
    int64_t compare(const Cell& cell) {
        const int64_t count = cell.slots.size();
        for (int64_t first = 0; first < count; first += BLOCK) {
            const int32_t* codes = &cell.codes[first * words()];
            Numbers parts[BYTES] = {};  // independent sums
            for (int64_t word = 0; word < words(); ++word) {
                const Words four = *reinterpret_cast<const Stored*>(codes + word * BLOCK);
                const float* key = &key_words[word * BYTES];
                parts[0] += __builtin_convertvector(four << 24 >> 24, Numbers) * key[0];
                parts[1] += __builtin_convertvector(four << 16 >> 24, Numbers) * key[1];
                parts[2] += __builtin_convertvector(four << 8 >> 24, Numbers) * key[2];
                parts[3] += __builtin_convertvector(four >> 24, Numbers) * key[3];
            }
            const Numbers sums = (parts[0] + parts[1]) + (parts[2] + parts[3]);
            const float most = folded<float, BLOCK>(sums, [](auto a, auto b) { return a > b ? a : b; });
            if (most < list.worst()) continue;
            for (int64_t i = 0; i < std::min(BLOCK, count - first); ++i) list.offer(sums[i], cell.slots[first + i]);
        }
        return count;
    }

    template <typename Take>
    void in_regions(const T* memory, const std::vector<int32_t>& some, Take take) {
        for (size_t first = 0; first < some.size(); first += PLACED_TOGETHER) {
            const int64_t now = std::min<int64_t>(PLACED_TOGETHER, some.size() - first);
            for (int64_t i = 0; i < now; ++i) copy(memory + int64_t(some[first + i]) * width, width, &rows[i * width]);
            regions->compare(now, rows.data(), width, alike.data());
            for (int64_t i = 0; i < now; ++i)
                take(some[first + i], &rows[i * width],
                     first_largest(&alike[i * regions->padded_count()], regions->count));
        }
    }

    void move(int32_t slot, int64_t to, const T* row) {
        const int64_t from = cell_of[slot] - 1;
        Cell& cell = members[to];
        if (from != to) {
            if (from >= 0) leave(members[from], place_of[slot] - 1);
            cell.slots.push_back(slot);
            cell.codes.resize((cell.slots.size() + BLOCK - 1) / BLOCK * BLOCK * words());
            cell_of[slot] = int32_t(to + 1);
            place_of[slot] = int32_t(cell.slots.size());
        }
        const T norm = std::sqrt(total<T>(width, [&](int64_t f, int64_t left) {
            const Vector<T> x = load(row + f, left);
            return x * x;
        }));
        const T scale = norm > 0 ? T(127) / norm : T(0);
        int32_t* code = &cell.codes[codes_at(place_of[slot] - 1)];
        for (int64_t word = 0; word < words(); ++word) {
            uint32_t four = 0;
            for (int64_t f = word * BYTES; f < std::min(width, (word + 1) * BYTES); ++f)
                four |= uint32_t(uint8_t(in_a_byte(row[f] * scale))) << f % BYTES * 8;
            code[word * BLOCK] = int32_t(four);
        }
    }

    // The last slot of a cell replaces one that leaves.
    void leave(Cell& cell, int64_t place) {
        const int32_t last = cell.slots.back();
        cell.slots[place] = last;
        place_of[last] = int32_t(place + 1);
        const int32_t* from = &cell.codes[codes_at(cell.slots.size() - 1)];
        int32_t* to = &cell.codes[codes_at(place)];
        for (int64_t word = 0; word < words(); ++word) to[word * BLOCK] = from[word * BLOCK];
        cell.slots.pop_back();
    }
};
