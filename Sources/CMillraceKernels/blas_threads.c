/// OpenBLAS runs on its caller's thread, from before the first call: its threaded sums are not
/// reproducible, and a learner's own partitions are what keeps the cores busy. As a constructor it
/// costs the calls nothing.
extern void openblas_set_num_threads(int count);

__attribute__((constructor)) static void run_openblas_on_one_thread(void) {
  openblas_set_num_threads(1);
}
