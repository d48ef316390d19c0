// What our functions in the place of ggml's need to know of it.
//
// A library of ours is one .cpp with its headers, so an anonymous namespace serves in a header too: it exports nothing.

#ifndef VOICEPERF_GGML_HPP
#define VOICEPERF_GGML_HPP

#include <dlfcn.h>

#include <cstdint>

namespace {

// How the first part of ggml_compute_params lies in memory.
struct Share {
    int index, of;
};

// The library that a function was called from; ggml's own functions are in it, behind ours.
class Library {
  public:
    explicit Library(const void *caller) {
        Dl_info info;
        if (dladdr(caller, &info)) handle_ = dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
    }
    // null where there is none
    template <class Function>
    Function *own(const char *name) const {
        return handle_ ? (Function *)dlsym(handle_, name) : nullptr;
    }

  private:
    void *handle_ = nullptr;
};

enum Type { F32 = 0, F16 = 1, TYPE_Q4_1 = 3, TYPE_Q8_0 = 8, TYPE_Q8_1 = 9 };

// Blocks of 32 values and a half-precision scale.
struct Q8_0 {  // value * scale
    uint16_t scale;
    int8_t values[32];
};

struct Q8_1 {  // the same; `sum` is that of the 32 products
    uint16_t scale, sum;
    int8_t values[32];
};

struct Q4_1 {  // value * scale + least; the first 16 values are the low halves of the bytes
    uint16_t scale, least;
    uint8_t values[16];
};

static_assert(sizeof(Q8_0) == 34 && sizeof(Q8_1) == 36 && sizeof(Q4_1) == 20, "no padding");

}  // namespace

#endif
