#pragma once

#include <array>
#include <string>
#include <vector>

#include "src/explain/recorder.hpp"
#include "src/matmul/explain/block_names.hpp"
#include "src/matmul/explain/story_table.hpp"

namespace recombine {

/// What one rank does in one schedule, from its recorded steps: a row for each step that has a message or a product. A
/// row has the messages that the step's product needs.
class RankStory {
 public:
  /// @throws Error if the journal and the names of blocks do not fit together
  RankStory(const BlockNames& names, const RankContext& context, const std::vector<RecordedStep>& steps);

  const std::vector<StoryRow>& rows() const { return rows_; }
  double bytes_in_journal() const { return bytes_in_journal_; }

 private:
  using Operand = BlockNames::Operand;

  /// How far the blocks of one operand have travelled.
  struct Travel {
    int messages = 0;
    std::int64_t k = 0;  ///< panels: the first row of k that has not travelled
    int turns = 0;       ///< ring: all messages; 0: there is no ring
    int start = 0;       ///< ring: whose block is here in step 1
    int piece = 0;       ///< ring: whose block is here now
  };

  StoryRow& row(int step);
  Travel& travel_of(Axis axis);
  static void add_send(StoryRow& row, const std::string& text, double bytes);
  void add_collective(const JournalEntry& entry);
  void add_gather(const JournalEntry& entry);
  void add_panel(const JournalEntry& entry);
  void add_shift(const JournalEntry& entry);
  void add_sum(const JournalEntry& entry);
  void add_product(const RecordedStep& step);
  int step_of(Range k) const;
  std::string others_along(Axis axis) const;

  const BlockNames& names_;
  Coord at_;
  std::vector<StoryRow> rows_;
  double bytes_in_journal_ = 0;
  std::array<Travel, 2> travel_;  ///< per Operand
  int products_ = 0;
};

}  // namespace recombine
