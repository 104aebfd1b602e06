#include "src/matmul/explain/rank_equation.hpp"

#include <fmt/format.h>

#include "src/explain/text_layout.hpp"

namespace recombine {

std::string block_equation(const std::vector<RecordedStep>& products, std::string_view indent) {
  std::vector<EquationPart> parts;
  for (const RecordedStep& step : products) {
    parts.push_back({parts.empty() ? "" : " + ", step.a.grid().text()});
    parts.push_back({" x ", step.b.grid().text()});
  }
  if (products.size() > 1) {
    for (const RecordedStep& step : products) {
      parts.push_back({&step == &products.front() ? " = " : " + ", step.term.grid().text()});
    }
  }
  parts.push_back({" = ", products.back().sum.grid().text()});
  return equation(parts, indent);
}

std::string rank_equation(const BlockNames& names, const Coord& at, const std::vector<RecordedStep>& products) {
  const std::string rank = fmt::format("rank {}: {} = ", names.mesh().rank_of(at), names.c(at));
  if (names.c_area(at).empty()) {
    return paragraph(fmt::format("rank {}: its block of C is empty", names.mesh().rank_of(at)), "    ");
  }
  if (products.front().a.cols == 0) return paragraph(rank + "0, because its part of k is empty", "    ");
  std::string terms;
  for (const RecordedStep& step : products) terms += (terms.empty() ? "" : " + ") + names.term(at, step.place.k);
  return paragraph(rank + terms, "    ") + block_equation(products, "        ");
}

}  // namespace recombine
