// llama.cpp's library: products of quantised matrices, and nothing else.

#include "matrix_products.hpp"
