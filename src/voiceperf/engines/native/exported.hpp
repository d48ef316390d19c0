// What others may see of a library of ours. All else is hidden, so that nothing replaces what it should not.

#ifndef VOICEPERF_EXPORTED_HPP
#define VOICEPERF_EXPORTED_HPP

#define VOICEPERF_EXPORT extern "C" __attribute__((visibility("default")))

#endif
