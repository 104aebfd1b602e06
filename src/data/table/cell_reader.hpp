#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "src/data/table/table_columns.hpp"

namespace recombine {

/// Finds the place of a text in a list.
class TextPlaces {
 public:
  explicit TextPlaces(const std::vector<std::string>& texts);
  std::optional<std::size_t> find(std::string_view text) const;

 private:
  std::map<std::string, std::size_t, std::less<>> places_;
};

/// Finds the class that a text means. Compares numbers by value (1.0 is 1), and ignores the case of true, false, yes
/// and no.
class ClassPlaces {
 public:
  ClassPlaces(const std::vector<std::string>& classes, char decimal);
  std::optional<std::size_t> find(std::string_view text) const;

 private:
  TextPlaces texts_, small_texts_;
  std::map<double, std::size_t> numbers_;  ///< empty unless all classes are numbers
  char decimal_;
};

/// How far values are prepared for the network. raw: minus their origin, but not yet scaled; missing numbers are NaN.
enum class Stage { raw, scaled };

/// Turns the cells of a row into the inputs and targets that a schema describes. Several threads may use it.
class CellReader {
 public:
  CellReader(const TableFacts& table, const TableColumns& columns, const TableSchema& schema, Stage stage);

  std::int64_t inputs() const { return inputs_; }

  /// @param inputs  [inputs()]  @throws InputError that names file, line, column, the text, and what is expected
  void read_inputs(std::int64_t line, std::span<const std::string_view> cells, std::span<float> inputs) const;
  std::int32_t read_label(std::int64_t line, std::span<const std::string_view> cells) const;
  /// @param targets  one for each target column
  void read_targets(std::int64_t line, std::span<const std::string_view> cells, std::span<float> targets) const;

 private:
  struct Input {
    std::size_t cell;
    std::size_t first;  ///< its first input of the network
    const InputColumn& column;
    TextPlaces categories;
  };
  struct Place {
    std::int64_t line;
    const std::string& column;
    std::string_view cell;
  };

  std::string text_of(std::string_view cell) const;
  bool is_missing(std::string_view cell) const;
  void read_category(const Input& input, const Place& place, std::span<float> inputs) const;
  float read_number(const Input& input, const Place& place) const;
  [[noreturn]] void refuse(const Place& place, const std::string& expected) const;

  const TableFacts& table_;
  const TableSchema& schema_;
  Stage stage_;
  std::int64_t inputs_ = 0;
  std::vector<Input> columns_;
  std::vector<std::size_t> target_cells_;
  ClassPlaces classes_;
};

}  // namespace recombine
