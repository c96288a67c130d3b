/// OpenBLAS runs on its caller's thread, from before the first call: its threaded sums are not
/// reproducible, and a learner's own partitions are what keeps the cores busy. As a constructor it
/// costs the calls nothing.
extern void openblas_set_num_threads(int count);

/// Ends the threads that OpenBLAS has started when it was loaded: they would spin for the next
/// 25 ms beside who reads and who learns. What OpenBLAS itself does before a fork; not all builds
/// have it.
extern int blas_thread_shutdown_(void) __attribute__((weak));

__attribute__((constructor)) static void run_openblas_on_one_thread(void) {
  openblas_set_num_threads(1);
  if (blas_thread_shutdown_) blas_thread_shutdown_();
}
