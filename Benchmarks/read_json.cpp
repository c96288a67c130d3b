// Reads every number of a file of JSON lines by simdjson, on one thread, and prints their sum.
#include <fcntl.h>
#include <simdjson.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <iostream>

int main(int, char **arguments) {
  int file = open(arguments[1], O_RDONLY);
  struct stat status;
  if (fstat(file, &status) != 0) return 1;
  size_t size = status.st_size;
  // simdjson reads a little beyond the end, where the file is mapped over memory of its own.
  void *memory = mmap(nullptr, size + simdjson::SIMDJSON_PADDING, PROT_READ,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mmap(memory, size, PROT_READ, MAP_PRIVATE | MAP_FIXED, file, 0) == MAP_FAILED) return 1;
  simdjson::ondemand::parser parser;
  simdjson::ondemand::document_stream documents =
      parser.iterate_many(static_cast<const uint8_t *>(memory), size, 1 << 20);
  double sum = 0;
  for (auto document : documents) {
    for (auto field : document.get_object()) sum += double(field.value());
  }
  std::cout << sum << '\n';
}
