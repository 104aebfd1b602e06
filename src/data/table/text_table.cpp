#include "src/data/table/text_table.hpp"

#include <algorithm>
#include <utility>

#include "kernels/error.hpp"
#include "src/data/text/cell.hpp"

namespace recombine {

TextTable open_table(const std::string& path, const TextOptions& options, DataBudget& budget) {
  TextFile text(path, budget);
  std::vector<std::string> notes = text.notes();
  Dialect dialect = find_dialect(text, options);
  TableProfile profile = profile_table(text, dialect);
  require_input(profile.rows > 0, "{}: has no row after its header line; expected at least one", text.name());
  notes.insert(notes.end(), dialect.notes.begin(), dialect.notes.end());
  TableFacts facts{.file = text.name(), .dialect = std::move(dialect), .profile = std::move(profile)};
  return {std::move(text), std::move(facts), std::move(notes)};
}

std::vector<RowRole> find_dropped_rows(const TextTable& table, const TableColumns& columns, Missing missing) {
  const TableFacts& facts = table.facts;
  std::vector<RowRole> roles(static_cast<std::size_t>(facts.profile.rows), RowRole::train);
  std::vector<std::size_t> needed;  // columns
  for (std::size_t c = 0; c < columns.uses.size(); ++c) {
    const ColumnUse::Role role = columns.uses[c].role;
    const bool matters =
        role == ColumnUse::Role::target || (role == ColumnUse::Role::input && missing == Missing::drop);
    if (matters && facts.profile.columns[c].missing > 0) needed.push_back(c);
  }
  if (needed.empty()) return roles;
  for_each_chunk(table.text, facts.dialect, facts.profile.chunks, [&](std::size_t chunk, RowReader& rows) {
    auto role = roles.begin() + facts.profile.chunks[chunk].first_row;
    std::vector<std::string_view> cells;
    for (; rows.next(cells); ++role) {
      const bool lacks = std::ranges::any_of(
          needed, [&](std::size_t c) { return kind_of_cell(cells[c], facts.dialect.decimal) == CellKind::missing; });
      if (lacks) *role = RowRole::dropped;
    }
  });
  require_input(std::ranges::find(roles, RowRole::train) != roles.end(),
                "{}: all {} rows lack a value of the target{}; expected rows without missing values{}", facts.file,
                facts.profile.rows, missing == Missing::drop ? " or of an input" : "",
                missing == Missing::drop ? ", or --missing mean" : "");
  return roles;
}

}  // namespace recombine
