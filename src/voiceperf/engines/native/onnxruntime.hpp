// What an operator of ours needs to know of ONNX Runtime: tensors, threads, and how an operator is described.

#ifndef VOICEPERF_ONNXRUNTIME_HPP
#define VOICEPERF_ONNXRUNTIME_HPP

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <stdexcept>
#include <vector>

namespace {

// ONNX Runtime hands out its C API as a table that only ever grows at its end; these are places in it
// (include/onnxruntime/core/session/onnxruntime_c_api.h). ParallelFor is the newest, of version 17.
constexpr uint32_t API_VERSION = 17;
enum Place {
    GetErrorMessage = 2,
    CreateCustomOpDomain = 26,
    CustomOpDomain_Add = 27,
    AddCustomOpDomain = 28,
    GetTensorMutableData = 51,
    GetDimensionsCount = 61,
    GetDimensions = 62,
    GetTensorTypeAndShape = 65,
    KernelContext_GetInput = 90,
    KernelContext_GetOutput = 91,
    ReleaseTensorTypeAndShapeInfo = 99,
    KernelInfoGetAttributeArray_int64 = 163,
    KernelContext_ParallelFor = 274,
};

struct Handle;  // whatever ONNX Runtime points to
struct Api {
    void *functions[KernelContext_ParallelFor + 1];

    // every function but a release returns null, or what went wrong
    template <class... Arguments>
    Handle *call(Place place, Arguments... arguments) const {
        return ((Handle * (*)(Arguments...)) functions[place])(arguments...);
    }
    // the same, where nothing may go wrong; ONNX Runtime makes the run's failure of what is thrown
    template <class... Arguments>
    void demand(Place place, Arguments... arguments) const {
        if (const Handle *wrong = call(place, arguments...))
            throw std::runtime_error(((const char *(*)(const Handle *))functions[GetErrorMessage])(wrong));
    }
};

struct Tensor {
    void *data = nullptr;
    std::vector<int64_t> shape;

    template <class T>
    T *as() const {
        return (T *)data;
    }
};

struct Context {
    const Api &api;
    Handle *handle;

    Tensor input(size_t index) const {
        const Handle *value = nullptr;
        api.demand(KernelContext_GetInput, (const Handle *)handle, index, &value);
        Handle *info = nullptr;
        size_t count = 0;
        Tensor found;
        api.demand(GetTensorTypeAndShape, value, &info);
        api.demand(GetDimensionsCount, (const Handle *)info, &count);
        found.shape.resize(count);
        api.demand(GetDimensions, (const Handle *)info, found.shape.data(), count);
        api.call(ReleaseTensorTypeAndShapeInfo, info);
        api.demand(GetTensorMutableData, (Handle *)value, &found.data);
        return found;
    }
    float *output(const std::vector<int64_t> &shape) const {
        Handle *value = nullptr;
        void *data = nullptr;
        api.demand(KernelContext_GetOutput, handle, (size_t)0, shape.data(), shape.size(), &value);
        api.demand(GetTensorMutableData, value, &data);
        return (float *)data;
    }
    // calls `part(0)` to `part(count - 1)`, on the session's threads
    template <class Part>
    void parallel(size_t count, const Part &part) const {
        void (*const one)(void *, size_t) = [](void *part, size_t index) { (*(const Part *)part)(index); };
        api.demand(KernelContext_ParallelFor, (const Handle *)handle, one, count, (size_t)0, (void *)&part);
    }
};

// How ONNX Runtime wants an operator described, as far as that goes without later additions.
struct Operator {
    uint32_t version;
    void *(*create)(const Operator *, const Api *, const Handle *info);
    const char *(*name)(const Operator *);
    const char *(*provider)(const Operator *);
    int (*input_type)(const Operator *, size_t);
    size_t (*input_count)(const Operator *);
    int (*output_type)(const Operator *, size_t);
    size_t (*output_count)(const Operator *);
    void (*compute)(void *, Handle *);
    void (*destroy)(void *);
    int (*input_characteristic)(const Operator *, size_t);
    int (*output_characteristic)(const Operator *, size_t);
};

template <class Kernel>
struct Made {
    const Api &api;
    Kernel kernel;
};

template <class Kernel>
Operator described() {
    Operator op{};
    op.version = 10;  // whose description ends where ours does
    op.create = [](const Operator *, const Api *api, const Handle *info) -> void * {
        return new Made<Kernel>{*api, Kernel(*api, info)};
    };
    op.name = [](const Operator *) { return Kernel::name; };
    op.provider = [](const Operator *) -> const char * { return nullptr; };
    op.input_type = [](const Operator *, size_t index) { return Kernel::inputs[index]; };
    op.input_count = [](const Operator *) { return std::size(Kernel::inputs); };
    op.output_type = [](const Operator *, size_t) { return 1; };
    op.output_count = [](const Operator *) { return (size_t)1; };
    op.compute = [](void *made, Handle *context) {
        auto *one = (Made<Kernel> *)made;
        one->kernel.compute(Context{one->api, context});
    };
    op.destroy = [](void *made) { delete (Made<Kernel> *)made; };
    op.input_characteristic = [](const Operator *, size_t) { return 0; };
    op.output_characteristic = [](const Operator *, size_t) { return 0; };
    return op;
}

struct ApiBase {
    const Api *(*get)(uint32_t version);
    const char *(*version)();

    const Api *api() const { return get(API_VERSION); }
};

}  // namespace

#endif
