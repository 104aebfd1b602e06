#include "src/nn/gradient_reducer.hpp"

#include "kernels/error.hpp"

namespace recombine {

GradientReducer::GradientReducer(RankContext& context, VectorView gradient, std::vector<Range> buckets)
    : context_(context), gradient_(gradient), buckets_(std::move(buckets)), complete_from_(gradient.size) {
  std::int64_t end = gradient.size;
  for (const Range& bucket : buckets_) {
    require(bucket.end == end && bucket.begin < end, "buckets must cover the gradient from its end to its begin");
    end = bucket.begin;
  }
  require(end == 0, "buckets leave out the first {} elements of the gradient", end);
}

void GradientReducer::add(Range completed) {
  require(completed.end == complete_from_, "a gradient range must end where the previous range begins");
  complete_from_ = completed.begin;
  while (sums_.size() < buckets_.size() && buckets_[sums_.size()].begin >= complete_from_) {
    const Range bucket = buckets_[sums_.size()];
    const bool last = sums_.size() + 1 == buckets_.size();
    sums_.push_back(start_recombine(context_, {.axis = Axis::i,
                                               .data = gradient_.range(bucket.begin, bucket.end),
                                               .what = {.name = "sum gradient"},
                                               .next = last ? RankContext::Next::waits : RankContext::Next::computes}));
  }
}

Range GradientReducer::wait_from(std::int64_t begin, Stream& stream) {
  require(begin >= complete_from_, "gradient elements {} to {} are not added yet", begin, complete_from_);
  const std::size_t first = waited_;
  for (; waited_ < sums_.size() && buckets_[waited_].begin >= begin; ++waited_) sums_[waited_].wait(stream);
  if (waited_ == first) return {};
  return {buckets_[waited_ - 1].begin, buckets_[first].end};
}

void GradientReducer::finish(const std::function<void(Range)>& summed) {
  require(complete_from_ == 0, "backward left out the first {} elements of the gradient", complete_from_);
  for (; waited_ < buckets_.size(); ++waited_) {
    sums_[waited_].wait();
    summed(buckets_[waited_]);
  }
  sums_.clear();
  waited_ = 0;
  complete_from_ = gradient_.size;
}

}  // namespace recombine
