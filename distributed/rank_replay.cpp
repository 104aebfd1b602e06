#include "distributed/rank_replay.hpp"

#include <utility>

namespace recombine {

RankReplay::RankReplay(RankContext& context, std::function<void()> enqueue)
    : context_(context),
      enqueue_(std::move(enqueue)),
      replay_(context.device().make_replay(context.compute(), [this] { this->enqueue(); })) {}

void RankReplay::run() {
  enqueued_ = false;
  replay_->run();
  if (enqueued_) return;
  context_.count_flops(flops_);
  context_.journal().repeat(collectives_);
}

void RankReplay::enqueue() {
  const double flops = context_.flops();
  const auto before = context_.journal().totals();
  enqueue_();
  enqueued_ = true;
  flops_ = context_.flops() - flops;
  collectives_ = context_.journal().totals();
  for (const auto& [name, totals] : before) {
    CollectiveTotals& one = collectives_[name];
    one.calls -= totals.calls;
    one.bytes -= totals.bytes;
    one.bytes_sent -= totals.bytes_sent;
  }
}

}  // namespace recombine
