#ifndef MILLRACE_CLONES_H
#define MILLRACE_CLONES_H

/// One binary for every processor: the dynamic linker picks the widest version the machine has.
/// Results may differ between these versions in the last digits, so bit-for-bit reproduction
/// holds on one kind of processor.
#if defined(__x86_64__) && defined(__linux__)
#define MILLRACE_CLONES \
  __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define MILLRACE_CLONES
#endif

#endif
