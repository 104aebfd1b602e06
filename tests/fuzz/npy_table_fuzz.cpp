// Input: a first byte, then X.npy, then Y.npy. The first byte selects what --loss says, and the size of X.npy, in 1/64
// of the input.

#include "src/data/arrays/npy_table.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/fuzz/loaded_array.hpp"

using namespace recombine;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  static const fuzz::MemoryFile inputs, targets;
  const unsigned way = data[0];
  const std::string_view bytes = fuzz::text_of(data + 1, size - 1);
  const std::size_t cut = bytes.size() * (way & 63) / 64;
  inputs.write(bytes.substr(0, cut));
  targets.write(bytes.substr(cut));
  DataOptions options{.data = inputs.path(), .target_data = targets.path()};
  if ((way & 64) != 0) options.answers = AnswerKind::classes;
  if ((way & 128) != 0) options.schema = TableSchema{.targets = {{.name = "class"}}, .classes = {"0", "1", "3"}};
  DataBudget budget({.host_bytes = 32 << 20});
  DataSet set;
  if (!fuzz::accepts([&] { set = load_npy(options, budget); })) return 0;
  const LoadedTable& table = set.data.train;
  fuzz::insist_array(set.data);
  const bool has_classes = set.data.classes > 0;
  fuzz::insist(static_cast<std::int64_t>(table.labels.size()) == (has_classes ? table.rows : 0), "labels are missing");
  fuzz::insist(static_cast<std::int64_t>(table.targets.size()) == table.rows * table.outputs, "targets are missing");
  return 0;
}
