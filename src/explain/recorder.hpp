#pragma once

#include <vector>

#include "src/explain/numbers.hpp"

namespace recombine {

/// A product of this rank, C += A B, or a collective that it has enqueued.
struct RecordedStep {
  enum class Kind { product, collective } kind = Kind::product;
  ProductPlace place;  ///< product: in the product of the whole matrices
  Numbers a, b, sum;   ///< product: A [m,k], B [k,n], and C [m,n] after it
  Numbers term;        ///< product: C minus what C was before; empty if no product of this C came before
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
  const void* summed_ = nullptr;  ///< the C of the last product
  std::vector<double> before_;    ///< its numbers
};

}  // namespace recombine
