// Links: the temporal links of a Differentiable Neural Computer (Graves et al. 2016, "Temporal memory linkage"),
// forward and backward.
//
// The link matrix is the largest array that a step accesses. One pass over its rows updates the links and follows them
// for some read heads; in the backward pass one pass computes the gradients of both. All matrices are square, padded
// with zeros to whole registers.
#pragma once

#include "base/vectors.hpp"

constexpr int MOST_READS = 4;  // read heads of one pass

template <typename T>
class Links {
  public:
    explicit Links(int64_t slots) : slots(slots), off_diagonal(LANES<T> * LANES<T>) {
        for (int64_t i = 0; i < LANES<T> * LANES<T>; ++i) off_diagonal[i] = i / LANES<T> == i % LANES<T> ? 0 : -1;
    }

    // after[i][j] = (1 - w[i] - w[j]) before[i][j] + w[i] p[j], 0 where i = j; both may be the same array.
    void write(const T* before, T* after, const T* weights, const T* precedence) const {
        rows<0, true>(before, after, weights, precedence, nullptr, nullptr, nullptr, 0);
    }

    // The same, and for each read head the weights backward, back = after^T w, and forward, ahead = after w, where w
    // are its read weights. The arrays of the heads are `stride` numbers apart.
    void write_and_follow(T* links, const T* weights, const T* precedence, int64_t reads, const T* reading, T* back,
                          T* ahead, int64_t stride) const {
        in_groups(reads, [&](int64_t head, auto some, bool first) {
            constexpr int READS = decltype(some)::value;
            const T* own = reading + head * slots;
            T *own_back = back + head * stride, *own_ahead = ahead + head * stride;
            if (first)
                rows<READS, true>(links, links, weights, precedence, own, own_back, own_ahead, stride);
            else
                rows<READS, false>(links, links, weights, precedence, own, own_back, own_ahead, stride);
        });
    }

    // The arguments and results of the backward pass of both; the arrays of read heads are reads x slots.
    struct Way {
        const T *before, *weights, *precedence;  // of the forward pass
        const T* reading;                        // the read weights
        const T *ahead, *back;                   // vectors that after^T and after are multiplied with
        const T *d_ahead, *read_back;            // after gets the gradients d_ahead reading^T + read_back back^T
        T* d_links;                              // becomes the gradient of `before`
        T *d_weights, *d_precedence;             // gradients are added
        T *along, *against;                      // after^T ahead, and after back
    };

    void backward(int64_t reads, const Way& way) const {
        const int64_t last = (reads - 1) / MOST_READS * MOST_READS;
        in_groups(reads, [&](int64_t head, auto some, bool) {
            constexpr int READS = decltype(some)::value;
            if (head == last)
                rows_backward<READS, true>(head * slots, way);
            else
                rows_backward<READS, false>(head * slots, way);
        });
    }

  private:
    static constexpr int ROWS = REGISTERS == 32 ? 4 : 2;  // rows in registers at once, with the sums of each

    const int64_t slots;
    Array<typename Register<T>::Word> off_diagonal;  // a mask without each position of the diagonal

    // Call body(first head, number of heads as a constant, whether they are the first).
    template <typename Body>
    static void in_groups(int64_t reads, Body body) {
        for (int64_t head = 0; head < reads; head += MOST_READS) {
            switch (reads - head) {
                case 1: body(head, std::integral_constant<int, 1>(), head == 0); break;
                case 2: body(head, std::integral_constant<int, 2>(), head == 0); break;
                case 3: body(head, std::integral_constant<int, 3>(), head == 0); break;
                default: body(head, std::integral_constant<int, MOST_READS>(), head == 0);
            }
        }
    }

    // Call columns(first column, whether they contain the diagonal) over some rows from `row` on.
    template <typename Columns>
    void by_columns(int64_t row, Columns columns) const {
        const int64_t diagonal = row / LANES<T> * LANES<T>;
        for (int64_t j = 0; j < diagonal; j += LANES<T>) columns(j, std::false_type());
        columns(diagonal, std::true_type());
        for (int64_t j = diagonal + LANES<T>; j < slots; j += LANES<T>) columns(j, std::false_type());
    }

    Vector<T> without(Vector<T> x, int64_t place) const {
        Bits<T> mask;
        std::memcpy(&mask, &off_diagonal[place * LANES<T>], sizeof(mask));
        return (Vector<T>)((Bits<T>)x & mask);
    }

    template <int READS, bool WRITE>
    void rows(const T* before, T* after, const T* weights, const T* precedence, const T* reading, T* back, T* ahead,
              int64_t stride) const {
        for (int h = 0; h < READS; ++h) clear(back + h * stride, slots);
        for (int64_t i = 0; i < slots; i += ROWS) {
            Vector<T> sums[ROWS][READS ? READS : 1] = {};
            by_columns(i, [&](int64_t j, auto on_diagonal) {
                Vector<T> now[ROWS];
#pragma GCC unroll 4
                for (int r = 0; r < ROWS; ++r) {
                    now[r] = load(before + (i + r) * slots + j);
                    if (!WRITE) continue;
                    now[r] =
                        (T(1) - weights[i + r] - load(weights + j)) * now[r] + weights[i + r] * load(precedence + j);
                    if (on_diagonal) now[r] = without(now[r], i + r - j);
                    store(after + (i + r) * slots + j, now[r]);
                }
#pragma GCC unroll 4
                for (int h = 0; h < READS; ++h) {
                    const Vector<T> from = load(reading + h * slots + j);
                    Vector<T> to = load(back + h * stride + j);
#pragma GCC unroll 4
                    for (int r = 0; r < ROWS; ++r) {
                        to += reading[h * slots + i + r] * now[r];
                        sums[r][h] += from * now[r];
                    }
                    store(back + h * stride + j, to);
                }
            });
            for (int h = 0; h < READS; ++h)
                for (int r = 0; r < ROWS; ++r) ahead[h * stride + i + r] = sum<T>(sums[r][h]);
        }
    }

    template <int READS, bool WRITE>
    void rows_backward(int64_t first, const Way& way) const {
        const T *weights = way.weights, *reading = way.reading + first;
        const T *ahead = way.ahead + first, *back = way.back + first;
        const T *d_ahead = way.d_ahead + first, *read_back = way.read_back + first;
        T* along = way.along + first;
        clear(along, READS * slots);
        for (int64_t i = 0; i < slots; i += ROWS) {
            Vector<T> sums[ROWS][READS] = {}, d_own[ROWS] = {};
            by_columns(i, [&](int64_t j, auto on_diagonal) {
                Vector<T> old[ROWS], now[ROWS], kept[ROWS], d[ROWS];
#pragma GCC unroll 4
                for (int r = 0; r < ROWS; ++r) {
                    old[r] = load(way.before + (i + r) * slots + j);
                    kept[r] = T(1) - weights[i + r] - load(weights + j);
                    now[r] = kept[r] * old[r] + weights[i + r] * load(way.precedence + j);
                    if (on_diagonal) now[r] = without(now[r], i + r - j);
                    d[r] = load(way.d_links + (i + r) * slots + j);
                }
#pragma GCC unroll 4
                for (int h = 0; h < READS; ++h) {
                    const Vector<T> from = load(reading + h * slots + j), to = load(back + h * slots + j);
                    Vector<T> own = load(along + h * slots + j);
#pragma GCC unroll 4
                    for (int r = 0; r < ROWS; ++r) {
                        const int64_t at = h * slots + i + r;
                        own += ahead[at] * now[r];
                        sums[r][h] += to * now[r];
                        d[r] += d_ahead[at] * from + read_back[at] * to;
                    }
                    store(along + h * slots + j, own);
                }
                Vector<T> d_weights = {}, d_precedence = {};
#pragma GCC unroll 4
                for (int r = 0; r < ROWS; ++r) {
                    if (on_diagonal) d[r] = without(d[r], i + r - j);
                    if (WRITE) {
                        const Vector<T> lost = d[r] * old[r];
                        d_own[r] += d[r] * load(way.precedence + j) - lost;
                        d_weights += lost;
                        d_precedence += weights[i + r] * d[r];
                        d[r] *= kept[r];
                    }
                    store(way.d_links + (i + r) * slots + j, d[r]);
                }
                if (!WRITE) return;
                store(way.d_weights + j, load(way.d_weights + j) - d_weights);
                store(way.d_precedence + j, load(way.d_precedence + j) + d_precedence);
            });
            for (int r = 0; r < ROWS; ++r) {
                for (int h = 0; h < READS; ++h) way.against[first + h * slots + i + r] = sum<T>(sums[r][h]);
                if (WRITE) way.d_weights[i + r] += sum<T>(d_own[r]);
            }
        }
    }
};
