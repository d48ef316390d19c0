// Operators of ONNX Runtime for the part of a Kokoro model that takes the time: convolutions of quantised weights by AVX-512
// VNNI, instance norms, and the snake activation. `kokoro_graph.py` puts them in the place of the nodes they do the work of.
//
// A convolution's sums are integers and its scaling is ONNX Runtime's, so it gives the same bits as the nodes it replaces. The
// last bits of the others differ from ONNX Runtime's. No result depends on the number of threads.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <vector>

#include "avx512.hpp"
#include "exported.hpp"
#include "onnxruntime.hpp"

namespace {

constexpr int LANES = 16;

// the lanes of the last, partly filled step
__mmask16 lanes_of(int64_t count) { return count >= LANES ? 0xFFFF : (__mmask16)((1u << count) - 1); }

// x (1, C, T), weights (O, C, K), their zero point and scale, bias (O) -> (1, O, T). Strides of 1; the padding keeps T.
struct QuantisedConv {
    static constexpr const char *name = "QuantisedConv";
    static constexpr int inputs[] = {1, 2, 2, 1, 1};  // as ONNX numbers types: 1 float, 2 uint8
    static constexpr int ROWS = 8, STEPS = 3, COLUMNS = STEPS * LANES;  // of a tile: its sums fill 24 of 32 registers
    static constexpr int64_t TILES = 8;                                 // of one unit of work
    static constexpr int GROUP = 4;                                     // channels that one multiplication takes

    std::once_flag once;
    std::vector<int8_t> packed;        // [O / ROWS][C / GROUP][K][ROWS][GROUP], weights less 128
    std::vector<int32_t> sums;         // of each row's packed weights

    int64_t dilation = 1;

    QuantisedConv(const Api &api, const Handle *info) {
        size_t count = 1;
        api.demand(KernelInfoGetAttributeArray_int64, info, "dilations", &dilation, &count);
    }

    void pack(const uint8_t *weights, int64_t rows, int64_t channels, int64_t taps) {
        const int64_t groups = (channels + GROUP - 1) / GROUP;
        packed.assign((rows + ROWS - 1) / ROWS * groups * taps * ROWS * GROUP, 0);
        sums.assign((rows + ROWS - 1) / ROWS * ROWS, 0);
        for (int64_t row = 0; row < rows; row++)
            for (int64_t channel = 0; channel < channels; channel++)
                for (int64_t tap = 0; tap < taps; tap++) {
                    const int weight = weights[(row * channels + channel) * taps + tap] - 128;
                    const int64_t at = ((row / ROWS * groups + channel / GROUP) * taps + tap) * ROWS + row % ROWS;
                    packed[at * GROUP + channel % GROUP] = (int8_t)weight;
                    sums[row] += weight;
                }
    }

    void compute(const Context &context) {
        const Tensor x = context.input(0), w = context.input(1);
        const int64_t channels = x.shape[1], times = x.shape[2], rows = w.shape[0], taps = w.shape[2];
        const int weight_zero = *context.input(2).as<uint8_t>();
        const float weight_scale = *context.input(3).as<float>();
        const Tensor bias = context.input(4);
        float *out = context.output({1, rows, times});
        std::call_once(once, [&] { pack(w.as<uint8_t>(), rows, channels, taps); });

        const int64_t groups = (channels + GROUP - 1) / GROUP, pad = dilation * (taps - 1) / 2;
        const int64_t tiles_across = (times + COLUMNS - 1) / COLUMNS;
        const int64_t length = tiles_across * COLUMNS + 2 * pad;
        static thread_local std::vector<uint8_t> scratch;  // one for all convolutions
        scratch.resize(std::max<size_t>(scratch.size(), groups * length * GROUP));
        uint8_t *const activations = scratch.data();  // [C / GROUP][length][GROUP]

        std::vector<float> least(channels), most(channels);
        context.parallel(channels, [&](size_t channel) {
            extent(x.as<float>() + channel * times, times, least[channel], most[channel]);
        });
        const float low = std::min(0.0f, *std::min_element(least.begin(), least.end()));
        const float high = std::max(0.0f, *std::max_element(most.begin(), most.end()));
        const float scale = high == low ? 1.0f : (high - low) / 255.0f;
        const int zero = (int)std::nearbyint(std::clamp(0.0f - low / scale, 0.0f, 255.0f));

        context.parallel(groups, [&](size_t group) {
            const int64_t real = std::min<int64_t>(GROUP, channels - group * GROUP);
            uint32_t nothing = 0;  // what stands for no sound, and none of it in channels that are not there
            for (int64_t channel = 0; channel < real; channel++) nothing |= (uint32_t)zero << channel * 8;
            auto *to = (uint32_t *)(activations + group * length * GROUP);
            std::fill_n(to, pad, nothing);
            quantise(x.as<float>() + group * GROUP * times, times, real, scale, zero, to + pad);
            std::fill(to + pad + times, to + length, nothing);
        });

        const float out_scale = scale * weight_scale;
        const int rest = 128 - weight_zero;  // (w - weight_zero) = (w - 128) + rest
        std::vector<int32_t> added(sums.size());
        for (int64_t row = 0; row < rows; row++)
            added[row] = (int32_t)std::floor(bias.as<float>()[row] / out_scale) -
                         zero * (sums[row] + rest * (int32_t)(channels * taps));

        const int64_t tiles_down = (rows + ROWS - 1) / ROWS, units_down = (tiles_down + TILES - 1) / TILES;
        context.parallel(units_down * tiles_across, [&](size_t unit) {
            const int64_t time = (int64_t)unit / units_down * COLUMNS;
            const int64_t first = (int64_t)unit % units_down * TILES, last = std::min(first + TILES, tiles_down);
            const uint8_t *from = activations + time * GROUP;
            __m512i column_sums[STEPS];
            sum_columns(from, groups, taps, length, rest, column_sums);
            for (int64_t tile = first; tile < last; tile++)
                multiply(from, packed.data() + tile * groups * taps * ROWS * GROUP, groups, taps, length, column_sums,
                         added.data() + tile * ROWS, out_scale, std::min<int64_t>(ROWS, rows - tile * ROWS),
                         out + tile * ROWS * times + time, times, times - time);
        });
    }

    static void extent(const float *x, int64_t count, float &least, float &most) {
        __m512 low = _mm512_setzero_ps(), high = low;
        for (int64_t at = 0; at < count; at += LANES) {
            const __m512 values = _mm512_maskz_loadu_ps(lanes_of(count - at), x + at);
            low = _mm512_min_ps(low, values);
            high = _mm512_max_ps(high, values);
        }
        least = _mm512_reduce_min_ps(low);
        most = _mm512_reduce_max_ps(high);
    }

    // `channels` (at most GROUP) rows of x side by side, as bytes
    static void quantise(const float *x, int64_t times, int64_t channels, float scale, int zero, uint32_t *to) {
        const __m512 divisor = _mm512_set1_ps(scale);
        const __m512 low = _mm512_set1_ps((float)-zero), high = _mm512_set1_ps((float)(255 - zero));
        for (int64_t at = 0; at < times; at += LANES) {
            const __mmask16 lanes = lanes_of(times - at);
            __m512i all = _mm512_setzero_si512();
            for (int64_t channel = 0; channel < channels; channel++) {
                __m512 value = _mm512_div_ps(_mm512_maskz_loadu_ps(lanes, x + channel * times + at), divisor);
                value = _mm512_min_ps(_mm512_max_ps(value, low), high);
                const __m512i byte = _mm512_add_epi32(_mm512_cvtps_epi32(value), _mm512_set1_epi32(zero));
                all = _mm512_or_si512(all, _mm512_sll_epi32(byte, _mm_cvtsi32_si128((int)channel * 8)));
            }
            _mm512_mask_storeu_epi32(to + at, lanes, all);
        }
    }

    // what a column of activations is worth beside one weight of `rest`
    void sum_columns(const uint8_t *from, int64_t groups, int64_t taps, int64_t length, int rest, __m512i *sums) const {
        const __m512i ones = _mm512_set1_epi8(1);
        for (int step = 0; step < STEPS; step++) sums[step] = _mm512_setzero_si512();
        for (int64_t group = 0; group < groups; group++, from += length * GROUP)
            for (int64_t tap = 0; tap < taps; tap++)
                for (int step = 0; step < STEPS; step++)
                    sums[step] = _mm512_dpbusd_epi32(sums[step], load(from + (tap * dilation + step * LANES) * GROUP), ones);
        for (int step = 0; step < STEPS; step++) sums[step] = _mm512_mullo_epi32(sums[step], _mm512_set1_epi32(rest));
    }
    static __m512i load(const uint8_t *at) { return _mm512_loadu_si512(at); }

    void multiply(const uint8_t *from, const int8_t *weights, int64_t groups, int64_t taps, int64_t length,
                  const __m512i *column_sums, const int32_t *added, float scale, int64_t rows, float *out, int64_t stride,
                  int64_t times) const {
        __m512i total[ROWS][STEPS];
        for (int row = 0; row < ROWS; row++)
            for (int step = 0; step < STEPS; step++)
                total[row][step] = _mm512_add_epi32(column_sums[step], _mm512_set1_epi32(added[row]));
        for (int64_t group = 0; group < groups; group++, from += length * GROUP)
            for (int64_t tap = 0; tap < taps; tap++, weights += ROWS * GROUP) {
                const uint8_t *at = from + tap * dilation * GROUP;
                const __m512i first = load(at), second = load(at + LANES * GROUP), third = load(at + 2 * LANES * GROUP);
                for (int row = 0; row < ROWS; row++) {
                    int32_t four;
                    std::memcpy(&four, weights + row * GROUP, sizeof four);
                    const __m512i weight = _mm512_set1_epi32(four);
                    total[row][0] = _mm512_dpbusd_epi32(total[row][0], first, weight);
                    total[row][1] = _mm512_dpbusd_epi32(total[row][1], second, weight);
                    total[row][2] = _mm512_dpbusd_epi32(total[row][2], third, weight);
                }
            }
        for (int64_t row = 0; row < rows; row++)
            for (int step = 0; step < STEPS && step * LANES < times; step++)
                _mm512_mask_storeu_ps(out + row * stride + step * LANES, lanes_of(times - step * LANES),
                                      _mm512_mul_ps(_mm512_cvtepi32_ps(total[row][step]), _mm512_set1_ps(scale)));
    }
};

// x (1, C, T) -> each channel less its mean, over its deviation
struct InstanceNorm {
    static constexpr const char *name = "InstanceNorm";
    static constexpr int inputs[] = {1, 1};

    InstanceNorm(const Api &, const Handle *) {}

    void compute(const Context &context) {
        const Tensor x = context.input(0);
        const float epsilon = *context.input(1).as<float>();
        const int64_t times = x.shape[2];
        float *out = context.output(x.shape);
        context.parallel(x.shape[1], [&](size_t channel) {
            const float *from = x.as<float>() + channel * times;
            const float mean = (float)(sum(from, times, 0.0f, false) / (double)times);
            const float variance = (float)(sum(from, times, mean, true) / (double)times);
            const __m512 deviation = _mm512_set1_ps(std::sqrt(variance + epsilon));
            for (int64_t at = 0; at < times; at += LANES) {
                const __mmask16 lanes = lanes_of(times - at);
                const __m512 value = _mm512_sub_ps(_mm512_maskz_loadu_ps(lanes, from + at), _mm512_set1_ps(mean));
                _mm512_mask_storeu_ps(out + channel * times + at, lanes, _mm512_div_ps(value, deviation));
            }
        });
    }

    // of the values less `mean`, or of their squares
    static double sum(const float *x, int64_t count, float mean, bool squares) {
        __m512 sums[4] = {};
        for (int64_t at = 0; at < count; at += LANES) {
            const __mmask16 lanes = lanes_of(count - at);
            const __m512 value = _mm512_maskz_sub_ps(lanes, _mm512_maskz_loadu_ps(lanes, x + at), _mm512_set1_ps(mean));
            __m512 &total = sums[at / LANES % 4];
            total = squares ? _mm512_fmadd_ps(value, value, total) : _mm512_add_ps(value, total);
        }
        double all = 0;
        for (const __m512 &part : sums) all += _mm512_reduce_add_ps(part);
        return all;
    }
};

// x (1, C, T), factor, shift, alpha and inverse (1, C, 1): y = x * factor + shift; y + inverse * sin(alpha * y)^2
struct Snake {
    static constexpr const char *name = "Snake";
    static constexpr int inputs[] = {1, 1, 1, 1, 1};

    Snake(const Api &, const Handle *) {}

    void compute(const Context &context) {
        const Tensor x = context.input(0);
        const float *factor = context.input(1).as<float>(), *shift = context.input(2).as<float>();
        const float *alpha = context.input(3).as<float>(), *inverse = context.input(4).as<float>();
        const int64_t times = x.shape[2];
        float *out = context.output(x.shape);
        context.parallel(x.shape[1], [&](size_t channel) {
            const float *from = x.as<float>() + channel * times;
            const __m512 f = _mm512_set1_ps(factor[channel]), s = _mm512_set1_ps(shift[channel]);
            const __m512 a = _mm512_set1_ps(alpha[channel]), i = _mm512_set1_ps(inverse[channel]);
            for (int64_t at = 0; at < times; at += LANES) {
                const __mmask16 lanes = lanes_of(times - at);
                const __m512 y = _mm512_add_ps(_mm512_mul_ps(_mm512_maskz_loadu_ps(lanes, from + at), f), s);
                const __m512 sine = sine_or_its_negative(_mm512_mul_ps(a, y));
                _mm512_mask_storeu_ps(out + channel * times + at, lanes,
                                      _mm512_add_ps(y, _mm512_mul_ps(i, _mm512_mul_ps(sine, sine))));
            }
        });
    }

    // Squared, the sign is lost, so any multiple of pi may be taken away; what is left has a Taylor series of six terms.
    static __m512 sine_or_its_negative(__m512 x) {
        const __m512 turns = _mm512_roundscale_ps(_mm512_mul_ps(x, _mm512_set1_ps(0.318309886f)), 0);
        x = _mm512_fnmadd_ps(turns, _mm512_set1_ps(3.14159274f), x);      // pi as a float
        x = _mm512_fnmadd_ps(turns, _mm512_set1_ps(-8.74227766e-8f), x);  // and what that is short of
        const __m512 square = _mm512_mul_ps(x, x);
        __m512 series = _mm512_set1_ps(-1.0f / 39916800);
        for (const float term : {1.0f / 362880, -1.0f / 5040, 1.0f / 120, -1.0f / 6})
            series = _mm512_fmadd_ps(series, square, _mm512_set1_ps(term));
        return _mm512_fmadd_ps(_mm512_mul_ps(series, square), x, x);
    }
};

}  // namespace

VOICEPERF_EXPORT Handle *RegisterCustomOps(Handle *options, const ApiBase *base) {
    static const Operator operators[] = {described<QuantisedConv>(), described<InstanceNorm>(), described<Snake>()};
    const Api *api = base->api();
    Handle *domain = nullptr;
    if (Handle *wrong = api->call(CreateCustomOpDomain, "voiceperf", &domain)) return wrong;
    for (const Operator &op : operators)
        if (Handle *wrong = api->call(CustomOpDomain_Add, domain, &op)) return wrong;
    return api->call(AddCustomOpDomain, options, domain);
}
