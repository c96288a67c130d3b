#ifndef MILLRACE_BLAS_START_H
#define MILLRACE_BLAS_START_H

#ifdef __cplusplus
extern "C" {
#endif

/// The processor whose kernels OpenBLAS runs, by OpenBLAS's own name: "SkylakeX", "Zen".
const char *millrace_blas_core(void);

#ifdef __cplusplus
}
#endif
#endif
