// Input: a table of text after two bytes, which select options. Whatever the table is, its inputs are finite, and read
// again with the schema it gives the same inputs.

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include "src/data/load_data.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace recombine;

namespace {

/// `text` if the bit of `bits` is set.
std::string text_if(unsigned bits, unsigned bit, std::string_view text) {
  return std::string((bits & bit) != 0 ? text : std::string_view());
}

DataOptions options_of(unsigned way, unsigned more, const std::string& path) {
  static constexpr std::array kTargets = {"y", "-1", "1", "1,2"};
  return {.data = path,
          .target = kTargets[way & 3],
          .features = text_if(more, 8, "b,a"),
          .ignore = text_if(more, 4, "1"),
          .categories = 1 + (more >> 4),
          .missing = static_cast<Missing>(way >> 2 & 3),
          .standardize = (way & 64) != 0 ? Standardize::no : Standardize::automatic,
          .answers = static_cast<AnswerKind>((way >> 4 & 3) % 3),
          .validation = text_if(more, 1, "0.25"),
          .test = text_if(more, 2, "0.5"),
          .memory = {.host_bytes = 32 << 20}};
}

std::vector<float> features_of(const LoadedTable& table) {
  std::vector<float> values(static_cast<std::size_t>(table.rows * table.inputs));
  if (table.rows > 0) table.store->read(0, values);
  return values;
}

void check(const DataSet& set, const LoadedTable& table) {
  fuzz::insist(std::ranges::none_of(features_of(table), [](float x) { return std::isnan(x); }), "NaN");
  const bool has_labels = set.data.classes > 0;
  fuzz::insist(static_cast<std::int64_t>(table.labels.size()) == (has_labels ? table.rows : 0), "labels are missing");
  fuzz::insist(static_cast<std::int64_t>(table.targets.size()) == table.rows * table.outputs, "targets are missing");
  fuzz::insist(std::ranges::all_of(table.labels, [&](auto label) { return 0 <= label && label < set.data.classes; }),
               "a label is no class");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  static const fuzz::MemoryFile file;
  file.write(fuzz::text_of(data + 2, size - 2));
  DataOptions options = options_of(data[0], data[1], file.path());
  DataSet set;
  if (!fuzz::accepts([&] { set = load_data(options); })) return 0;
  fuzz::insist(set.data.train.rows > 0 && set.data.train.inputs == set.schema.width(), "no rows, or other inputs");
  for (const LoadedTable* table : {&set.data.train, &set.data.test, &set.data.validation}) check(set, *table);

  options.schema = schema_from_json("schema", to_json(set.schema));
  for (std::string* option : {&options.target, &options.features, &options.ignore}) option->clear();
  DataSet again;
  fuzz::insist(fuzz::accepts([&] { again = load_data(options); }), "its own schema refuses the table");
  const auto same = [](float a, float b) { return a == b; };
  fuzz::insist(std::ranges::equal(features_of(again.data.train), features_of(set.data.train), same), "other inputs");
  fuzz::insist(again.data.train.labels == set.data.train.labels, "other labels");
  return 0;
}
