# Read by CMake right after llama-cpp-python's `project()`: a plain variable shadows the cached one that its
# CMakeLists.txt forces on, so llama.cpp's helper library, which the bindings never load, is not built.
set(LLAMA_BUILD_COMMON OFF)
