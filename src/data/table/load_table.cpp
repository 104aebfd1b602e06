#include "src/data/table/load_table.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "distributed/io/file_kind.hpp"
#include "kernels/error.hpp"
#include "src/data/table/choose_columns.hpp"
#include "src/data/table/finish.hpp"
#include "src/data/table/match_columns.hpp"
#include "src/program/byte_text.hpp"

namespace recombine {

namespace {

std::string file_name(const std::string& path) {
  return path == "-" ? "standard input" : std::filesystem::path(path).filename().string();
}

/// Loads the file of --data and those of --validation and --test.
class TableLoader {
 public:
  TableLoader(const DataOptions& options, DataBudget& budget) : options_(options), budget_(budget) {}

  DataSet load() {
    set_.data.name = file_name(options_.data);
    load_training();
    set_.data.classes = static_cast<std::int64_t>(set_.schema.classes.size());
    load_file("test", options_.test, set_.data.test);
    load_file("validation", options_.validation, set_.data.validation);
    return std::move(set_);
  }

 private:
  void add_notes(const std::vector<std::string>& notes) {
    set_.notes.insert(set_.notes.end(), notes.begin(), notes.end());
  }

  void load_training() {
    const TextTable table = open_table(options_.data, options_.text, budget_);
    add_notes(table.notes);
    const TableColumns columns = training_columns(table);
    std::vector<RowRole> roles = find_dropped_rows(table, columns, set_.schema.missing);
    note_dropped(table, roles);
    for (const Share& share : shares_of(options_.test, options_.validation)) split_rows(roles, share, options_.seed);
    const Stage stage = options_.schema ? Stage::scaled : Stage::raw;
    EncodedTable encoded = encode({table, columns, set_.schema, roles, stage, place_for(table, roles)});
    auto& [train, test, validation] = encoded.tables;
    if (stage == Stage::raw) {
      require_classes(table, train);
      set_scaling(options_, encoded, set_.schema);
      for (LoadedTable& part : encoded.tables) scale(set_.schema, part);
    }
    add_notes(missing_notes(table.facts, columns, set_.schema));
    set_.data.train = std::move(train);
    set_.data.test = std::move(test);
    set_.data.validation = std::move(validation);
  }

  TableColumns training_columns(const TextTable& table) {
    if (options_.schema) {
      require_input(options_.features.empty() && options_.ignore.empty(),
                    "--{}: the model knows its input columns; expected no such option",
                    options_.features.empty() ? "ignore" : "features");
      set_.schema = *options_.schema;
      const Need need = options_.purpose == Purpose::predictions ? Need::all_inputs : Need::inputs;
      TableColumns columns = match_columns({set_.schema, "data", options_.target, need}, table.facts);
      set_.answers = columns.answers;
      add_notes(columns.notes);
      return columns;
    }
    ChosenColumns chosen = choose_columns(options_, table.facts);
    set_.schema = std::move(chosen.schema);
    add_notes(chosen.columns.notes);
    return std::move(chosen.columns);
  }

  void note_dropped(const TextTable& table, const std::vector<RowRole>& roles) {
    const std::int64_t dropped = std::ranges::count(roles, RowRole::dropped);
    if (dropped == 0) return;
    set_.notes.push_back(fmt::format("{}: {} of {} rows are left out: they lack the target{}", table.facts.file,
                                     dropped, roles.size(),
                                     set_.schema.missing == Missing::drop ? " or an input" : ""));
  }

  /// Refuses training rows of one class. The table as a whole has several.
  void require_classes(const TextTable& table, const LoadedTable& train) const {
    if (train.labels.empty()) return;
    const auto [least, most] = std::ranges::minmax(train.labels);
    require_input(least < most, "{}: all {} training rows have class '{}'; expected at least two classes",
                  table.facts.file, train.rows, set_.schema.classes[static_cast<std::size_t>(least)]);
  }

  /// Counts the memory of the rows. If they take more than half of what is left, they are kept on a disk.
  FeatureStore::Place place_for(const TextTable& table, const std::vector<RowRole>& roles) {
    const RowCounts counts = count_rows(roles);
    const auto rows = static_cast<double>(counts[0] + counts[1] + counts[2]);
    const double answers = set_.schema.classes.empty() ? static_cast<double>(set_.schema.targets.size()) : 1;
    budget_.take_table(table.facts.file, rows * answers * sizeof(float));
    const double bytes = rows * static_cast<double>(set_.schema.width()) * sizeof(float);
    if (budget_.fits_half(bytes)) {
      budget_.take(table.facts.file, bytes);
      return FeatureStore::Place::memory;
    }
    set_.notes.push_back(fmt::format("{}: {} rows take {}, more than half of the memory: they are kept on a disk",
                                     table.facts.file, rows, byte_text(bytes)));
    return FeatureStore::Place::disk;
  }

  /// Reads a file of --test or --validation as the training table was read.
  void load_file(const std::string& option, const std::string& path, LoadedTable& to) {
    if (path.empty() || fraction_of(option, path)) return;
    require_input(path != "-", "--{} -: standard input is for --data; expected a fraction or a file", option);
    require_input(!kind_at(path).empty(), "--{} {}: there is no such file; expected a fraction such as 0.1, or a file",
                  option, path);
    const TextTable table = open_table(path, options_.text, budget_);
    add_notes(table.notes);
    const TableColumns columns = match_columns({set_.schema, option, "", Need::answers}, table.facts);
    add_notes(columns.notes);
    const std::vector<RowRole> roles = find_dropped_rows(table, columns, set_.schema.missing);
    note_dropped(table, roles);
    EncodedTable encoded = encode({table, columns, set_.schema, roles, Stage::scaled, place_for(table, roles)});
    to = std::move(encoded.tables[static_cast<std::size_t>(RowRole::train)]);
  }

  const DataOptions& options_;
  DataBudget& budget_;
  DataSet set_;
};

}  // namespace

DataSet load_table(const DataOptions& options, DataBudget& budget) { return TableLoader(options, budget).load(); }

}  // namespace recombine
