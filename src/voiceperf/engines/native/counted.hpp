// How often the work of a library of ours was ours, and how often it was offered to us and left to ggml.

#ifndef VOICEPERF_COUNTED_HPP
#define VOICEPERF_COUNTED_HPP

#include <atomic>
#include <cstdint>

#include "exported.hpp"

namespace {

struct Count {
    std::atomic<int64_t> ours{0}, theirs{0};

    void add(bool is_ours) { (is_ours ? ours : theirs).fetch_add(1, std::memory_order_relaxed); }
};

constexpr int PRODUCTS = 64;  // by ggml's number of the matrix's type
enum { ATTENTION = PRODUCTS, ATTENTION_OF_FEW, ACTIVATION, SPLIT, KINDS };

Count counts[KINDS];

}  // namespace

// Ours and the library's of each kind since the process began, two numbers a kind; returns how many kinds there are.
VOICEPERF_EXPORT int voiceperf_counts(int64_t *to) {
    for (const Count &count : counts) *to++ = count.ours, *to++ = count.theirs;
    return KINDS;
}

#endif
