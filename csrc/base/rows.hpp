// Rows: distribute the sequences of a batch over threads.
#pragma once

#include <algorithm>
#include <cstdint>
#include <exception>
#include <new>
#include <numeric>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <vector>

constexpr int64_t MOST_TOGETHER = 8;  // rows that a thread computes together

// The rows of a batch, each with its length.
class Rows {
  public:
    const int64_t batch, time;

    Rows(int64_t batch, int64_t time, const int64_t* lengths, int64_t threads)
        : batch(batch), time(time), lengths(lengths), count(std::max<int64_t>(1, std::min<int64_t>(threads, batch))),
          order(batch) {
        std::iota(order.begin(), order.end(), 0);
        std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return length(a) > length(b); });
    }

    int64_t length(int64_t row) const { return lengths ? lengths[row] : time; }

    int64_t threads() const { return count; }

    // How many rows a thread computes together, at most `most` and at most `fitting`.
    int64_t together(int64_t fitting = MOST_TOGETHER, int64_t most = MOST_TOGETHER) const {
        return std::max<int64_t>(1, std::min({most, fitting, (batch + count - 1) / count}));
    }

    // Distribute the rows: work(index of the thread, its rows, the longest first) runs once in each thread.
    template <typename Work>
    void share(Work work) const {
        std::vector<std::exception_ptr> errors(count);
        auto part = [&](int64_t number) {
            try {
                std::vector<int64_t> own_rows;
                for (int64_t i = number; i < batch; i += count) own_rows.push_back(order[i]);
                work(number, own_rows);
            } catch (...) {
                errors[number] = std::current_exception();
            }
        };
#ifdef _OPENMP  // torch's own threads, which would else wait for more work on the cores that ours need
#pragma omp parallel for num_threads(count) schedule(static, 1)
        for (int64_t number = 0; number < count; ++number) part(number);
#else
        std::vector<std::thread> running;
        int64_t number = 1;
        try {
            for (; number < count; ++number) running.emplace_back(part, number);
        } catch (const std::system_error&) {
            for (; number < count; ++number) part(number);
        }
        part(0);
        for (auto& thread : running) thread.join();
#endif
        for (auto& error : errors)
            if (error) std::rethrow_exception(error);
    }

  private:
    const int64_t* const lengths;
    const int64_t count;
    std::vector<int64_t> order;  // the longest first
};

// 0 on success, 1 if the memory is exhausted.
template <typename Work>
int unless_out_of_memory(Work work) {
    try {
        work();
        return 0;
    } catch (const std::bad_alloc&) {
        return 1;
    } catch (const std::length_error&) {  // more than can be addressed
        return 1;
    }
}
