// ggml hands out a matrix to its threads in pieces of 64 rows, first come first served. With small models two threads
// then read alternating pieces of some 40 kB, and the hardware prefetcher of each runs into the other's piece: memory
// bandwidth drops by almost half. On a machine with several NUMA nodes ggml gives each thread one contiguous piece
// instead. This answer makes it do so everywhere. Attention is then divided so, too, and a mapped model file is
// not read ahead. Threads are not bound to nodes, which takes a NUMA strategy, and that stays disabled.

#include <dlfcn.h>
#include <pthread.h>

#include "counted.hpp"

VOICEPERF_EXPORT bool ggml_is_numa() {
    counts[SPLIT].add(true);
    return true;
}

// After each graph ggml frees its thread for all processors that it counted. It counted none, and would complain each time.
VOICEPERF_EXPORT int pthread_setaffinity_np(pthread_t thread, size_t size, const cpu_set_t *processors) noexcept {
    using Set = int(pthread_t, size_t, const cpu_set_t *);
    static Set *const own = (Set *)dlsym(RTLD_NEXT, "pthread_setaffinity_np");
    return size == 0 ? 0 : own(thread, size, processors);
}
