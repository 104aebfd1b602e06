#include "src/explain/recorder.hpp"

#include <utility>

namespace recombine {

Recorder::Recorder(RankContext& context) : context_(context) {
  const std::vector<JournalEntry> earlier = context.journal().latest();
  if (!earlier.empty()) next_id_ = earlier.back().id + 1;
  context.observe_products(this);
}

Recorder::~Recorder() { context_.observe_products(nullptr); }

void Recorder::add_collectives() {
  for (const JournalEntry& entry : context_.journal().latest()) {
    if (entry.id < next_id_) continue;
    steps_.push_back({.kind = RecordedStep::Kind::collective, .collective = entry});
    next_id_ = entry.id + 1;
  }
}

void Recorder::on_product(const ObservedProduct& product) {
  add_collectives();
  const Gemm& call = product.call;
  RecordedStep step{.place = product.place,
                    .a = numbers_of(context_, call.a, call.trans_a),
                    .b = numbers_of(context_, call.b, call.trans_b),
                    .sum = numbers_of(context_, call.c)};
  const bool known = call.beta == 0 || (summed_ == call.c.data && before_.size() == step.sum.values.size());
  if (known) step.term = step.sum;
  for (std::size_t n = 0; n < step.term.values.size() && call.beta != 0; ++n) step.term.values[n] -= before_[n];
  summed_ = call.c.data;
  before_ = step.sum.values;
  steps_.push_back(std::move(step));
}

const std::vector<RecordedStep>& Recorder::finish() {
  add_collectives();
  return steps_;
}

}  // namespace recombine
