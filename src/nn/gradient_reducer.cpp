#include "src/nn/gradient_reducer.hpp"

#include "kernels/error.hpp"

namespace recombine {

GradientReducer::GradientReducer(RankContext& context, VectorView gradient, std::int64_t bucket_elements)
    : context_(context), gradient_(gradient), bucket_elements_(bucket_elements) {}

void GradientReducer::add(Range ready) {
  require(!open_ || ready.end == open_->begin, "a gradient range must end where the previous range begins");
  open_ = Range{ready.begin, open_ ? open_->end : ready.end};
  const bool more_to_come = open_->begin > 0;
  if (more_to_come && open_->size() >= bucket_elements_) send(RankContext::Next::computes);
}

void GradientReducer::send(RankContext::Next next) {
  sent_.push_back({*open_, start_recombine(context_, {.axis = Axis::i,
                                                      .data = gradient_.range(open_->begin, open_->end),
                                                      .what = {.name = "sum gradient"},
                                                      .next = next})});
  open_.reset();
}

void GradientReducer::finish(const std::function<void(Range)>& summed) {
  if (open_) send(RankContext::Next::waits);
  for (Bucket& bucket : sent_) {
    bucket.sum.wait();
    summed(bucket.range);
  }
  sent_.clear();
}

}  // namespace recombine
