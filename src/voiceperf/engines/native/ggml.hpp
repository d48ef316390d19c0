// What our functions in the place of ggml's need of the library that called them. It stands before each of them.

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

}  // namespace
