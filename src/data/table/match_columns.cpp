#include "src/data/table/match_columns.hpp"

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "kernels/error.hpp"
#include "src/data/nearest.hpp"
#include "src/data/shown.hpp"
#include "src/program/parse.hpp"

namespace recombine {

namespace {

using Names = std::vector<std::string>;

struct Wanted {
  Names inputs, targets, left_out;

  explicit Wanted(const TableSchema& schema) : left_out(schema.left_out) {
    for (const InputColumn& column : schema.inputs) inputs.push_back(column.name);
    for (const TargetColumn& column : schema.targets) targets.push_back(column.name);
  }
};

/// The names of the training table's columns in their order, if it had no header: 1, 2, ... Otherwise none.
std::optional<Names> numbered(const Wanted& wanted) {
  Names all = wanted.inputs;
  all.insert(all.end(), wanted.targets.begin(), wanted.targets.end());
  all.insert(all.end(), wanted.left_out.begin(), wanted.left_out.end());
  Names ordered(all.size());
  for (const std::string& name : all) {
    const auto number = whole_from(name, {.least = 1, .most = static_cast<std::int64_t>(all.size())});
    if (!number || !ordered[static_cast<std::size_t>(*number - 1)].empty()) return std::nullopt;
    ordered[static_cast<std::size_t>(*number - 1)] = name;
  }
  return ordered;
}

/// The names that columns without a header have by their order; none if their number does not fit.
std::optional<Names> names_by_order(const Wanted& wanted, std::size_t columns) {
  if (std::optional<Names> names = numbered(wanted)) {
    if (names->size() == columns) return names;
    std::erase_if(*names,
                  [&](const auto& name) { return std::ranges::find(wanted.targets, name) != wanted.targets.end(); });
    if (names->size() == columns) return names;
  }
  if (wanted.inputs.size() == columns) return wanted.inputs;
  return std::nullopt;
}

Names lacking(const Names& wanted, const std::unordered_map<std::string_view, std::size_t>& places) {
  Names names;
  std::ranges::copy_if(wanted, std::back_inserter(names),
                       [&](const std::string& name) { return !places.contains(name); });
  return names;
}

class Matcher {
 public:
  Matcher(const Match& match, const TableFacts& table) : match_(match), table_(table), wanted_(match.schema) {}

  TableColumns find() {
    columns_.uses.resize(table_.dialect.names.size());
    require_input(!wanted_.inputs.empty(),
                  "--{} {}: is a table, but the model was trained on images or arrays; expected such data",
                  match_.option, table_.file);
    set_names();
    require_inputs();
    for (std::size_t place = 0; place < wanted_.inputs.size(); ++place) {
      columns_.uses[places_.at(wanted_.inputs[place])] = {ColumnUse::Role::input, place};
    }
    set_targets();
    note_others();
    return std::move(columns_);
  }

 private:
  void set_names() {
    const bool has_header = table_.dialect.has_header;
    names_ = column_names(table_);
    index();
    if (has_header && (!numbered(wanted_) || lacking(wanted_.inputs, places_).empty())) return;
    const std::optional<Names> ordered = names_by_order(wanted_, names_.size());
    require_input(ordered || has_header,
                  "--{} {}: has no header and {} columns; expected a header with the names {}, or these {} columns in "
                  "their order",
                  match_.option, table_.file, names_.size(), shown_list(wanted_.inputs), wanted_.inputs.size());
    if (!ordered) return;
    columns_.notes.push_back(fmt::format("{}: its columns are taken in their order, as {} has no header", table_.file,
                                         has_header ? "the training table" : "it"));
    names_ = *ordered;
    index();
  }
  void index() {
    places_.clear();
    for (std::size_t c = 0; c < names_.size(); ++c) places_.emplace(names_[c], c);
  }

  void require_inputs() const {
    const Names missing = lacking(wanted_.inputs, places_);
    if (missing.empty()) return;
    const std::unordered_set<std::string> known(wanted_.inputs.begin(), wanted_.inputs.end());
    Names spare;
    std::ranges::copy_if(names_, std::back_inserter(spare), [&](const auto& name) { return !known.contains(name); });
    throw InputError(
        fmt::format("--{} {}: lacks the column{} {} of the training table; expected all {} input columns, in "
                    "any order{}",
                    match_.option, table_.file, missing.size() == 1 ? "" : "s", shown_list(missing),
                    wanted_.inputs.size(), did_you_mean(missing[0], spare)));
  }

  /// True if the table has the targets of the training table under their names.
  bool has_targets() const { return lacking(wanted_.targets, places_).empty(); }

  void set_targets() {
    std::vector<std::size_t> targets;
    if (has_targets()) {
      for (const std::string& name : wanted_.targets) targets.push_back(places_.at(name));
    }
    if (!match_.target.empty() && (!targets.empty() || match_.need == Need::answers || !names_schema_targets())) {
      const std::vector<std::size_t> given = columns_of_option("target", match_.target, table_, names_);
      require_input((targets.empty() || given == targets) && given.size() == wanted_.targets.size(),
                    "--target {}: the model predicts {}; expected the same, or no --target", match_.target,
                    shown_list(wanted_.targets));
      targets = given;
    }
    if (targets.empty()) return refuse_or_note_absence();
    const bool no_values =
        std::ranges::all_of(targets, [&](std::size_t c) { return present_in(table_.profile.columns[c]) == 0; });
    if (no_values) return refuse_or_note_absence();
    if (match_.need == Need::all_inputs && note_rows_without(targets)) return;
    for (std::size_t place = 0; place < targets.size(); ++place) {
      ColumnUse& use = columns_.uses[targets[place]];
      require_input(use.role == ColumnUse::Role::none, "--target {}: is an input of the model; expected another column",
                    match_.target);
      use = {ColumnUse::Role::target, place};
    }
  }

  /// True if --target says the same as the schema.
  bool names_schema_targets() const {
    std::string text;
    for (const std::string& name : wanted_.targets) text += (text.empty() ? "" : ",") + name;
    return match_.target == text;
  }

  /// True if some rows lack a target. Then no target is read.
  bool note_rows_without(const std::vector<std::size_t>& targets) {
    std::int64_t missing = 0;
    for (const std::size_t c : targets) missing = std::max(missing, table_.profile.columns[c].missing);
    if (missing == 0) return false;
    columns_.answers = Answers::absent;
    columns_.notes.push_back(fmt::format("{}: {} of {} rows lack {}: all rows are predicted, and none is scored",
                                         table_.file, missing, table_.profile.rows, shown_list(wanted_.targets)));
    return true;
  }

  void refuse_or_note_absence() {
    require_input(match_.need != Need::answers, "--{} {}: lacks values in the target column{} {}; expected them",
                  match_.option, table_.file, wanted_.targets.size() == 1 ? "" : "s", shown_list(wanted_.targets));
    columns_.answers = Answers::absent;
    columns_.notes.push_back(
        fmt::format("{}: has no values of {}: rows are predicted only", table_.file, shown_list(wanted_.targets)));
  }

  void note_others() {
    std::unordered_set<std::string> known(wanted_.left_out.begin(), wanted_.left_out.end());
    known.insert(wanted_.targets.begin(), wanted_.targets.end());
    Names others;
    for (std::size_t c = 0; c < names_.size(); ++c) {
      if (columns_.uses[c].role == ColumnUse::Role::none && !known.contains(names_[c]) && !is_blank(table_, c)) {
        others.push_back(names_[c]);
      }
    }
    if (others.empty()) return;
    columns_.notes.push_back(fmt::format("{}: {}: ignored, as the training table lacks {}", table_.file,
                                         shown_list(others, 10), others.size() == 1 ? "it" : "them"));
  }

  const Match& match_;
  const TableFacts& table_;
  Wanted wanted_;
  Names names_;
  std::unordered_map<std::string_view, std::size_t> places_;
  TableColumns columns_;
};

}  // namespace

TableColumns match_columns(const Match& match, const TableFacts& table) { return Matcher(match, table).find(); }

}  // namespace recombine
