#include "src/data/arrays/array_targets.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>

#include "distributed/io/npy_array.hpp"
#include "kernels/error.hpp"
#include "src/data/arrays/array_store.hpp"
#include "src/data/arrays/whole_classes.hpp"

namespace recombine {

namespace {

constexpr std::size_t kMostClasses = 1000;  // of integers that are classes unless --loss says so
constexpr double kLargestExact = 0x1p53;

/// What one column of targets holds.
struct Numbers {
  bool whole = true;
  std::set<std::int64_t> different;  ///< if all are whole
};

/// One reading of --target-data.
class TargetReader {
 public:
  TargetReader(const DataOptions& options, DataBudget& budget, DataSet& set)
      : options_(options),
        budget_(budget),
        set_(set),
        array_("--target-data " + options.target_data, options.target_data) {}

  void load() {
    const NpyHeader& header = array_.header();
    const std::int64_t rows = set_.data.train.rows;
    require_input(header.shape.size() <= 2, "{}: has {} dimensions; expected [{}], or [{},m] for m targets",
                  array_.name(), header.shape.size(), rows, rows);
    require_input(header.rows == rows, "{}: has {} rows; expected {}, as --data {}", array_.name(), header.rows, rows,
                  options_.data);
    require_input(header.cols > 0, "{}: has no columns; expected at least one", array_.name());
    are_classes() ? read_labels() : read_values();
  }

 private:
  /// Calls `visit(first, values)` for all values, in parts of whole rows.
  void for_each_part(const std::function<void(std::int64_t first, std::span<const double> values)>& visit) const {
    const std::int64_t rows = array_.header().rows, cols = array_.header().cols;
    const std::int64_t some = rows_at_once(rows, cols);
    std::vector<double> values(static_cast<std::size_t>(some * cols));
    for (std::int64_t first = 0; first < rows; first += some) {
      const std::int64_t n = std::min(some, rows - first);
      array_.read(first, as_matrix(vector_view(values.data(), n * cols), n, cols));
      visit(first * cols, std::span(values).first(static_cast<std::size_t>(n * cols)));
    }
  }

  bool is_float_type() const { return is_float(array_.header().type.element); }

  bool are_classes() {
    const bool one_column = array_.header().cols == 1;
    if (options_.schema) {
      const bool expected = !options_.schema->classes.empty();
      require_input(!expected || one_column, "{}: has {} columns; the model expects one, of classes", array_.name(),
                    array_.header().cols);
      return expected;
    }
    if (options_.answers == AnswerKind::numbers) return false;
    if (options_.answers == AnswerKind::classes) {
      require_input(one_column, "{}: has {} columns; expected one, of classes, or --loss mse", array_.name(),
                    array_.header().cols);
      return true;
    }
    if (!one_column) return false;
    const Numbers numbers = look(kMostClasses);
    const bool few = numbers.whole && numbers.different.size() <= kMostClasses;
    const char* const file = options_.target_data.c_str();
    if (!is_float_type() && few) {
      note("{}: whole numbers, {} different: classes (--loss mse for a regression)", file, numbers.different.size());
    } else if (!is_float_type()) {
      note("{}: whole numbers, more than {} different: a regression (--loss cross-entropy for classes)", file,
           kMostClasses);
    } else if (few && numbers.different.size() <= 20) {
      note("{}: floats, all whole, {} different: a regression (--loss cross-entropy for classes)", file,
           numbers.different.size());
    }
    return !is_float_type() && few;
  }

  template <class... Values>
  void note(const char* format, const Values&... values) {
    set_.notes.push_back(fmt::format(fmt::runtime(format), values...));
  }

  /// Stops to collect numbers once there are more than `most`.
  Numbers look(std::size_t most) const {
    Numbers numbers;
    for_each_part([&](std::int64_t, std::span<const double> values) {
      for (const double y : values) {
        numbers.whole = numbers.whole && y == std::trunc(y) && std::abs(y) <= kLargestExact;
        if (!numbers.whole || numbers.different.size() > most) return;
        numbers.different.insert(static_cast<std::int64_t>(y));
      }
    });
    return numbers;
  }

  void require_whole(std::int64_t at, double y) const {
    require_input(y == std::trunc(y) && std::abs(y) <= kLargestExact,
                  "{}: element [{}] is {}; expected the whole number of a class, or --loss mse", array_.name(), at, y);
  }

  void read_labels() {
    const std::int64_t rows = array_.header().rows;
    budget_.take_table(array_.name(), static_cast<double>(rows) * sizeof(std::int32_t));
    const WholeClasses classes = options_.schema ? WholeClasses(options_.schema->classes) : found_classes();
    std::vector<std::int32_t>& labels = set_.data.train.labels;
    labels.reserve(static_cast<std::size_t>(rows));
    for_each_part([&](std::int64_t, std::span<const double> values) {
      for (const double y : values) {
        const auto at = static_cast<std::int64_t>(labels.size());
        require_whole(at, y);
        const auto label = classes.class_of(static_cast<std::int64_t>(y));
        require_input(label.has_value(),
                      "{}: element [{}] is {}, which is no class of the model; expected one of its classes, "
                      "such as '{}'",
                      array_.name(), at, y, classes.names().front());
        labels.push_back(*label);
      }
    });
    set_.schema.classes = classes.names();
    set_.data.classes = static_cast<std::int64_t>(classes.names().size());
  }

  WholeClasses found_classes() const {
    for_each_part([&](std::int64_t first, std::span<const double> values) {
      for (std::size_t i = 0; i < values.size(); ++i) require_whole(first + static_cast<std::int64_t>(i), values[i]);
    });
    const Numbers numbers = look(static_cast<std::size_t>(array_.header().rows));
    require_input(numbers.different.size() > 1, "{}: all labels are {}; expected at least two classes", array_.name(),
                  *numbers.different.begin());
    return WholeClasses(numbers.different);
  }

  void read_values() {
    LoadedTable& table = set_.data.train;
    table.outputs = array_.header().cols;
    const std::int64_t count = table.rows * table.outputs;
    budget_.take_table(array_.name(), static_cast<double>(count) * sizeof(float));
    table.targets.resize(static_cast<std::size_t>(count));
    array_.read(0, as_matrix(vector_view(table.targets.data(), count), table.rows, table.outputs));
    require_finite(array_.name(), array_.header().shape, 0, table.targets);
  }

  const DataOptions& options_;
  DataBudget& budget_;
  DataSet& set_;
  NpyArray array_;
};

}  // namespace

void load_targets(const DataOptions& options, DataBudget& budget, DataSet& set) {
  TargetReader(options, budget, set).load();
}

}  // namespace recombine
