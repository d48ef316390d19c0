// Products of quantised matrices by AVX-512 VNNI, in front of ggml's `llamafile_sgemm`, which llama.cpp's library and
// whisper.cpp's both replace.
//
// ggml offers every matrix product to that function first. On x86 its own kernels take 256 bits at a time, and a product
// with a single column falls back to one dot product a row, whose every step waits for the one before it. Here a step
// takes 512 bits, products with several columns keep a tile of sums in registers, and those with one column read each
// matrix as one stream. Those with many columns are left to `wide_products.hpp`.
//
// Each element is summed in the same order whatever the tile or the number of threads, so a result never depends on how
// the work was divided among threads. From 16 columns on the order is another, so the last bits of a token depend on
// whether it is read by itself or with many.

#ifndef VOICEPERF_MATRIX_PRODUCTS_HPP
#define VOICEPERF_MATRIX_PRODUCTS_HPP

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>

#include "avx512.hpp"
#include "counted.hpp"
#include "ggml.hpp"
#include "wide_products.hpp"

namespace {

// A format says how a group of blocks becomes registers: `Weights` of a row as they lie in memory, `Column` once for a
// whole column. The processor multiplies unsigned by signed bytes.

struct Eight {
    using Row = Q8_0;
    using Activations = Q8_0;
    using Wide = wide::Bytes;
    static constexpr int blocks = 2;

    struct Weights {
        __m512i values;
        __m512 scale;
    };
    struct Column {
        __m512i values, offset;  // weights are made unsigned by adding 128; the offset takes it away again
        __m512 scale;
    };

    static __m512i values_of(const Q8_0 *at, int count) {
        const __m512i first = _mm512_zextsi256_si512(_mm256_loadu_si256((const __m256i *)at[0].values));
        return count < 2 ? first : _mm512_inserti64x4(first, _mm256_loadu_si256((const __m256i *)at[1].values), 1);
    }
    static __m512 scale_of(const Q8_0 *at, int count) {
        const __m128i second = count < 2 ? _mm_setzero_si128() : _mm_set1_epi16((short)at[1].scale);
        return _mm512_cvtph_ps(_mm256_set_m128i(second, _mm_set1_epi16((short)at[0].scale)));
    }
    static Weights weights(const Q8_0 *at, int count) {
        return {_mm512_xor_si512(values_of(at, count), _mm512_set1_epi8((char)0x80)), scale_of(at, count)};
    }
    static Column column(const Q8_0 *at, int count) {
        const __m512i zero = _mm512_setzero_si512(), values = values_of(at, count);
        const __m512i added = _mm512_dpbusd_epi32(zero, _mm512_set1_epi8((char)0x80), values);
        return {values, _mm512_sub_epi32(zero, added), scale_of(at, count)};
    }
    static __m512 add_product(const Weights &w, const Column &c, __m512 sum) {
        const __m512i product = _mm512_dpbusd_epi32(c.offset, w.values, c.values);
        return _mm512_fmadd_ps(_mm512_cvtepi32_ps(product), _mm512_mul_ps(w.scale, c.scale), sum);
    }
};

struct Four {
    using Row = Q4_1;
    using Activations = Q8_1;
    using Wide = wide::Nibbles;
    static constexpr int blocks = 4;  // one in each quarter of a register

    struct Weights {
        __m512i low, high;
        __m512 scale, least;
    };
    struct Column {
        __m512i low, high;
        __m512 scale, sum;
    };

    static __m512i quarters(const void *a, const void *b, const void *c, const void *d) {
        __m512i all = _mm512_zextsi128_si512(_mm_loadu_si128((const __m128i *)a));
        if (b) all = _mm512_inserti32x4(all, _mm_loadu_si128((const __m128i *)b), 1);
        if (c) all = _mm512_inserti32x4(all, _mm_loadu_si128((const __m128i *)c), 2);
        return d ? _mm512_inserti32x4(all, _mm_loadu_si128((const __m128i *)d), 3) : all;
    }
    // a block's first two halves, scale and least or scale and sum, of four blocks one after the other
    template <class Block>
    static __m512 halves_of(const Block *at, int count) {
        const auto both_of = [](const Block &block) {
            int both;
            std::memcpy(&both, &block, sizeof both);
            return both;
        };
        __m128i pairs = _mm_cvtsi32_si128(both_of(at[0]));
        if (count > 1) pairs = _mm_insert_epi32(pairs, both_of(at[1]), 1);
        if (count > 2) pairs = _mm_insert_epi32(pairs, both_of(at[2]), 2);
        if (count > 3) pairs = _mm_insert_epi32(pairs, both_of(at[3]), 3);
        return _mm512_zextps256_ps512(_mm256_cvtph_ps(pairs));
    }
    static __m512 scales(__m512 halves) {  // each over its quarter
        return _mm512_permutexvar_ps(_mm512_setr_epi32(0, 0, 0, 0, 2, 2, 2, 2, 4, 4, 4, 4, 6, 6, 6, 6), halves);
    }
    static Weights weights(const Q4_1 *at, int count) {
        const __m512i bytes = quarters(at[0].values, count > 1 ? at[1].values : nullptr,
                                       count > 2 ? at[2].values : nullptr, count > 3 ? at[3].values : nullptr);
        const __m512i mask = _mm512_set1_epi8(0x0F);
        const __m512 halves = halves_of(at, count);
        return {_mm512_and_si512(bytes, mask), _mm512_and_si512(_mm512_srli_epi16(bytes, 4), mask), scales(halves), halves};
    }
    static Column column(const Q8_1 *at, int count) {
        const int8_t *from[4] = {};
        for (int block = 0; block < count; block++) from[block] = at[block].values;
        const __m512i low = quarters(from[0], from[1], from[2], from[3]);
        for (int block = 0; block < count; block++) from[block] += 16;
        const __m512 halves = halves_of(at, count);
        // beside a row's `least` stands this sum, beside its scale nothing
        return {low, quarters(from[0], from[1], from[2], from[3]), scales(halves), _mm512_maskz_mov_ps(0xAAAA, halves)};
    }
    static __m512 add_product(const Weights &w, const Column &c, __m512 sum) {
        const __m512i half = _mm512_dpbusd_epi32(_mm512_setzero_si512(), w.low, c.low);
        const __m512i product = _mm512_dpbusd_epi32(half, w.high, c.high);
        sum = _mm512_fmadd_ps(w.least, c.sum, sum);
        return _mm512_fmadd_ps(_mm512_cvtepi32_ps(product), _mm512_mul_ps(w.scale, c.scale), sum);
    }
};

constexpr int ROWS = 4, COLUMNS = 4;  // of a tile, whose sums stay in registers
constexpr int LINE = 16;              // floats in a cache line, which two threads must not share
constexpr int AHEAD = 8192;           // bytes; memory answers late, and the hardware stops at each page

template <class Format>
struct Matrices {
    using Row = typename Format::Row;
    using Weights = typename Format::Weights;
    using Column = typename Format::Column;

    const Row *rows;
    int64_t row_stride, blocks;
    float *result;
    int64_t result_stride;

    int64_t groups() const { return (blocks + Format::blocks - 1) / Format::blocks; }

    void pack(const typename Format::Activations *from, Column *to) const {
        for (int64_t at = 0; at < blocks; at += Format::blocks) *to++ = Format::column(from + at, count_at(at));
    }
    int count_at(int64_t block) const {
        return blocks - block < Format::blocks ? (int)(blocks - block) : Format::blocks;
    }

    template <int R, int C>
    void tile(int64_t row, const Column *columns, int64_t column) const {
        const Row *first = rows + row * row_stride;
        __m512 sums[R][C];
        for (int i = 0; i < R; i++)
            for (int j = 0; j < C; j++) sums[i][j] = _mm512_setzero_ps();
        const int64_t whole = blocks / Format::blocks * Format::blocks;
        const Column *with = columns;
        for (int64_t at = 0; at < whole; at += Format::blocks)
            step<R, C>(first + at, Format::blocks, with++, sums);
        if (whole < blocks) step<R, C>(first + whole, (int)(blocks - whole), with, sums);
        for (int i = 0; i < R; i++)
            for (int j = 0; j < C; j++)
                result[(column + j) * result_stride + row + i] = _mm512_reduce_add_ps(sums[i][j]);
    }

    template <int R, int C>
    [[gnu::always_inline]] void step(const Row *at, int count, const Column *with, __m512 (&sums)[R][C]) const {
        Weights weights[R];
        for (int i = 0; i < R; i++) {
            const Row *from = at + i * row_stride;
            if (C == 1) __builtin_prefetch((const char *)from + AHEAD);
            weights[i] = Format::weights(from, count);
        }
        for (int j = 0; j < C; j++) {
            const Column other = with[j * groups()];
            for (int i = 0; i < R; i++) sums[i][j] = Format::add_product(weights[i], other, sums[i][j]);
        }
    }

    template <int C>
    void columns(int64_t begin, int64_t end, const Column *packed, int64_t column) const {
        int64_t row = begin;
        if (C > 1)  // a single column gains nothing from tiles, and reads faster as one stream
            for (; row + ROWS <= end; row += ROWS) tile<ROWS, C>(row, packed, column);
        for (; row < end; row++) tile<1, C>(row, packed, column);
    }
};

template <class Format>
bool multiply(const Share &share, int64_t m, int64_t n, int64_t k, const void *a, int64_t lda, const void *b, int64_t ldb,
              float *c, int64_t ldc) {
    const Matrices<Format> work{(const typename Format::Row *)a, lda, k, c, ldc};
    const int64_t lines = (m + LINE - 1) / LINE;
    const int64_t begin = lines * share.index / share.of * LINE;
    const int64_t limit = lines * (share.index + 1) / share.of * LINE, end = limit < m ? limit : m;
    if (n >= wide::LEAST) {
        wide::multiply<typename Format::Wide>(begin, end, n, k, a, lda, b, ldb, c, ldc);
        return true;
    }
    const std::unique_ptr<typename Format::Column[]> packed(new typename Format::Column[work.groups() * COLUMNS]);
    const auto *columns = (const typename Format::Activations *)b;
    for (int64_t j = 0; j < n; j += COLUMNS) {
        const int64_t count = n - j < COLUMNS ? n - j : COLUMNS;
        for (int64_t q = 0; q < count; q++) work.pack(columns + (j + q) * ldb, packed.get() + q * work.groups());
        switch (count) {
            case 1: work.template columns<1>(begin, end, packed.get(), j); break;
            case 2: work.template columns<2>(begin, end, packed.get(), j); break;
            case 3: work.template columns<3>(begin, end, packed.get(), j); break;
            default: work.template columns<COLUMNS>(begin, end, packed.get(), j);
        }
    }
    return true;
}

using Sgemm = bool(const Share *, int64_t, int64_t, int64_t, const void *, int64_t, const void *, int64_t, void *, int64_t,
                   int, int, int);

}  // namespace

// `m` rows of `a` times `n` columns of `b`, each of `k` blocks; false: ggml shall do it its own way
VOICEPERF_EXPORT bool llamafile_sgemm(const Share *share, int64_t m, int64_t n, int64_t k, const void *a, int64_t lda,
                                const void *b, int64_t ldb, void *c, int64_t ldc, int type_a, int type_b, int type_c) {
    static Sgemm *const own = Library(__builtin_return_address(0)).own<Sgemm>("llamafile_sgemm");
    const bool is_eight = type_a == TYPE_Q8_0 && type_b == TYPE_Q8_0 && type_c == F32;
    const bool is_four = type_a == TYPE_Q4_1 && type_b == TYPE_Q8_1 && type_c == F32;
    // ggml asks twice where it converts `b` first; what it asks with numbers as they are is not yet the product
    const bool is_product = is_eight || is_four || type_b != F32 || type_a == F32;
    if (share->index == 0 && is_product && type_a >= 0 && type_a < PRODUCTS) counts[type_a].add(is_eight || is_four);
    if (is_eight) return multiply<Eight>(*share, m, n, k, a, lda, b, ldb, (float *)c, ldc);
    if (is_four) return multiply<Four>(*share, m, n, k, a, lda, b, ldb, (float *)c, ldc);
    return own && own(share, m, n, k, a, lda, b, ldb, c, ldc, type_a, type_b, type_c);
}

#endif
