#include "src/nn/step_agreement.hpp"

namespace recombine {

StepAgreement::Words StepAgreement::exchange(const Words& own) {
  if (arrived_) arrived_->synchronize();
  const Words before = arrived_ ? sent_[at_] : Words{};
  at_ = 1 - at_;
  sent_[at_] = own;
  world_.all_reduce(stream_, vector_view(sent_[at_].data(), static_cast<std::int64_t>(own.size())), Reduction::max);
  arrived_ = stream_.record();
  return before;
}

}  // namespace recombine
