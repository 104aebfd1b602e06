#include "src/matmul/explain/rank_story.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "distributed/ring.hpp"
#include "kernels/error.hpp"

namespace recombine {

RankStory::RankStory(const BlockNames& names, const RankContext& context, const std::vector<RecordedStep>& steps)
    : names_(names), at_(context.coord()) {
  const auto is_collective = [](const RecordedStep& step) { return step.kind == RecordedStep::Kind::collective; };
  for (const RecordedStep& step : steps) {
    if (is_collective(step) && step.collective.operation == std::string_view("exchange")) {
      ++travel_of(step.collective.axis).turns;
    }
  }
  for (const RecordedStep& step : steps) is_collective(step) ? add_collective(step.collective) : add_product(step);
  std::ranges::stable_sort(rows_, {}, &StoryRow::step);
  std::erase_if(rows_, [](const StoryRow& row) { return row.sends.empty() && row.computes.empty(); });
}

StoryRow& RankStory::row(int step) {
  const auto found = std::ranges::find(rows_, step, &StoryRow::step);
  if (found != rows_.end()) return *found;
  rows_.push_back({.step = step});
  return rows_.back();
}

void RankStory::add_send(StoryRow& row, const std::string& text, double bytes) {
  if (bytes == 0) return;
  row.sends += (row.sends.empty() ? "" : ", ") + text;
  row.bytes += bytes;
}

void RankStory::add_collective(const JournalEntry& entry) {
  bytes_in_journal_ += entry.bytes_sent;
  if (names_.mesh().extent(entry.axis) == 1) return;
  const std::string_view operation = entry.operation;
  if (entry.axis == Axis::k) return add_sum(entry);
  if (operation == "all_gather") return add_gather(entry);
  if (operation == "broadcast") return add_panel(entry);
  require(operation == "exchange", "{} along {}: no schedule of matmul calls it", operation, name_of(entry.axis));
  add_shift(entry);
}

void RankStory::add_gather(const JournalEntry& entry) {
  const Operand operand = BlockNames::operand_along(entry.axis);
  const Range own = names_.k_range(operand, at_);
  const std::int64_t bytes = names_.bytes(operand, at_, own) * (names_.mesh().extent(entry.axis) - 1);
  add_send(row(1), names_.operand(operand, at_, own) + " -> " + others_along(entry.axis), static_cast<double>(bytes));
}

void RankStory::add_panel(const JournalEntry& entry) {
  const Operand operand = BlockNames::operand_along(entry.axis);
  Travel& travel = travel_of(entry.axis);
  StoryRow& row = this->row(++travel.messages);
  const Coord root = at_.with(entry.axis, entry.peer);
  const std::int64_t one = names_.bytes(operand, at_, {0, 1});
  if (one == 0) return;
  if (travel.messages == 1) travel.k = names_.k_range(operand, root).begin;
  const Range panel{travel.k, travel.k + entry.bytes / one};
  require(overlap(panel, names_.k_range(operand, root)) == panel, "{} bytes from rank {} are not a part of its block",
          entry.bytes, names_.mesh().rank_of(root));
  travel.k = panel.end;
  if (root != at_) return;
  add_send(row, names_.operand(operand, at_, panel) + " -> " + others_along(entry.axis),
           static_cast<double>(entry.bytes * (names_.mesh().extent(entry.axis) - 1)));
}

// All ranks of a ring have the block of the rank that is equally many ranks further on. A rank that takes as many
// messages as the ring has ranks begins with one more than its neighbours need: the skew.
void RankStory::add_shift(const JournalEntry& entry) {
  const Operand operand = BlockNames::operand_along(entry.axis);
  const int ranks = names_.mesh().extent(entry.axis);
  Travel& travel = travel_of(entry.axis);
  const bool skewed = travel.turns == ranks;
  if (travel.messages++ == 0) travel.piece = travel.start = at_[entry.axis];
  const Range piece = names_.k_range(operand, at_.with(entry.axis, travel.piece));
  const std::int64_t bytes = names_.bytes(operand, at_, piece);
  require(bytes == entry.bytes, "a message of {} bytes; expected {}, the size of the block", entry.bytes, bytes);
  const std::string name = names_.operand(operand, at_.with(entry.axis, travel.piece), piece);
  add_send(row(travel.messages + (skewed ? 0 : 1)),
           fmt::format("{} -> {}", name, names_.mesh().rank_of(at_.with(entry.axis, entry.peer))),
           static_cast<double>(bytes));
  travel.piece = ring_rank(travel.piece, at_[entry.axis] - entry.peer, ranks);
  if (skewed && travel.messages == 1) travel.start = travel.piece;
}

void RankStory::add_sum(const JournalEntry& entry) {
  std::string operation = entry.operation;
  std::ranges::replace(operation, '_', '-');
  StoryRow& row = this->row(StoryRow::kSum);
  add_send(row, fmt::format("{}: {} with {}", names_.c(at_), operation, others_along(Axis::k)), entry.bytes_sent);
  row.computes = fmt::format("{} = sum over {} ranks", names_.c(at_), names_.mesh().extent(Axis::k));
}

void RankStory::add_product(const RecordedStep& step) {
  if (names_.c_area(at_).empty()) return;
  ++products_;
  StoryRow& row = this->row(step_of(step.place.k));
  row.computes = fmt::format("{} {} {}", names_.c(at_), products_ == 1 ? "=" : "+=", names_.term(at_, step.place.k));
}

/// The step of the product over `k`: in a ring, the one at which this block of k is here; otherwise products count.
int RankStory::step_of(Range k) const {
  for (const Axis axis : {Axis::i, Axis::j}) {
    const Travel& travel = travel_[static_cast<std::size_t>(BlockNames::operand_along(axis))];
    if (travel.turns == 0) continue;
    const int ranks = names_.mesh().extent(axis);
    int piece = 0;
    while (piece + 1 < ranks && names_.k_range(BlockNames::operand_along(axis), at_.with(axis, piece)).end <= k.begin) {
      ++piece;
    }
    return 1 + ring_rank(piece, -travel.start, ranks);
  }
  return products_;
}

RankStory::Travel& RankStory::travel_of(Axis axis) {
  return travel_[static_cast<std::size_t>(BlockNames::operand_along(axis))];
}

std::string RankStory::others_along(Axis axis) const {
  std::string text;
  for (int to = 0; to < names_.mesh().extent(axis); ++to) {
    if (to != at_[axis])
      text += fmt::format("{}{}", text.empty() ? "" : " ", names_.mesh().rank_of(at_.with(axis, to)));
  }
  return text;
}

}  // namespace recombine
