#pragma once

#include <vector>

#include "distributed/rank_context.hpp"

namespace recombine {

/// The numbers of a matrix, row by row.
struct Numbers {
  std::int64_t rows = 0, cols = 0;
  std::vector<double> values;
};

/// A product of this rank, C += A B, or a collective that it has enqueued.
struct RecordedStep {
  enum class Kind { product, collective } kind = Kind::product;
  Range k;                  ///< product: its part of the whole contracted dimension
  Numbers a, b, term, sum;  ///< product: A [m,k], B [k,n], A B [m,n], and C after it
  JournalEntry collective;
};

/// Records the products and collectives of a rank in the order in which they are enqueued, with their numbers. For small
/// products: at most Journal::kLatest collectives.
class Recorder final : public ProductObserver {
 public:
  explicit Recorder(RankContext& context);
  ~Recorder() override;
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  void on_product(const ObservedProduct& product) override;
  /// Records collectives since the last product, and returns all steps.
  const std::vector<RecordedStep>& finish();

 private:
  void add_collectives();

  RankContext& context_;
  std::int64_t next_id_ = 0;  ///< of the journal's first entry that is not recorded yet
  std::vector<RecordedStep> steps_;
  std::vector<double> before_;  ///< C before the next product
};

/// The numbers of a matrix in the device's memory, or of its transpose. Waits for the compute stream.
Numbers numbers_of(const RankContext& context, ConstMatrixView matrix, Transpose transpose);

}  // namespace recombine
