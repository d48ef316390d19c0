// whisper.cpp's library: products of quantised matrices, and what else a layer of its encoder does, attention and the GELU
// activation, in front of ggml's functions for them.
//
// ggml packs a piece of the keys anew for every 64 queries, one number at a time, and looks each activation up in a table
// of half-precision numbers. Here a head's keys and values become float32 once, and the scores of a few queries with all
// keys stay in the cache from the first product to the last. Whatever does not look like attention to the encoder's
// frames (a mask, other types) is left to ggml; so are few queries, unless silence is weighed.
//
// Every row is computed by itself and in one order, so no result depends on the number of threads.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "avx512.hpp"
#include "counted.hpp"
#include "ggml.hpp"
#include "matrix_products.hpp"

namespace {

constexpr int HEAD = 64;    // numbers of a head, in every whisper model
constexpr int LANES = 16;   // float32 in a register
constexpr int KEYS = 64;    // of a block: four registers beside each query
constexpr int QUERIES = 6;  // at once: 24 sums, a block's four registers and a factor are 29 of 32
constexpr int REGISTERS = KEYS / LANES;
static_assert(KEYS == HEAD, "one kernel multiplies both by keys and by values");

// ggml_tensor as whisper.cpp 1.8 has it (ggml/include/ggml.h)
struct Tensor {
    int type;
    void *buffer;
    int64_t size[4];
    size_t stride[4];
    int operation;
    int32_t parameters[16], flags;
    Tensor *source[10], *viewed;
    size_t offset;
    char *data;
    char name[64];
    void *extra;
    char padding[8];

    char *at(int64_t one, int64_t two) const { return data + one * stride[1] + two * stride[2]; }
    float parameter(int place) const {
        float number;
        std::memcpy(&number, parameters + place, sizeof number);
        return number;
    }
    // float32, one after the other in the order of the dimensions
    bool is_dense() const {
        size_t step = sizeof(float);
        for (int one = 0; one < 4; step *= size[one++])
            if (stride[one] != step) return false;
        return type == F32;
    }
    size_t count() const { return size[0] * size[1] * size[2] * size[3]; }
};

using Operation = void(const Share *, Tensor *);

// What attention is told about the encoder's frames: how many there are (those that ggml pads them with are skipped; 0: it
// is told nothing), and what is added to the score of each, so that silence counts as if there were more of it.
struct Frames {
    static constexpr int64_t MOST = 1536, PADDING = 256;
    int64_t count = 0;
    int attended = 0;  // how often, since that was told
    alignas(64) float score[MOST] = {};

    bool pad_to(int64_t keys) const { return (count + PADDING - 1) / PADDING * PADDING == keys; }
} frames;

// Whether the library's tensors are as large as ours; another version's may lie otherwise.
bool is_known(const Library &library) {
    constexpr size_t object = 32;  // what ggml adds to a tensor in its overhead
    const auto overhead = library.own<size_t()>("ggml_tensor_overhead");
    return overhead && overhead() == object + sizeof(Tensor);
}

// Whether the library calls its unary operation of this number so.
bool is_called(const Library &library, int number, const char *name) {
    const auto name_of = library.own<const char *(int)>("ggml_unary_op_name");
    return name_of && std::strcmp(name_of(number), name) == 0;
}

// e^x by 2^n times a polynomial of the rest (its series to degree 6), for x up to 88; 0 where due
__m512 exponential(__m512 x) {
    const __m512 n = _mm512_roundscale_ps(_mm512_mul_ps(x, _mm512_set1_ps(1.44269504f)), _MM_FROUND_TO_NEAREST_INT);
    const __m512 high = _mm512_fnmadd_ps(n, _mm512_set1_ps(0.693359375f), x);
    const __m512 rest = _mm512_fnmadd_ps(n, _mm512_set1_ps(-2.12194440e-4f), high);
    __m512 power = _mm512_set1_ps(1.0f / 720);
    for (const float factor : {1.0f / 120, 1.0f / 24, 1.0f / 6, 0.5f, 1.0f, 1.0f})
        power = _mm512_fmadd_ps(power, rest, _mm512_set1_ps(factor));
    return _mm512_scalef_ps(power, n);
}

// `R` rows of `from`, `row` floats apart, times `count` rows of a block of 64, which lie one after the other
template <int R>
[[gnu::always_inline]] inline void multiply(const float *from, size_t row, const float *block, int64_t count,
                                            __m512 (&sums)[R][REGISTERS]) {
    for (int64_t at = 0; at < count; at++, block += KEYS) {
        __m512 columns[REGISTERS];
        for (int c = 0; c < REGISTERS; c++) columns[c] = _mm512_loadu_ps(block + c * LANES);
        for (int r = 0; r < R; r++) {
            const __m512 factor = _mm512_set1_ps(from[r * row + at]);
            for (int c = 0; c < REGISTERS; c++) sums[r][c] = _mm512_fmadd_ps(factor, columns[c], sums[r][c]);
        }
    }
}

// One head's keys and values as float32, and the scores of the queries at hand.
class Head {
  public:
    void load(const Tensor &keys, const Tensor &values, int64_t head, int64_t count) {
        count_ = count;
        keys_.resize(count_ * HEAD), values_.resize(count_ * HEAD), scores_.resize(count_ * QUERIES);
        for (int64_t key = 0; key < count_; key++) {
            unpack(values.at(key, head), values_.data() + key * HEAD);
            float numbers[HEAD];
            unpack(keys.at(key, head), numbers);
            float *block = keys_.data() + key / KEYS * KEYS * HEAD + key % KEYS;
            for (int d = 0; d < HEAD; d++) block[d * KEYS] = numbers[d];
        }
    }

    // the queries from `first` on: softmax of their scores, times the values
    template <int R>
    void attend(const Tensor &queries, Tensor &out, int64_t head, int64_t first, float scale) {
        float scaled[R][HEAD], inverse[R];
        for (int r = 0; r < R; r++) {
            const auto *query = (const float *)queries.at(first + r, head);
            for (int d = 0; d < HEAD; d++) scaled[r][d] = query[d] * scale;
        }
        __m512 most[R];
        for (auto &one : most) one = _mm512_set1_ps(-__builtin_inff());
        for (int64_t key = 0; key < count_; key += KEYS) {
            __m512 sums[R][REGISTERS];
            for (auto &one : sums)
                for (int c = 0; c < REGISTERS; c++) one[c] = _mm512_load_ps(frames.score + key + c * LANES);
            multiply<R>(scaled[0], HEAD, keys_.data() + key * HEAD, HEAD, sums);
            for (int r = 0; r < R; r++)
                for (int c = 0; c < REGISTERS; c++) {
                    _mm512_storeu_ps(scores_.data() + r * count_ + key + c * LANES, sums[r][c]);
                    most[r] = _mm512_max_ps(most[r], sums[r][c]);
                }
        }
        for (int r = 0; r < R; r++) inverse[r] = 1 / exponentiate(scores_.data() + r * count_, _mm512_reduce_max_ps(most[r]));
        __m512 sums[R][REGISTERS] = {};
        multiply<R>(scores_.data(), count_, values_.data(), count_, sums);
        for (int r = 0; r < R; r++) {
            auto *to = (float *)out.at(head, first + r);
            for (int c = 0; c < REGISTERS; c++)
                _mm512_storeu_ps(to + c * LANES, _mm512_mul_ps(sums[r][c], _mm512_set1_ps(inverse[r])));
        }
    }

    // one query of the decoder, with keys and values as they lie: one token alone would not pay for `load`
    void attend_to(const Tensor &keys, const Tensor &values, int64_t head, int64_t count, const float *query, float scale,
                   float *to) {
        count_ = count;
        scores_.resize(count);
        __m512 scaled[REGISTERS], sums[REGISTERS] = {};
        for (int c = 0; c < REGISTERS; c++)
            scaled[c] = _mm512_mul_ps(_mm512_loadu_ps(query + c * LANES), _mm512_set1_ps(scale));
        float most = -__builtin_inff();
        for (int64_t key = 0; key < count; key++) {
            __m512 sum = _mm512_setzero_ps();
            for (int c = 0; c < REGISTERS; c++) sum = _mm512_fmadd_ps(scaled[c], halves(keys.at(key, head), c), sum);
            scores_[key] = frames.score[key] + _mm512_reduce_add_ps(sum);
            most = std::max(most, scores_[key]);
        }
        const __m512 inverse = _mm512_set1_ps(1 / exponentiate(scores_.data(), most));
        for (int64_t key = 0; key < count; key++)
            for (int c = 0; c < REGISTERS; c++)
                sums[c] = _mm512_fmadd_ps(_mm512_set1_ps(scores_[key]), halves(values.at(key, head), c), sums[c]);
        for (int c = 0; c < REGISTERS; c++) _mm512_storeu_ps(to + c * LANES, _mm512_mul_ps(sums[c], inverse));
    }

  private:
    static __m512 halves(const char *row, int part) {
        return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)row + part));
    }

    static void unpack(const char *row, float *to) {
        for (int c = 0; c < REGISTERS; c++) _mm512_storeu_ps(to + c * LANES, halves(row, c));
    }

    // e^(score - most) in the scores' place, and their sum
    float exponentiate(float *scores, float most) const {
        __m512 sum = _mm512_setzero_ps();
        for (int64_t key = 0; key < count_; key += LANES) {
            const __m512 power = exponential(_mm512_sub_ps(_mm512_loadu_ps(scores + key), _mm512_set1_ps(most)));
            _mm512_storeu_ps(scores + key, power);
            sum = _mm512_add_ps(sum, power);
        }
        return _mm512_reduce_add_ps(sum);
    }

    int64_t count_ = 0;
    std::vector<float> keys_, values_, scores_;  // keys in blocks of 64, each of them dimension by dimension
};

// Whether this is attention to the encoder's frames: float32 queries, half-precision keys and values in whole blocks, and no
// mask. The decoder's, of few queries, is ggml's as long as we are told nothing about the frames.
bool is_plain_attention(const Tensor &out) {
    const Tensor &q = *out.source[0], &k = *out.source[1], &v = *out.source[2];
    const bool is_bare = !out.source[3] && !out.source[4] && out.parameter(1) == 0 && out.parameter(2) == 0;
    const bool has_types = q.type == F32 && k.type == F16 && v.type == F16;
    const bool has_heads = q.size[0] == HEAD && k.size[0] == HEAD && v.size[0] == HEAD && q.size[2] == k.size[2] &&
                           k.size[2] == v.size[2] && q.size[3] == 1 && k.size[3] == 1 && v.size[3] == 1;
    const bool has_rows = q.stride[0] == sizeof(float) && k.stride[0] == 2 && v.stride[0] == 2 && out.is_dense();
    return is_bare && has_types && has_heads && has_rows && k.size[1] == v.size[1] && k.size[1] % KEYS == 0 &&
           k.size[1] <= Frames::MOST && (frames.count ? frames.pad_to(k.size[1]) : q.size[1] >= KEYS);
}

void attend(const Share &share, Tensor &out) {
    const Tensor &queries = *out.source[0], &keys = *out.source[1], &values = *out.source[2];
    frames.attended += share.index == 0 && frames.count > 0;
    const int64_t visible = frames.count ? frames.count : keys.size[1], count = queries.size[1], heads = queries.size[2];
    const int64_t begin = heads * count * share.index / share.of, end = heads * count * (share.index + 1) / share.of;
    thread_local Head work;  // it keeps its memory
    for (int64_t at = begin; at < end;) {
        const int64_t head = at / count, limit = std::min(end - head * count, count);
        int64_t query = at - head * count;
        if (count < KEYS)
            for (; query < limit; query++)
                work.attend_to(keys, values, head, visible, (const float *)queries.at(query, head), out.parameter(0),
                               (float *)out.at(head, query));
        else
            work.load(keys, values, head, visible);
        for (; query + QUERIES <= limit; query += QUERIES)
            work.attend<QUERIES>(queries, out, head, query, out.parameter(0));
        for (; query < limit; query++) work.attend<1>(queries, out, head, query, out.parameter(0));
        at = head * count + limit;
    }
}

// x / (1 + e^-2u) with u = sqrt(2 / pi) (x + 0.044715 x^3), which is ggml's 0.5 x (1 + tanh u)
void gelu(const Share &share, Tensor &out) {
    const auto *from = (const float *)out.source[0]->data;
    auto *to = (float *)out.data;
    const size_t lines = (out.count() + LANES - 1) / LANES;
    const size_t begin = lines * share.index / share.of * LANES;
    const size_t end = std::min(lines * (share.index + 1) / share.of * LANES, out.count());
    for (size_t at = begin; at < end; at += LANES) {
        const __mmask16 mask = end - at < LANES ? (1u << (end - at)) - 1 : 0xFFFF;
        const __m512 x = _mm512_maskz_loadu_ps(mask, from + at);
        const __m512 cubic = _mm512_fmadd_ps(_mm512_mul_ps(x, x), _mm512_set1_ps(0.044715f), _mm512_set1_ps(1));
        const __m512 twice = _mm512_mul_ps(_mm512_mul_ps(x, cubic), _mm512_set1_ps(-2 * 0.79788456f));
        const __m512 bounded = _mm512_max_ps(_mm512_min_ps(twice, _mm512_set1_ps(88)), _mm512_set1_ps(-104));
        const __m512 below = _mm512_add_ps(exponential(bounded), _mm512_set1_ps(1));
        _mm512_mask_storeu_ps(to + at, mask, _mm512_div_ps(x, below));
    }
}

}  // namespace

// Before a chunk: the encoder's frames are `count`, a multiple of 64, and those from `silent` on count `times` as much.
// After it all are 0, 0 and 1. Returns how often such attention was paid since the call before.
VOICEPERF_EXPORT int voiceperf_weigh_silence(int count, int silent, float times) {
    frames.count = count;
    for (int64_t at = 0; at < Frames::MOST; at++) frames.score[at] = at < silent ? 0 : std::log(times);
    return std::exchange(frames.attended, 0);
}

VOICEPERF_EXPORT void ggml_compute_forward_flash_attn_ext(const Share *share, Tensor *out) {
    static const Library library(__builtin_return_address(0));
    static Operation *const own = library.own<Operation>("ggml_compute_forward_flash_attn_ext");
    static const bool known = is_known(library);
    const bool is_ours = known && is_plain_attention(*out);
    if (share->index == 0 && known) counts[out->source[0]->size[1] < KEYS ? ATTENTION_OF_FEW : ATTENTION].add(is_ours);
    if (is_ours)
        attend(*share, *out);
    else
        own(share, out);
}

VOICEPERF_EXPORT void ggml_compute_forward_unary(const Share *share, Tensor *out) {
    static const Library library(__builtin_return_address(0));
    static Operation *const own = library.own<Operation>("ggml_compute_forward_unary");
    static const bool known = is_known(library);
    const bool is_gelu = known && is_called(library, out->parameters[0], "GELU");
    const bool is_ours = is_gelu && out->is_dense() && out->source[0]->is_dense();
    if (share->index == 0 && is_gelu) counts[ACTIVATION].add(is_ours);
    if (is_ours)
        gelu(*share, *out);
    else
        own(share, out);
}
