#include "src/matmul/explain/block_names.hpp"

#include <algorithm>
#include <functional>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "kernels/error.hpp"
#include "src/explain/text_layout.hpp"

namespace recombine {

namespace {

constexpr Axis travels_along(BlockNames::Operand operand) {
  return operand == BlockNames::Operand::a ? Axis::j : Axis::i;
}

/// A grid of blocks; each cell has a name and the ranks that hold the block.
TextBlock grid_of(int rows, int cols, const std::function<std::string(int, int)>& cell) {
  std::vector<TextBlock> cells;  // per row
  std::size_t width = 0;
  for (int row = 0; row < rows; ++row) {
    TextBlock& of_row = cells.emplace_back();
    for (int col = 0; col < cols; ++col) of_row.push_back(cell(row, col));
    width = std::max(width, width_of(of_row));
  }
  TextBlock lines;
  for (const TextBlock& of_row : cells) {
    std::string& line = lines.emplace_back();
    for (const std::string& text : of_row) line += fmt::format("{}{:<{}}", line.empty() ? "" : " ", text, width);
  }
  return lines;
}

}  // namespace

Area BlockNames::c_area(const Coord& at) const {
  return {split_range(shape_.m, mesh_.parts(Axis::i), at[Axis::i]),
          split_range(shape_.n, mesh_.parts(Axis::j), at[Axis::j])};
}

Range BlockNames::k_range(Operand operand, const Coord& at) const {
  const Axis axis = travels_along(operand);
  return DistMatrix::rows_of_part(mesh_, shape_.k, operand == Operand::a ? kPlaceA : kPlaceB,
                                  at[Axis::k] * mesh_.parts(axis) + at[axis]);
}

std::int64_t BlockNames::bytes(Operand operand, const Coord& at, Range range) const {
  const Area c = c_area(at);
  return range.size() * (operand == Operand::a ? c.rows : c.cols).size() * size_of(shape_.type);
}

Range BlockNames::k_part(int part) const { return split_range(shape_.k, mesh_.parts(Axis::k), part); }

/// The pieces of a part of k. If it is empty: one piece, which is empty.
std::vector<BlockNames::Piece> BlockNames::all_pieces(int part) const {
  const Range whole = k_part(part);
  std::set<std::int64_t> ends = {whole.end};
  for (const Operand operand : {Operand::a, Operand::b}) {
    const Axis axis = travels_along(operand);
    for (int holder = 0; holder < mesh_.parts(axis); ++holder) {
      ends.insert(k_range(operand, Coord{{0, 0, part}}.with(axis, holder)).end);
    }
  }
  if (whole.size() > 0) ends.erase(whole.begin);
  std::vector<Piece> pieces;
  for (std::int64_t begin = whole.begin; const std::int64_t end : ends) {
    const auto at = static_cast<int>(pieces.size());
    const bool lettered = mesh_.parts(Axis::k) > 1 && ends.size() > 1;
    const int number = 1 + (mesh_.parts(Axis::k) > 1 ? part : at);
    pieces.push_back({number, lettered ? std::string(1, static_cast<char>('a' + at)) : "", {begin, end}});
    begin = end;
  }
  return pieces;
}

/// Those in `range`. If the mesh cuts k and the range is a whole part of it: this part.
std::vector<BlockNames::Piece> BlockNames::pieces(int part, Range range) const {
  if (range.size() == 0) return {};
  if (mesh_.parts(Axis::k) > 1 && range == k_part(part)) return {{1 + part, "", range}};
  std::vector<Piece> found = all_pieces(part);
  std::erase_if(found, [&](const Piece& piece) { return overlap(piece.k, range).size() <= 0; });
  require(!found.empty() && found.front().k.begin == range.begin && found.back().k.end == range.end,
          "k {} to {} does not end at the ends of pieces", range.begin, range.end);
  return found;
}

std::string BlockNames::name(Operand operand, const Coord& at, const Piece& piece) const {
  return operand == Operand::a ? fmt::format("A{}{}{}", 1 + at[Axis::i], piece.number, piece.letter)
                               : fmt::format("B{}{}{}", piece.number, 1 + at[Axis::j], piece.letter);
}

std::string BlockNames::operand(Operand operand, const Coord& at, Range range) const {
  std::string names;
  for (const Piece& piece : pieces(at[Axis::k], range)) {
    names += fmt::format("{}{}", names.empty() ? "" : " ", name(operand, at, piece));
  }
  return names;
}

std::string BlockNames::c(const Coord& at) const { return fmt::format("C{}{}", 1 + at[Axis::i], 1 + at[Axis::j]); }

std::string BlockNames::term(const Coord& at, Range range) const {
  std::string sum;
  for (const Piece& piece : pieces(at[Axis::k], range)) {
    sum += fmt::format("{}{} {}", sum.empty() ? "" : " + ", name(Operand::a, at, piece), name(Operand::b, at, piece));
  }
  return sum.empty() ? "0" : sum;
}

std::string BlockNames::cuts() const {
  const auto count = [](std::int64_t extent, int parts) { return std::min<std::int64_t>(extent, parts); };
  const std::int64_t rows = count(shape_.m, mesh_.parts(Axis::i)), cols = count(shape_.n, mesh_.parts(Axis::j));
  const auto in_first = std::ssize(all_pieces(0));
  const bool cut = mesh_.parts(Axis::k) > 1;
  const std::int64_t of_k = cut ? count(shape_.k, mesh_.parts(Axis::k)) : in_first;
  const std::string blocks =
      fmt::format("A is cut into {} x {} blocks here, and B into {} x {}.", rows, of_k, of_k, cols);
  if (in_first == 1) return "So " + blocks;
  if (!cut) return "So that each block belongs to one rank, " + blocks;
  return "So " + blocks +
         " Letters are parts of a block along k: A11a is the first part of A11. It meets B11a, the first of B11.";
}

/// "A12b:3": a piece of the operand's block of the ranks like `at`, and the rank that has it.
std::string BlockNames::owner(Operand operand, Coord at, const Piece& piece) const {
  const Axis axis = travels_along(operand);
  for (int holder = 0; holder < mesh_.parts(axis); ++holder) {
    at = at.with(axis, holder);
    if (overlap(k_range(operand, at), piece.k) != piece.k || bytes(operand, at, piece.k) == 0) continue;
    return fmt::format("{}:{}", name(operand, at, piece), mesh_.rank_of(at));
  }
  return "-";
}

std::string BlockNames::owners() const {
  const int i = mesh_.extent(Axis::i), j = mesh_.extent(Axis::j), k = mesh_.extent(Axis::k);
  /// Per piece of k: the part of k that it is in, and the piece. Whole blocks, if no rank shares one with others.
  const auto all = [&](Operand operand) {
    std::vector<std::pair<int, Piece>> found;
    for (int part = 0; part < k; ++part) {
      const bool whole = k > 1 && mesh_.parts(travels_along(operand)) == 1 && k_part(part).size() > 0;
      for (const Piece& piece : whole ? pieces(part, k_part(part)) : all_pieces(part)) found.emplace_back(part, piece);
    }
    return found;
  };
  const auto of_a = all(Operand::a), of_b = all(Operand::b);
  const auto a_cell = [&](int row, int col) {
    const auto& [part, piece] = of_a[static_cast<std::size_t>(col)];
    return owner(Operand::a, {{row, 0, part}}, piece);
  };
  const auto b_cell = [&](int row, int col) {
    const auto& [part, piece] = of_b[static_cast<std::size_t>(row)];
    return owner(Operand::b, {{0, col, part}}, piece);
  };
  const auto c_cell = [&](int row, int col) {
    std::string text = c({{row, col, 0}}) + ":";
    for (int at = 0; at < k; ++at) text += fmt::format("{}{}", at == 0 ? "" : "+", mesh_.rank_of({{row, col, at}}));
    return c_area({{row, col, 0}}).empty() ? "-" : text;
  };
  const TextBlock a = grid_of(i, static_cast<int>(of_a.size()), a_cell);
  const TextBlock b = grid_of(static_cast<int>(of_b.size()), j, b_cell);
  return equation(std::vector<EquationPart>{{"", a}, {"    ", b}, {"    ", grid_of(i, j, c_cell)}}, "    ");
}

}  // namespace recombine
