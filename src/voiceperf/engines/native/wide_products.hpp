// Products of quantised matrices with many columns, as an encoder has them, or a prompt that is read in one go.
//
// Sixteen rows lie side by side in a register, four values of each, and meet four values of a column in every lane. So a
// lane is one row's sum, a block's integers add up in it, and only one number in 32 products is scaled. Rows and columns
// are laid out anew in every call, which is little work where there are many of both.
//
// Each element is summed block by block, whatever its neighbours, so no result depends on the division among threads.

#ifndef VOICEPERF_WIDE_PRODUCTS_HPP
#define VOICEPERF_WIDE_PRODUCTS_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "avx512.hpp"
#include "ggml.hpp"

namespace wide {

constexpr int LANES = 16, VALUES = 32, STEPS = VALUES / 4;
constexpr int ROWS = 2;     // registers of rows at once
constexpr int COLUMNS = 6;  // at once: with the rows 12 sums of integers, 12 of scaled ones, and room for what they meet
inline constexpr int LEAST = 16;  // columns, below which laying out costs more than it gains

// A format says how blocks become bytes and what they mean, as in ggml. The processor multiplies unsigned by signed bytes.

struct Bytes {
    using Row = Q8_0;
    using Column = Q8_0;
    static constexpr bool has_least = false;

    static __m256i row(const Row &block) { return _mm256_loadu_si256((const __m256i *)block.values); }
    // made unsigned by adding 128, which `start` takes away again
    static __m256i column(const Column &block) { return _mm256_xor_si256(row(block), _mm256_set1_epi8((char)0x80)); }
    static __m512i add(__m512i sum, __m512i rows, __m512i column) { return _mm512_dpbusd_epi32(sum, column, rows); }
    static __m512i start(const int32_t *rows, int stride) {
        __m512i sum = _mm512_setzero_si512();
        for (int step = 0; step < STEPS; step++)
            sum = add(sum, _mm512_loadu_si512(rows + step * stride), _mm512_set1_epi8((char)0x80));
        return _mm512_sub_epi32(_mm512_setzero_si512(), sum);
    }
};

struct Nibbles {
    using Row = Q4_1;
    using Column = Q8_1;  // whose `sum` a row's least value meets
    static constexpr bool has_least = true;

    static __m256i row(const Row &block) {
        const __m128i bytes = _mm_loadu_si128((const __m128i *)block.values), mask = _mm_set1_epi8(0x0F);
        return _mm256_set_m128i(_mm_and_si128(_mm_srli_epi16(bytes, 4), mask), _mm_and_si128(bytes, mask));
    }
    static __m256i column(const Column &block) { return _mm256_loadu_si256((const __m256i *)block.values); }
    static __m512i add(__m512i sum, __m512i rows, __m512i column) { return _mm512_dpbusd_epi32(sum, rows, column); }
    static __m512i start(const int32_t *, int) { return _mm512_setzero_si512(); }
};

// All columns, one after the other.
template <class Format>
class Columns {
  public:
    void load(const typename Format::Column *from, int64_t stride, int64_t count, int64_t blocks) {
        blocks_ = blocks;
        words_.resize(count * blocks * STEPS), scales_.resize(count * blocks);
        if (Format::has_least) sums_.resize(count * blocks);
        for (int64_t column = 0, at = 0; column < count; column++)
            for (int64_t block = 0; block < blocks; block++, at++) {
                const auto &one = from[column * stride + block];
                _mm256_storeu_si256((__m256i *)(words_.data() + at * STEPS), Format::column(one));
                scales_[at] = _cvtsh_ss(one.scale);
                if constexpr (Format::has_least) sums_[at] = _cvtsh_ss(one.sum);
            }
    }
    const int32_t *words(int64_t column) const { return words_.data() + column * blocks_ * STEPS; }
    const float *scales(int64_t column) const { return scales_.data() + column * blocks_; }
    const float *sums(int64_t column) const { return sums_.data() + column * blocks_; }

  private:
    int64_t blocks_ = 0;
    std::vector<int32_t> words_;
    std::vector<float> scales_, sums_;
};

// `V` registers of rows, block by block: the values of all rows four by four, where their sums start, and the scales.
template <class Format, int V>
class Rows {
  public:
    void load(const typename Format::Row *from, int64_t stride, int64_t count, int64_t blocks) {
        blocks_ = blocks;
        words_.assign(blocks * STEPS * V * LANES, 0), starts_.resize(blocks * V * LANES);
        scales_.assign(blocks * V * LANES, 0);
        if (Format::has_least) least_.assign(blocks * V * LANES, 0);
        for (int64_t row = 0; row < count; row++)
            for (int64_t block = 0; block < blocks; block++) {
                const auto &one = from[row * stride + block];
                int32_t values[STEPS];
                _mm256_storeu_si256((__m256i *)values, Format::row(one));
                for (int step = 0; step < STEPS; step++) words_[(block * STEPS + step) * V * LANES + row] = values[step];
                scales_[block * V * LANES + row] = _cvtsh_ss(one.scale);
                if constexpr (Format::has_least) least_[block * V * LANES + row] = _cvtsh_ss(one.least);
            }
        for (int64_t block = 0; block < blocks; block++)
            for (int v = 0; v < V; v++) {
                const int32_t *values = words_.data() + (block * STEPS * V + v) * LANES;
                _mm512_storeu_si512(starts_.data() + place(block, v), Format::start(values, V * LANES));
            }
    }

    // the products with `C` columns from `column` on; `masks` are the lanes that hold rows
    template <int C>
    void multiply(const Columns<Format> &columns, int64_t column, float *result, int64_t stride,
                  const __mmask16 (&masks)[V]) const {
        const int32_t *words[C];
        const float *factors[C], *offsets[C];
        for (int c = 0; c < C; c++) {
            words[c] = columns.words(column + c);
            factors[c] = columns.scales(column + c), offsets[c] = columns.sums(column + c);
        }
        __m512 sums[V][C] = {};
        for (int64_t block = 0; block < blocks_; block++) {
            __m512i products[V][C];
            for (int v = 0; v < V; v++)
                for (int c = 0; c < C; c++) products[v][c] = _mm512_loadu_si512(starts_.data() + place(block, v));
            for (int step = 0; step < STEPS; step++)
                for (int c = 0; c < C; c++) {
                    const __m512i four = _mm512_set1_epi32(words[c][block * STEPS + step]);
                    for (int v = 0; v < V; v++) {
                        const int32_t *values = words_.data() + ((block * STEPS + step) * V + v) * LANES;
                        products[v][c] = Format::add(products[v][c], _mm512_loadu_si512(values), four);
                    }
                }
            for (int v = 0; v < V; v++) {
                const __m512 scale = _mm512_loadu_ps(scales_.data() + place(block, v));
                for (int c = 0; c < C; c++) {
                    const __m512 both = _mm512_mul_ps(scale, _mm512_set1_ps(factors[c][block]));
                    sums[v][c] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(products[v][c]), both, sums[v][c]);
                    if constexpr (Format::has_least)
                        sums[v][c] = _mm512_fmadd_ps(_mm512_loadu_ps(least_.data() + place(block, v)),
                                                     _mm512_set1_ps(offsets[c][block]), sums[v][c]);
                }
            }
        }
        for (int v = 0; v < V; v++)
            for (int c = 0; c < C; c++)
                _mm512_mask_storeu_ps(result + (column + c) * stride + v * LANES, masks[v], sums[v][c]);
    }

  private:
    static int64_t place(int64_t block, int v) { return (block * V + v) * LANES; }

    int64_t blocks_ = 0;
    std::vector<int32_t> words_, starts_;
    std::vector<float> scales_, least_;
};

// rows `begin` to `end` of `a` times all `n` columns of `b`, each of `blocks` blocks
template <class Format>
void multiply(int64_t begin, int64_t end, int64_t n, int64_t blocks, const void *a, int64_t lda, const void *b, int64_t ldb,
              float *c, int64_t ldc) {
    thread_local Columns<Format> columns;  // they keep their memory
    thread_local Rows<Format, ROWS> rows;
    columns.load((const typename Format::Column *)b, ldb, n, blocks);
    for (int64_t row = begin; row < end; row += ROWS * LANES) {
        const int64_t count = std::min<int64_t>(end - row, ROWS * LANES);
        __mmask16 masks[ROWS];
        for (int v = 0; v < ROWS; v++) masks[v] = (1u << std::clamp<int64_t>(count - v * LANES, 0, LANES)) - 1;
        rows.load((const typename Format::Row *)a + row * lda, lda, count, blocks);
        int64_t column = 0;
        for (; column + COLUMNS <= n; column += COLUMNS)
            rows.template multiply<COLUMNS>(columns, column, c + row, ldc, masks);
        for (; column < n; column++) rows.template multiply<1>(columns, column, c + row, ldc, masks);
    }
}

}  // namespace wide

#endif
