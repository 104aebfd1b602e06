#pragma once

#include "src/matmul/explain/block_names.hpp"
#include "src/matmul/explain/explain_job.hpp"
#include "src/matmul/explain/story_table.hpp"
#include "src/matmul/explain/whole_product.hpp"

namespace recombine {

/// What all ranks did in one schedule.
struct ScheduleStory {
  Schedule schedule = Schedule::gather;
  std::vector<std::vector<StoryRow>> rows;  ///< per rank
  std::vector<std::string> equations;       ///< per rank: its products, with their numbers
  std::size_t products = 0;                 ///< of the rank with the most

  double bytes_sent(std::size_t rank) const;
};

/// A product on one mesh, computed by each schedule that fits it.
struct MeshStory {
  BlockNames names;
  WholeProduct product;
  std::vector<ScheduleStory> schedules;
  State c_state = State::replicated;  ///< along k, after the sum
  std::vector<Numbers> partial_sums;  ///< of C, per coordinate along k, if there are several

  /// The schedule whose products are the smallest blocks.
  const ScheduleStory& finest() const;
};

/// Multiplies, and records. Every rank calls it, and has the whole story.
/// @throws InputError if elements are not finite, or so large that the product is not; Error if schedules differ
MeshStory run_on_mesh(const ExplainJob& job, const Mesh& mesh);

}  // namespace recombine
