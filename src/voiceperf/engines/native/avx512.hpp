// The processor's vectors of 512 bits. Where an instruction overwrites all of a register, GCC's header for them hands it one
// whose value it leaves open, and GCC 12 takes that for a mistake (its bug 105593). Only that header is excused.

#ifndef VOICEPERF_AVX512_HPP
#define VOICEPERF_AVX512_HPP

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#ifndef __clang__  // which does not know this one
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
#pragma GCC diagnostic pop

#endif
