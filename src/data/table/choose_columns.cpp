#include "src/data/table/choose_columns.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>

#include "kernels/error.hpp"
#include "src/data/shown.hpp"
#include "src/data/table/choose_target.hpp"
#include "src/data/table/column_content.hpp"
#include "src/data/table/guess_target.hpp"

namespace recombine {

namespace {

using Columns = std::vector<std::size_t>;

std::string reason_of(Useless why) {
  switch (why) {
    case Useless::nothing: return "no values";
    case Useless::one_value: return "the same value in every row";
    case Useless::row_number: return "the number of the row; to keep it, name all inputs with --features";
    case Useless::different_texts: return "a different text in every row";
    case Useless::row_names: return "no name in the header, as for names or numbers of the rows";
  }
  return "";
}

/// True if the numbers of a column differ, but f32 tells fewer than about 1,000 of them apart.
bool differ_by_little(const ColumnProfile& column) {
  static constexpr double kLeast = 1.0 / (1 << 14);  // of the size
  const double size = std::max(std::abs(column.least), std::abs(column.most));
  const double range = column.most - column.least;
  return range > 0 && range < kLeast * size;
}

/// Goes through the columns of a table one by one.
class Chooser {
 public:
  Chooser(const DataOptions& options, const TableFacts& table)
      : options_(options), table_(table), names_(column_names(table)) {
    chosen_.schema.missing = options.missing;
    chosen_.columns.uses.resize(names_.size());
  }

  ChosenColumns choose() {
    find_named_columns();
    const std::string note = choose_target(options_, table_, names_, targets_, chosen_.schema);
    for (std::size_t place = 0; place < targets_.size(); ++place) {
      refuse_missing(targets_[place]);
      chosen_.columns.uses[targets_[place]] = {ColumnUse::Role::target, place};
    }
    Columns candidates;
    for (std::size_t c = 0; c < names_.size(); ++c) {
      if (is_target_[c]) continue;
      (is_candidate(c) ? candidates : left_out_).push_back(c);
    }
    add_inputs(candidates);
    std::ranges::sort(left_out_);
    for (const std::size_t c : left_out_) chosen_.schema.left_out.push_back(names_[c]);
    if (!note.empty()) chosen_.columns.notes.push_back(note);
    note_left_out();
    note_counting();
    note_categories();
    set_origins();
    return std::move(chosen_);
  }

 private:
  const ColumnProfile& cells(std::size_t c) const { return table_.profile.columns[c]; }
  bool is_candidate(std::size_t c) const { return options_.features.empty() ? !is_ignored_[c] : is_feature_[c]; }

  /// pandas and R write the names of the rows before the other columns, without a name in the header.
  bool names_rows(std::size_t c) const {
    return c == 0 && table_.dialect.names[c].empty() && !is_feature_[c] && present_in(cells(c)) > 0;
  }

  std::vector<bool> marks(const char* option, const std::string& text) const {
    std::vector<bool> is_named(names_.size());
    if (text.empty()) return is_named;
    for (const std::size_t c : columns_of_option(option, text, table_, names_)) is_named[c] = true;
    return is_named;
  }

  void find_named_columns() {
    require_input(
        names_.size() > 1,
        "{}: has one column, {}; expected several: --separator comma, semicolon, tab, pipe or space says what "
        "separates them",
        table_.file, shown(names_[0]));
    is_target_ = marks("target", options_.target);
    is_feature_ = marks("features", options_.features);
    is_ignored_ = marks("ignore", options_.ignore);
    if (options_.target.empty()) {
      guess_target_column();
    } else {
      targets_ = columns_of_option("target", options_.target, table_, names_);
    }
    for (std::size_t c = 0; c < names_.size(); ++c) {
      require_input(is_target_[c] + is_feature_[c] + is_ignored_[c] <= 1,
                    "--{} {}: is also named in --{}; expected only one of the two",
                    is_ignored_[c] ? "ignore" : "features", names_[c], is_target_[c] ? "target" : "features");
    }
    require_input(targets_.size() < names_.size(),
                  "--target {}: leaves no input column in {}; expected at least one (columns found: {})",
                  options_.target, table_.file, shown_list(names_));
  }

  void guess_target_column() {
    std::vector<bool> free(names_.size());
    for (std::size_t c = 0; c < names_.size(); ++c) free[c] = !is_feature_[c] && !is_ignored_[c];
    const std::optional<GuessedTarget> guess = guess_target(table_, names_, free);
    require_input(guess.has_value(),
                  "--target: {} has the columns {}; expected the one to predict, by its name or number (-1: the last)",
                  table_.file, shown_list(names_));
    targets_ = {guess->column};
    is_target_[guess->column] = true;
    chosen_.columns.notes.push_back(guess->note);
  }

  /// A column that says nothing is no input, unless --features names it.
  void add_inputs(const Columns& candidates) {
    std::vector<Content> contents;
    Columns kept, counts;
    for (const std::size_t c : candidates) {
      if (names_rows(c)) {
        contents.push_back(Content::nothing);
        reasons_[Useless::row_names].push_back(c);
        continue;
      }
      const Content content = content_of(table_, c, names_[c]);
      const std::optional<Useless> why = uselessness(table_, c, content);
      contents.push_back(content);
      if (content == Content::texts && !is_feature_[c]) refuse_decorated_numbers(c, why);
      require_input(!is_feature_[c] || content != Content::nothing,
                    "--features {}: {} has no values in this column; expected numbers or categories", names_[c],
                    table_.file);
      if (!why || is_feature_[c]) {
        kept.push_back(c);
      } else {
        (*why == Useless::row_number ? counts : reasons_[*why]).push_back(c);
      }
    }
    if (kept.empty()) kept.swap(counts);  // numbers 1, 2, 3 ... as the only input are one
    if (kept.size() > 1) counting_ = counting_columns(kept);
    if (!counts.empty()) reasons_[Useless::row_number] = counts;
    std::ranges::sort(kept);
    auto next = kept.begin();
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      if (next != kept.end() && *next == candidates[i]) {
        add_input(*next++, contents[i]);
      } else {
        left_out_.push_back(candidates[i]);
      }
    }
    refuse_too_many();
    require_input(!kept.empty(),
                  "{}: no input column is left{}; expected at least one column that differs between rows", table_.file,
                  reasons_text());
  }

  void refuse_missing(std::size_t c) const {
    require_input(cells(c).missing == 0 || options_.missing != Missing::error,
                  "{}, line {}, column {}: the value is missing; expected one, or another --missing than error",
                  table_.file, cells(c).first_missing, shown(names_[c]));
  }

  /// Texts that would be left out or refused, but hold numbers.
  void refuse_decorated_numbers(std::size_t c, std::optional<Useless> why) const {
    if (why != Useless::different_texts && !has_too_many(c)) return;
    if (!are_decorated_numbers(cells(c), table_.dialect.decimal)) return;
    throw InputError(fmt::format("{}, line {}, column {}: {}; expected a number without a unit, or --ignore {}",
                                 table_.file, cells(c).first_text, shown(names_[c]), shown(cells(c).first_text_value),
                                 as_option({names_[c]})));
  }
  bool has_too_many(std::size_t c) const {
    return cells(c).has_more_values || static_cast<std::int64_t>(cells(c).values.size()) > options_.categories;
  }

  void add_input(std::size_t c, Content content) {
    refuse_missing(c);
    InputColumn column{.name = names_[c]};
    if (content == Content::yes_no) {
      column.kind = ColumnKind::yes_no;
      column.categories = yes_no_texts(cells(c));
    } else if (content == Content::texts) {
      const auto& values = cells(c).values;
      if (has_too_many(c)) {
        too_many_.push_back(c);
        return;
      }
      column.kind = ColumnKind::category;
      column.categories.assign(values.begin(), values.end());
      column.has_missing = cells(c).missing > 0 && options_.missing != Missing::drop;
    }
    chosen_.columns.uses[c] = {ColumnUse::Role::input, chosen_.schema.inputs.size()};
    chosen_.schema.inputs.push_back(std::move(column));
  }

  /// Names all columns with too many categories at once.
  void refuse_too_many() const {
    if (too_many_.empty()) return;
    std::string list;
    for (const std::size_t c : too_many_) {
      list += fmt::format("{}{} ({}{})", list.empty() ? "" : ", ", shown(names_[c]),
                          cells(c).has_more_values ? "more than " : "", cells(c).values.size());
    }
    throw InputError(
        fmt::format("{}: too many different texts for categories in {}; expected at most {} (--categories), "
                    "or --ignore {}",
                    table_.file, list, options_.categories, as_option(names_of(too_many_))));
  }

  std::vector<std::string> names_of(const Columns& columns) const {
    std::vector<std::string> names;
    for (const std::size_t c : columns) names.push_back(names_[c]);
    return names;
  }
  std::string reasons_text() const {
    std::string text;
    for (const auto& [why, columns] : reasons_) {
      text += fmt::format("{} {} ({})", text.empty() ? ":" : ",", shown_list(names_of(columns), 10), reason_of(why));
    }
    return text;
  }
  void note_left_out() {
    for (const auto& [why, columns] : reasons_) {
      note(fmt::format("{}: left out: {}", shown_list(names_of(columns), 10), reason_of(why)));
    }
  }
  /// Inputs that may be numbers of the rows, although their names do not say so.
  Columns counting_columns(const Columns& inputs) const {
    Columns counting;
    std::ranges::copy_if(inputs, std::back_inserter(counting),
                         [&](std::size_t c) { return !is_feature_[c] && counts_rows(cells(c)); });
    return counting;
  }
  void note_counting() {
    if (counting_.empty()) return;
    note(fmt::format("{} count{} the rows: --ignore {} leaves {} out", shown_list(names_of(counting_), 10),
                     counting_.size() == 1 ? "s" : "", as_option(names_of(counting_)),
                     counting_.size() == 1 ? "it" : "them"));
  }
  void note_categories() {
    std::string list;
    for (const InputColumn& column : chosen_.schema.inputs) {
      if (column.kind != ColumnKind::category) continue;
      list += fmt::format("{}{} ({}{})", list.empty() ? "" : ", ", shown(column.name), column.categories.size(),
                          column.has_missing ? " and missing" : "");
    }
    if (!list.empty()) note("an input for each category: " + list);
  }
  /// Numbers that differ by little for f32, which has 24 bits, are stored as differences from their middle. If they are
  /// not to be standardized, the network gets them as they are, and a note says so.
  void set_origins() {
    for (std::size_t c = 0; c < names_.size(); ++c) {
      double* const origin = origin_of(chosen_.columns.uses[c]);
      if (origin == nullptr || !differ_by_little(cells(c))) continue;
      if (options_.standardize == Standardize::no) {
        note(fmt::format("{}: {} to {} differ by little for f32; without --no-standardize they keep their digits",
                         shown(names_[c]), cells(c).least, cells(c).most));
      } else {
        *origin = cells(c).least + (cells(c).most - cells(c).least) / 2;
      }
    }
  }
  /// Of a number column, or a target of a regression; others have none.
  double* origin_of(const ColumnUse& use) {
    TableSchema& schema = chosen_.schema;
    if (use.role == ColumnUse::Role::input && schema.inputs[use.place].kind == ColumnKind::number) {
      return &schema.inputs[use.place].origin;
    }
    return use.role == ColumnUse::Role::target && schema.classes.empty() ? &schema.targets[use.place].origin : nullptr;
  }
  void note(const std::string& text) { chosen_.columns.notes.push_back(fmt::format("{}: {}", table_.file, text)); }

  const DataOptions& options_;
  const TableFacts& table_;
  std::vector<std::string> names_;
  Columns targets_, left_out_, counting_, too_many_;
  std::vector<bool> is_target_, is_feature_, is_ignored_;  ///< for each column
  std::map<Useless, Columns> reasons_;
  ChosenColumns chosen_;
};

}  // namespace

ChosenColumns choose_columns(const DataOptions& options, const TableFacts& table) {
  return Chooser(options, table).choose();
}

}  // namespace recombine
