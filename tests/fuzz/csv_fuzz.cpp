// Input: a CSV file after a first byte. The first byte selects the targets, and whether the harness compresses the file
// (in several gzip members): a mutation of compressed bytes would mostly break the checksum only.

#include <algorithm>
#include <cmath>

#include "src/data/csv.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace recombine;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const unsigned way = data[0];
  const std::string_view text = fuzz::text_of(data + 1, size - 1);
  static const fuzz::MemoryFile file;
  file.write((way & 1) != 0 ? fuzz::gzip(text, (way & 2) != 0 ? text.size() / 5 + 1 : text.size() + 1) : text);
  const std::string target = (way & 4) != 0 ? "y,a" : (way & 8) != 0 ? std::string(text.substr(0, 5)) : "y";
  DataBudget budget({.host_bytes = 32 << 20});
  CsvTable csv;
  if (!fuzz::accepts([&] { csv = load_csv(file.path(), target, budget); })) return 0;
  const LoadedTable& table = csv.table;
  fuzz::insist(table.rows >= 1 && table.inputs >= 1 && table.outputs >= 1, "a table without rows or columns");
  fuzz::insist(static_cast<std::int64_t>(table.features.size()) == table.rows * table.inputs, "features are missing");
  fuzz::insist(static_cast<std::int64_t>(table.targets.size()) == table.rows * table.outputs, "targets are missing");
  fuzz::insist(std::ranges::all_of(table.features, [](float x) { return std::isfinite(x); }), "not finite");
  return 0;
}
