// Products of Q8_0 matrices with many columns, as an encoder has them.
//
// Sixteen rows lie side by side in a register, four values of each, and meet four values of a column in every lane. So a
// lane is one row's sum, a block's integers add up in it, and only one number in 32 products is scaled. Rows and columns
// are laid out anew in every call, which is little work where there are many of both.
//
// Each element is summed block by block, whatever its neighbours, so no result depends on the division among threads.

#include <immintrin.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace wide {

struct Block {  // as in ggml: value * scale
    uint16_t scale;
    int8_t values[32];
};

constexpr int LANES = 16, VALUES = 32, STEPS = VALUES / 4;
constexpr int ROWS = 2;     // registers of rows at once
constexpr int COLUMNS = 6;  // at once: with the rows 12 sums of integers, 12 of scaled ones, and room for what they meet
constexpr int LEAST = 32;   // columns, below which laying out costs more than it gains

inline float scale_of(const Block &block) { return _cvtsh_ss(block.scale); }

// All columns, their values made unsigned by adding 128, as the processor multiplies unsigned by signed bytes.
class Columns {
  public:
    void load(const Block *from, int64_t stride, int64_t count, int64_t blocks) {
        blocks_ = blocks;
        words_.resize(count * blocks * STEPS), scales_.resize(count * blocks);
        const __m256i sign = _mm256_set1_epi8((char)0x80);
        for (int64_t column = 0, at = 0; column < count; column++)
            for (int64_t block = 0; block < blocks; block++, at++) {
                const Block &one = from[column * stride + block];
                const __m256i values = _mm256_loadu_si256((const __m256i *)one.values);
                _mm256_storeu_si256((__m256i *)(words_.data() + at * STEPS), _mm256_xor_si256(values, sign));
                scales_[at] = scale_of(one);
            }
    }
    const int32_t *words(int64_t column) const { return words_.data() + column * blocks_ * STEPS; }
    const float *scales(int64_t column) const { return scales_.data() + column * blocks_; }

  private:
    int64_t blocks_ = 0;
    std::vector<int32_t> words_;
    std::vector<float> scales_;
};

// `V` registers of rows: for each block the values of all rows four by four, what the 128 added to a column's values
// make of them, and the scales.
template <int V>
class Rows {
  public:
    void load(const Block *from, int64_t stride, int64_t count, int64_t blocks) {
        blocks_ = blocks;
        words_.assign(blocks * STEPS * V * LANES, 0), added_.resize(blocks * V * LANES);
        scales_.assign(blocks * V * LANES, 0);
        for (int64_t row = 0; row < count; row++)
            for (int64_t block = 0; block < blocks; block++) {
                const Block &one = from[row * stride + block];
                int32_t values[STEPS];
                std::memcpy(values, one.values, sizeof values);
                for (int step = 0; step < STEPS; step++) words_[((block * STEPS + step) * V) * LANES + row] = values[step];
                scales_[block * V * LANES + row] = scale_of(one);
            }
        for (int64_t block = 0; block < blocks; block++)
            for (int v = 0; v < V; v++) {
                __m512i sum = _mm512_setzero_si512();
                for (int step = 0; step < STEPS; step++)
                    sum = _mm512_dpbusd_epi32(sum, _mm512_set1_epi8((char)0x80), values(block, step, v));
                const __m512i taken = _mm512_sub_epi32(_mm512_setzero_si512(), sum);
                _mm512_storeu_si512(added_.data() + (block * V + v) * LANES, taken);
            }
    }

    // the products with `C` columns from `column` on; `masks` are the lanes that hold rows
    template <int C>
    void multiply(const Columns &columns, int64_t column, float *result, int64_t stride, const __mmask16 (&masks)[V]) const {
        const int32_t *words[C];
        const float *factors[C];
        for (int c = 0; c < C; c++) words[c] = columns.words(column + c), factors[c] = columns.scales(column + c);
        __m512 sums[V][C] = {};
        for (int64_t block = 0; block < blocks_; block++) {
            __m512i products[V][C];
            for (int v = 0; v < V; v++)
                for (int c = 0; c < C; c++)
                    products[v][c] = _mm512_loadu_si512(added_.data() + (block * V + v) * LANES);
            for (int step = 0; step < STEPS; step++)
                for (int c = 0; c < C; c++) {
                    const __m512i four = _mm512_set1_epi32(words[c][block * STEPS + step]);
                    for (int v = 0; v < V; v++)
                        products[v][c] = _mm512_dpbusd_epi32(products[v][c], four, values(block, step, v));
                }
            for (int v = 0; v < V; v++) {
                const __m512 scale = _mm512_loadu_ps(scales_.data() + (block * V + v) * LANES);
                for (int c = 0; c < C; c++)
                    sums[v][c] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(products[v][c]),
                                                 _mm512_mul_ps(scale, _mm512_set1_ps(factors[c][block])), sums[v][c]);
            }
        }
        for (int v = 0; v < V; v++)
            for (int c = 0; c < C; c++)
                _mm512_mask_storeu_ps(result + (column + c) * stride + v * LANES, masks[v], sums[v][c]);
    }

  private:
    __m512i values(int64_t block, int step, int v) const {
        return _mm512_loadu_si512(words_.data() + ((block * STEPS + step) * V + v) * LANES);
    }

    int64_t blocks_ = 0;
    std::vector<int32_t> words_, added_;
    std::vector<float> scales_;
};

// rows `begin` to `end` of `a` times all `n` columns of `b`, each of `blocks` blocks
inline void multiply(int64_t begin, int64_t end, int64_t n, int64_t blocks, const Block *a, int64_t lda, const Block *b,
                     int64_t ldb, float *c, int64_t ldc) {
    thread_local Columns columns;  // they keep their memory
    thread_local Rows<ROWS> rows;
    columns.load(b, ldb, n, blocks);
    for (int64_t row = begin; row < end; row += ROWS * LANES) {
        const int64_t count = std::min<int64_t>(end - row, ROWS * LANES);
        __mmask16 masks[ROWS];
        for (int v = 0; v < ROWS; v++) masks[v] = (1u << std::clamp<int64_t>(count - v * LANES, 0, LANES)) - 1;
        rows.load(a + row * lda, lda, count, blocks);
        int64_t column = 0;
        for (; column + COLUMNS <= n; column += COLUMNS) rows.multiply<COLUMNS>(columns, column, c + row, ldc, masks);
        for (; column < n; column++) rows.multiply<1>(columns, column, c + row, ldc, masks);
    }
}

}  // namespace wide
