#include "src/matmul/explain/block_names.hpp"

#include <algorithm>
#include <functional>

#include <fmt/format.h>

#include "src/explain/text_layout.hpp"

namespace recombine {

namespace {

constexpr Axis travels_along(BlockNames::Operand operand) {
  return operand == BlockNames::Operand::a ? Axis::j : Axis::i;
}

Coord moved(Coord at, Axis axis, int to) {
  at.at[static_cast<std::size_t>(axis)] = to;
  return at;
}

std::string k_text(Range k) {
  return k.size() == 1 ? fmt::format("[k {}]", k.end) : fmt::format("[k {}-{}]", k.begin + 1, k.end);
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

std::string BlockNames::operand(Operand operand, const Coord& at, Range range) const {
  const Axis axis = travels_along(operand);
  const int piece = 1 + at[Axis::k] * mesh_.parts(axis) + at[axis];
  const std::string name = operand == Operand::a ? fmt::format("A{}{}", 1 + at[Axis::i], piece)
                                                 : fmt::format("B{}{}", piece, 1 + at[Axis::j]);
  return range == k_range(operand, at) ? name : name + k_text(range);
}

std::string BlockNames::c(const Coord& at) const { return fmt::format("C{}{}", 1 + at[Axis::i], 1 + at[Axis::j]); }

std::vector<BlockNames::Piece> BlockNames::pieces(Operand operand, const Coord& at, Range range) const {
  const Axis axis = travels_along(operand);
  std::vector<Piece> pieces;
  for (int part = 0; part < mesh_.parts(axis); ++part) {
    const Coord holder = moved(at, axis, part);
    const Range k = overlap(k_range(operand, holder), range);
    if (k.size() > 0) pieces.push_back({this->operand(operand, holder, k), k});
  }
  return pieces;
}

std::string BlockNames::term(const Coord& at, Range range) const {
  if (range.size() == 0) return "0";
  const std::vector<Piece> a = pieces(Operand::a, at, range);
  const std::vector<Piece> b = pieces(Operand::b, at, range);
  std::string sum;
  if (std::ranges::equal(a, b, {}, &Piece::k, &Piece::k)) {
    for (std::size_t n = 0; n < a.size(); ++n) sum += fmt::format("{}{} {}", n == 0 ? "" : " + ", a[n].name, b[n].name);
    return sum;
  }
  const auto together = [](const std::vector<Piece>& all) {
    std::string names;
    for (const Piece& piece : all) names += fmt::format("{}{}", names.empty() ? "" : " ", piece.name);
    return all.size() == 1 ? names : fmt::format("({})", names);
  };
  return fmt::format("{} {}", together(a), together(b));
}

std::string BlockNames::owners() const {
  const int i = mesh_.extent(Axis::i), j = mesh_.extent(Axis::j), k = mesh_.extent(Axis::k);
  const auto cell = [&](Operand operand, const Coord& at) {
    const Range range = k_range(operand, at);
    return bytes(operand, at, range) == 0 ? "-"
                                          : fmt::format("{}:{}", this->operand(operand, at, range), mesh_.rank_of(at));
  };
  const auto c_cell = [&](int row, int col) {
    std::string text = c({{row, col, 0}}) + ":";
    for (int at = 0; at < k; ++at) text += fmt::format("{}{}", at == 0 ? "" : "+", mesh_.rank_of({{row, col, at}}));
    return c_area({{row, col, 0}}).empty() ? "-" : text;
  };
  const TextBlock a = grid_of(i, k * j, [&](int row, int col) { return cell(Operand::a, {{row, col % j, col / j}}); });
  const TextBlock b = grid_of(k * i, j, [&](int row, int col) { return cell(Operand::b, {{row % i, col, row / i}}); });
  return equation(std::vector<EquationPart>{{"", a}, {"    ", b}, {"    ", grid_of(i, j, c_cell)}}, "    ");
}

}  // namespace recombine
