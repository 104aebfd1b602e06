#include "src/matmul/recorder.hpp"

#include <utility>

#include "distributed/io/convert.hpp"
#include "src/matmul/host_copy.hpp"

namespace recombine {

Numbers numbers_of(const RankContext& context, ConstMatrixView matrix, Transpose transpose) {
  context.compute().synchronize();
  const HostCopy host(context, matrix);
  Numbers numbers{.rows = matrix.rows, .cols = matrix.cols};
  if (transpose == Transpose::yes) std::swap(numbers.rows, numbers.cols);
  numbers.values.resize(static_cast<std::size_t>(matrix.rows * matrix.cols));
  const VectorView values = vector_view(numbers.values.data(), matrix.rows * matrix.cols);
  convert(host.view(), transpose, as_matrix(values, numbers.rows, numbers.cols));
  return numbers;
}

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
  RecordedStep step{.k = product.place.k,
                    .a = numbers_of(context_, call.a, call.trans_a),
                    .b = numbers_of(context_, call.b, call.trans_b),
                    .sum = numbers_of(context_, call.c, Transpose::no)};
  step.term = step.sum;
  if (call.beta == 0) before_.assign(step.term.values.size(), 0);
  for (std::size_t n = 0; n < step.term.values.size(); ++n) step.term.values[n] -= before_[n];
  before_ = step.sum.values;
  steps_.push_back(std::move(step));
}

const std::vector<RecordedStep>& Recorder::finish() {
  add_collectives();
  return steps_;
}

}  // namespace recombine
