/// How OpenBLAS runs, settled when this module is loaded, so that it costs the calls nothing:
///
/// - on its caller's thread. Its threaded sums are not reproducible, and a learner's own partitions
///   are what keeps the cores busy.
/// - with the kernels that this processor can run. A release knows processors by their model
///   numbers; one that is younger than the release gets the kernels of 2004 ("Prescott"), which are
///   two to three times slower (OpenBLAS issue 4267; Debian 12 does not know Intel's servers from
///   2023 on). What the processor says of itself is better.
#include <stdlib.h>
#include <string.h>

#include "blas_start.h"

extern char **environ;

extern void openblas_set_num_threads(int count);
extern char *openblas_get_corename(void);

/// Ends the threads that OpenBLAS has started when it was loaded: they would spin for the next
/// 25 ms beside who reads and who learns. What OpenBLAS itself does before a fork; not all builds
/// have it.
extern int blas_thread_shutdown_(void) __attribute__((weak));

/// Forget which kernels are run, and choose them: what OpenBLAS does at its own end and start.
/// Builds for one processor do not have them.
extern void gotoblas_dynamic_quit(void) __attribute__((weak));
extern void gotoblas_dynamic_init(void) __attribute__((weak));

const char *millrace_blas_core(void) { return openblas_get_corename(); }

#if defined(__x86_64__)
/// Chooses kernels by what the processor can do, where OpenBLAS took its oldest for want of a name.
static void choose_kernels(void) {
  if (!gotoblas_dynamic_init || !gotoblas_dynamic_quit) return;
  if (getenv("OPENBLAS_CORETYPE") || strcmp(openblas_get_corename(), "Prescott") != 0) return;
  __builtin_cpu_init();
  char *choice[] = {NULL, NULL};
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq")) {
    choice[0] = "OPENBLAS_CORETYPE=SkylakeX";
  } else if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    choice[0] = "OPENBLAS_CORETYPE=Haswell";
  }
  if (!choice[0]) return;
  // Not by `setenv`, which moves the environment: Swift finds the arguments in front of it.
  char **const own = environ;
  environ = choice;
  gotoblas_dynamic_quit();
  gotoblas_dynamic_init();
  environ = own;
}
#else
static void choose_kernels(void) {}
#endif

__attribute__((constructor)) static void start_openblas(void) {
  openblas_set_num_threads(1);
  if (blas_thread_shutdown_) blas_thread_shutdown_();
  choose_kernels();
}
