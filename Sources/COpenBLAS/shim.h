#pragma once

// Debian splits them: OpenBLAS brings cblas.h, LAPACKE its own library.
#include <cblas.h>
#include <lapacke.h>
