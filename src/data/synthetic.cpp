#include "src/data/synthetic.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "kernels/error.hpp"
#include "kernels/random.hpp"

namespace recombine {

namespace {

constexpr std::int64_t kTeacherWidth = 32;
constexpr std::int64_t kMostElements = std::int64_t{1} << 34;

/// Numbers of random tensors; they differ from those of the model's tensors.
enum class Stream : std::uint64_t { inputs = 0x73796E00, first_layer, second_layer };

float random_at(std::uint64_t seed, Stream stream, std::int64_t index) {
  const auto i = static_cast<std::uint64_t>(index);
  return signed_unit(random_words(seed, static_cast<std::uint64_t>(stream), i / 4)[i % 4]);
}

std::array<std::int64_t, 3> parse_sizes(const std::string& spec) {
  static constexpr std::size_t kPrefix = sizeof("synthetic:") - 1;
  std::array<std::int64_t, 3> sizes{};
  const char* at = spec.data() + kPrefix;
  const char* const end = spec.data() + spec.size();
  bool ok = true;
  for (std::size_t s = 0; s < sizes.size() && ok; ++s) {
    const auto [next, error] = std::from_chars(at, end, sizes[s]);
    ok = error == std::errc{} && sizes[s] >= 1 && sizes[s] <= kMostElements &&
         (s == 2 ? next == end : next != end && *next == ',');
    at = ok && s < 2 ? next + 1 : next;
  }
  require_input(
      ok && sizes[0] <= kMostElements / std::max(sizes[1], sizes[2]),
      "--data {}: expected synthetic:ROWS,IN,OUT such as synthetic:10000,64,8, with at most 2^34 inputs and 2^34 "
      "outputs over all rows",
      spec);
  return sizes;
}

struct Teacher {
  std::int64_t inputs, outputs;
  std::vector<float> first, second;  ///< [32, inputs], [outputs, 32]

  Teacher(std::int64_t in, std::int64_t out, std::uint64_t seed) : inputs(in), outputs(out) {
    const float first_scale = std::sqrt(3.0F / static_cast<float>(in));
    const float second_scale = std::sqrt(3.0F / static_cast<float>(kTeacherWidth));
    for (std::int64_t i = 0; i < in * kTeacherWidth; ++i) {
      first.push_back(first_scale * random_at(seed, Stream::first_layer, i));
    }
    for (std::int64_t i = 0; i < out * kTeacherWidth; ++i) {
      second.push_back(second_scale * random_at(seed, Stream::second_layer, i));
    }
  }

  void answer(const float* x, float* y) const {
    std::array<float, kTeacherWidth> hidden{};
    for (std::int64_t h = 0; h < kTeacherWidth; ++h) {
      float sum = 0;
      for (std::int64_t i = 0; i < inputs; ++i) sum += first[static_cast<std::size_t>(h * inputs + i)] * x[i];
      hidden[static_cast<std::size_t>(h)] = std::tanh(sum);
    }
    for (std::int64_t o = 0; o < outputs; ++o) {
      y[o] = 0;
      for (std::int64_t h = 0; h < kTeacherWidth; ++h) {
        y[o] += second[static_cast<std::size_t>(o * kTeacherWidth + h)] * hidden[static_cast<std::size_t>(h)];
      }
    }
  }
};

LoadedTable make_table(const Teacher& teacher, std::uint64_t seed, std::int64_t first_row, std::int64_t rows) {
  LoadedTable table{.rows = rows, .inputs = teacher.inputs, .outputs = teacher.outputs};
  table.features.resize(static_cast<std::size_t>(rows * teacher.inputs));
  table.targets.resize(static_cast<std::size_t>(rows * teacher.outputs));
  for (std::int64_t r = 0; r < rows; ++r) {
    float* const x = table.features.data() + r * teacher.inputs;
    for (std::int64_t i = 0; i < teacher.inputs; ++i) {
      x[i] = random_at(seed, Stream::inputs, (first_row + r) * teacher.inputs + i);
    }
    teacher.answer(x, table.targets.data() + r * teacher.outputs);
  }
  return table;
}

}  // namespace

LoadedData make_synthetic(const std::string& spec, std::uint64_t seed, DataBudget& budget) {
  const auto [rows, inputs, outputs] = parse_sizes(spec);
  const std::int64_t test_rows = std::max<std::int64_t>(1, rows / 10);
  const double row_bytes = static_cast<double>(inputs + outputs) * sizeof(float);
  budget.take("--data " + spec, kTeacherWidth * row_bytes);
  budget.take_table("--data " + spec, static_cast<double>(rows + test_rows) * row_bytes);
  const Teacher teacher(inputs, outputs, seed);
  LoadedData data{.name = spec};
  data.train = make_table(teacher, seed, 0, rows);
  data.test = make_table(teacher, seed, rows, test_rows);
  return data;
}

}  // namespace recombine
