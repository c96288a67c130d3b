// Nanoseconds a record of the binary bank's kernel, `--basis linear` and 6 columns, as it was
// compiled for a kind of processor: to predict and learn, and to predict where no label comes.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <random>
#include <vector>

#include "bank.h"

namespace {

const size_t rows = 200'000, columns = 7, block = 64;

float *lanes(size_t count) {
  return static_cast<float *>(aligned_alloc(64, (count * sizeof(float) + 63) / 64 * 64));
}

template <typename Work>
double nanoseconds(Work work) {
  double best = 1e9;
  for (int turn = 0; turn < 20; turn++) {
    const auto start = std::chrono::steady_clock::now();
    work();
    const std::chrono::duration<double, std::nano> taken = std::chrono::steady_clock::now() - start;
    best = std::min(best, taken.count() / rows);
  }
  return best;
}

}  // namespace

int main() {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> features, weights(rows, 1);
  std::vector<double> labels, probabilities(rows);
  for (size_t i = 0; i < rows; i++) {
    float score = 0;
    for (size_t j = 0; j + 1 < columns; j++) {
      features.push_back(normal(random));
      score += features.back() * (j % 2 ? 1 : -.5f);
    }
    features.push_back(1);
    labels.push_back(score + normal(random) > 0);
  }
  millrace_bank bank = {};
  bank.columns = columns;
  bank.filters = lanes(millrace_bank_filters_size(columns));
  bank.rates = lanes(millrace_bank_rates_size(columns));
  bank.head = lanes(millrace_bank_head_size());
  bank.horizons = lanes(millrace_bank_horizons_size());
  bank.snapshots = lanes(MILLRACE_BANK_HORIZONS * millrace_bank_snapshot_size(columns, 0, 0));
  std::cout << nanoseconds([&] {
    millrace_bank_start(&bank);
    for (size_t i = 0; i < rows; i += block) {
      bank.rowCount = i;
      millrace_bank_learn(&bank, &features[i * columns], std::min(block, rows - i), columns,
                          &labels[i], &weights[i], &probabilities[i]);
    }
  }) << ' ' << nanoseconds([&] {
    millrace_bank_predict(&bank, features.data(), rows, columns, true, probabilities.data());
  }) << '\n';
}
