#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "distributed/rank_context.hpp"

namespace recombine {

/// A Replay of a device that also counts its operations and its collectives in every run.
class RankReplay final : public Replay {
 public:
  RankReplay(RankContext& context, std::function<void()> enqueue);

  void run() override;

 private:
  void enqueue();

  RankContext& context_;
  std::function<void()> enqueue_;
  std::unique_ptr<Replay> replay_;
  bool enqueued_ = false;  ///< by the host in this run; otherwise the device repeats the previous one
  double flops_ = 0;       ///< of one run
  std::map<std::string, CollectiveTotals> collectives_;  ///< of one run
};

}  // namespace recombine
