#include "src/matmul/explain/mesh_text.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "src/explain/text_layout.hpp"

namespace recombine {

namespace {

constexpr std::string_view kIndent = "    ";

/// A heading with an empty line above it.
std::string below(const TextStyle& style, const std::string& heading) {
  return fmt::format("\n{}\n", style.heading(heading));
}

/// The beginnings of the parts after the first that have elements.
std::vector<std::int64_t> cuts(std::int64_t extent, int parts) {
  std::vector<std::int64_t> at;
  for (int part = 1; part < parts; ++part) {
    const Range range = split_range(extent, parts, part);
    if (range.size() > 0) at.push_back(range.begin);
  }
  return at;
}

std::string_view idea_of(Schedule schedule, const Mesh& mesh) {
  if (mesh.extent(Axis::i) * mesh.extent(Axis::j) == 1)
    return "Each rank has all that it needs of A and B: no block of them travels.";
  switch (schedule) {
    case Schedule::gather: return "Each rank collects all blocks that it needs, then multiplies once.";
    case Schedule::panels: return "Step by step, the owner of a block sends it to all ranks that need it.";
    case Schedule::shift:
      if (mesh.extent(Axis::i) == 1 || mesh.extent(Axis::j) == 1) {
        return "Each rank multiplies the blocks that it has, then passes one of them on to its neighbour.";
      }
      return "For step 1 blocks move so that every rank has two that fit. Then each rank multiplies the blocks that it "
             "has, and passes them on to its neighbours.";
  }
  return {};
}

/// What the extents of the mesh mean.
std::string idea_of(const Mesh& mesh) {
  const int i = mesh.extent(Axis::i), j = mesh.extent(Axis::j), k = mesh.extent(Axis::k);
  if (mesh.size() == 1) {
    return "One rank has all blocks: it computes C in one product, and sends nothing. To see blocks travel, start more "
           "ranks: mpirun -np 4 ./matmul --explain";
  }
  const std::string blocks = fmt::format("C is cut into {} x {} blocks", i, j);
  if (k == 1) return blocks + ": one block, one rank.";
  const std::string sums = fmt::format("k is cut into {} parts", k);
  if (i * j == 1) return "Split-K: " + sums + ". Each rank computes a partial sum of all of C; then they are added.";
  return fmt::format("{}, and {}: {} ranks compute partial sums of each block, then they are added.", blocks, sums, k);
}

std::string schedules_text(const MeshStory& story, const TextStyle& style) {
  std::string text;
  for (const ScheduleStory& told : story.schedules) {
    const ScheduleEntry& entry = entry_of(told.schedule);
    text += below(style, fmt::format("  Schedule {} ({})", entry.name, entry.known_as(story.names.mesh())));
    const std::string table = story_table(told.rows);
    const auto same = std::ranges::find_if(
        story.schedules, [&](const ScheduleStory& earlier) { return story_table(earlier.rows) == table; });
    if (&*same != &told) {
      text += paragraph(fmt::format("The same steps as {}.", entry_of(same->schedule).name), "  ");
      continue;
    }
    text += paragraph(idea_of(told.schedule, story.names.mesh()), "  ") + table;
  }
  return text;
}

std::string products_text(const MeshStory& story, const TextStyle& style) {
  const ScheduleStory& finest = story.finest();
  std::string text =
      below(style, "  One block by one rank") +
      paragraph(fmt::format("The products of schedule {}, with their numbers:", entry_of(finest.schedule).name), "  ");
  for (const std::string& of_rank : finest.equations) text += of_rank;
  return text;
}

std::string sum_text(const MeshStory& story, const TextStyle& style) {
  if (story.partial_sums.empty()) return {};
  const Mesh& mesh = story.names.mesh();
  const auto rows = cuts(story.product.c.rows, mesh.extent(Axis::i));
  const auto cols = cuts(story.product.c.cols, mesh.extent(Axis::j));
  std::vector<EquationPart> parts;
  for (const Numbers& sum : story.partial_sums) {
    parts.push_back({parts.empty() ? "" : " + ", sum.grid(rows, cols).text()});
  }
  parts.push_back({" = ", story.product.c.grid(rows, cols).text()});
  const std::string collective = story.c_state == State::sharded
                                     ? "A reduce-scatter adds them: each rank gets a part of the rows"
                                     : "An all-reduce adds them: each rank gets the whole sum";
  return below(style, "  The sum over k") +
         paragraph(fmt::format("The partial sums of the ranks with k = {} add up to C. {}.",
                               mesh.extent(Axis::k) == 2 ? "0 and 1" : fmt::format("0 to {}", mesh.extent(Axis::k) - 1),
                               collective),
                   "  ") +
         equation(parts, kIndent);
}

/// True if a rank sends 85.3 bytes: the journal has the mean over the ranks of an all-reduce or reduce-scatter.
bool has_mean_bytes(const ScheduleStory& told, std::size_t ranks) {
  for (std::size_t rank = 0; rank < ranks; ++rank) {
    if (told.bytes_sent(rank) != std::floor(told.bytes_sent(rank))) return true;
  }
  return false;
}

std::string bytes_table(const MeshStory& story, const TextStyle& style) {
  const MatmulShape& shape = story.names.shape();
  std::string text = below(style, "  Bytes that each rank sends");
  const auto in_a = size_of(shape.type), in_c = size_of(shape.result_type());
  const auto ranks = static_cast<std::size_t>(story.names.mesh().size());
  const bool has_mean =
      std::ranges::any_of(story.schedules, [ranks](const ScheduleStory& told) { return has_mean_bytes(told, ranks); });
  text += paragraph(fmt::format("{}{}",
                                in_a == in_c ? fmt::format("An element has {} bytes.", in_a)
                                             : fmt::format("An element of A or B has {} bytes, of C {}.", in_a, in_c),
                                has_mean ? " The bytes of a sum over ranks are their mean." : ""),
                    "  ");
  std::string line = "    schedule";
  for (std::size_t rank = 0; rank < ranks; ++rank) line += fmt::format(" {:>6}", fmt::format("r{}", rank));
  text += line + "    all\n";
  for (const ScheduleStory& told : story.schedules) {
    line = fmt::format("    {:<8}", entry_of(told.schedule).name);
    double all = 0;
    for (std::size_t rank = 0; rank < ranks; ++rank) {
      line += fmt::format(" {:>6}", bytes_text(told.bytes_sent(rank)));
      all += told.bytes_sent(rank);
    }
    text += line + fmt::format(" {:>6}\n", bytes_text(all));
  }
  return text;
}

}  // namespace

std::string mesh_text(const MeshStory& story, const TextStyle& style) {
  const Mesh& mesh = story.names.mesh();
  const std::string title =
      fmt::format("Mesh {} (i x j x k): {} rank{}", mesh.to_string(), mesh.size(), mesh.size() == 1 ? "" : "s");
  std::string text = below(style, title) + paragraph(idea_of(mesh), "  ");
  if (mesh.size() == 1) return text;
  text += paragraph(story.names.cuts(), "  ");
  text +=
      fmt::format("\n{}{}", paragraph("Blocks before the product, and the ranks that have them (block:rank):", "  "),
                  story.names.owners());
  text += "\n";
  text += paragraph(
      "In the tables below, a rank sends what a step needs, then computes. These messages travel while "
      "the step before is computed.",
      "  ");
  text += schedules_text(story, style) + products_text(story, style) + sum_text(story, style);
  return text + bytes_table(story, style);
}

}  // namespace recombine
