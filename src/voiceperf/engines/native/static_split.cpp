// ggml hands out a matrix to its threads in pieces of 64 rows, first come first served. With small models two threads
// then read alternating pieces of some 40 kB, and the hardware prefetcher of each runs into the other's piece: memory
// bandwidth drops by almost half. On a machine with several NUMA nodes ggml gives each thread one contiguous piece
// instead. This answer makes it do so everywhere. Attention is then divided so, too, and a mapped model file is
// not read ahead. Thread affinity also asks for a NUMA strategy, which stays disabled.

extern "C" bool ggml_is_numa() {
    return true;
}
