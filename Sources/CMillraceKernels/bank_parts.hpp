#ifndef MILLRACE_BANK_PARTS_HPP
#define MILLRACE_BANK_PARTS_HPP

#include "bank_ferns.hpp"
#include "bank_head.hpp"
#include "bank_horizon.hpp"
#include "bank_place.hpp"
#include "bank_rates.hpp"
#include "bank_wide.hpp"

/// The experts.
struct ExpertParts {
  Filters<8> filters;
  Rates<8> rates;
  /// No inputs where there is no wide group.
  WideFilters wide;

  ExpertParts(size_t columns, size_t wideColumns, float *filters, float *rates, float *wide)
      : filters{columns, reinterpret_cast<Eight *>(filters)},
        rates{columns, reinterpret_cast<Eight *>(rates)},
        wide{wideColumns, reinterpret_cast<Four *>(wide)} {}

  /// The same with the number of columns as the compiler knows it.
  MILLRACE_MEMBER ExpertParts with(size_t columns) const {
    ExpertParts result = *this;
    result.filters.d = result.rates.d = columns;
    return result;
  }
};

/// The experts' weights at the start of a horizon's block.
struct Snapshot {
  Eight *averages, *filters, *rates;
  Four *wide;
  Two *ferns;

  /// Whole registers, so that the next snapshot is aligned.
  static size_t size(size_t columns, size_t wideColumns, size_t fernCount) {
    return 16 * (1 + columns) + 4 * WideFilters::padded(wideColumns) +
           Ferns::weightsSize(fernCount);
  }
};

/// The parts of a `millrace_bank`.
struct BankParts {
  ExpertParts experts;
  Ferns ferns;
  Head head;
  WidePlace place;
  millrace_bank bank;

  explicit BankParts(const millrace_bank &bank)
      : experts(bank.columns, bank.wide ? millrace_bank_basis_width(&bank.basis) : 0, bank.filters,
                bank.rates, bank.wide),
        ferns{bank.basis.ferns, reinterpret_cast<Four *>(bank.ferns)},
        head{reinterpret_cast<Lanes *>(bank.head)},
        place(head.row + MILLRACE_HEAD_PLACE, experts.wide.d),
        bank(bank) {}

  Horizon horizon(int index) const {
    return {reinterpret_cast<Lanes *>(bank.horizons) + index * MILLRACE_HORIZON_ROWS};
  }

  Snapshot snapshot(int horizon) const {
    const size_t size = Snapshot::size(bank.columns, experts.wide.d, ferns.basis.count);
    Eight *averages = reinterpret_cast<Eight *>(bank.snapshots + horizon * size);
    Eight *filters = averages + 2, *rates = filters + bank.columns;
    Four *wide = reinterpret_cast<Four *>(rates + bank.columns);
    Two *cells = reinterpret_cast<Two *>(wide + WideFilters::padded(experts.wide.d));
    return {averages, filters, rates, wide, cells};
  }
};

#endif
