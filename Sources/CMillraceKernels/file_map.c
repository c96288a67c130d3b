#include "file_map.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <unistd.h>

/// A place for a map: `length` is 0 where there is none, and written last, so that whoever sees it
/// sees where it starts.
struct millrace_file_map {
  atomic_bool used, damaged;
  _Atomic(uintptr_t) start;
  _Atomic(size_t) length;
  const uint8_t *bytes;
};

/// The handler may neither wait nor allocate: the places are there from the beginning. They also
/// bound how much of the process's memory are files.
enum { capacity = 64 };
static millrace_file_map maps[capacity];

static struct sigaction previous;
static size_t page;

/// Puts a page of zeros where the file no longer is; false when no map holds the address.
static int mend(uintptr_t address) {
  int found = 0;
  for (size_t i = 0; i < capacity; i++) {
    size_t length = atomic_load(&maps[i].length), from = address - atomic_load(&maps[i].start);
    if (from >= length) continue;
    // Two match where another thread changes one just now. The one that was touched does not
    // change, so that it is marked in any case.
    atomic_store(&maps[i].damaged, true);
    found = 1;
  }
  void *lost = (void *)(address & ~(uintptr_t)(page - 1));
  int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
  return found && mmap(lost, page, PROT_READ, flags, -1, 0) != MAP_FAILED;
}

static void handle(int signal, siginfo_t *info, void *context) {
  int error = errno;
  int is_mended = info->si_code > 0 && mend((uintptr_t)info->si_addr);
  errno = error;
  if (is_mended) return;
  if (previous.sa_flags & SA_SIGINFO) {
    previous.sa_sigaction(signal, info, context);
  } else if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) {
    previous.sa_handler(signal);
  } else {  // As if this handler had never been there: raised again, it comes when this returns.
    sigaction(SIGBUS, &previous, NULL);
    raise(SIGBUS);
  }
}

static void install(void) {
  page = (size_t)sysconf(_SC_PAGESIZE);
  struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO | SA_ONSTACK};
  sigaction(SIGBUS, &action, &previous);
}

millrace_file_map *millrace_map(int file, int64_t offset, size_t length) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, install);
  for (size_t i = 0; i < capacity; i++) {
    millrace_file_map *map = &maps[i];
    if (atomic_exchange(&map->used, true)) continue;
    size_t before = (size_t)offset % page;
    void *start = mmap(NULL, before + length, PROT_READ, MAP_SHARED, file, offset - (off_t)before);
    if (start == MAP_FAILED) {
      atomic_store(&map->used, false);
      return NULL;
    }
    madvise(start, before + length, MADV_SEQUENTIAL);
    map->bytes = (uint8_t *)start + before;
    atomic_store(&map->damaged, false);
    atomic_store(&map->start, (uintptr_t)start);
    atomic_store(&map->length, before + length);
    return map;
  }
  return NULL;
}

const uint8_t *millrace_mapped_bytes(const millrace_file_map *map) { return map->bytes; }

int millrace_map_is_damaged(const millrace_file_map *map) { return atomic_load(&map->damaged); }

void millrace_unmap(millrace_file_map *map) {
  void *start = (void *)atomic_load(&map->start);
  size_t length = atomic_exchange(&map->length, 0);
  munmap(start, length);
  atomic_store(&map->used, false);
}
