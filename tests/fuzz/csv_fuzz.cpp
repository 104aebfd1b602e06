// Input: a table of text after two bytes. The first selects options, and whether the harness compresses the table (in
// several gzip members): a mutation of compressed bytes would mostly break the checksum only. The second is the size of
// chunks: a table read in small chunks must be the table read in one.

#include <array>
#include <optional>

#include "kernels/error.hpp"
#include "src/data/text/profile.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/support/described_table.hpp"

using namespace recombine;

namespace {

TextOptions options_of(unsigned way) {
  static constexpr std::array<std::optional<char>, 8> kSeparators = {{{}, {}, ',', ';', '\t', '|', ' ', ':'}};
  return {kSeparators[way & 7], (way & 8) != 0 ? Header::none : Header::automatic};
}

/// All that is found in the table, or the error.
std::string read_all(const TextFile& text, const TextOptions& options, std::int64_t chunk_bytes) {
  std::string all;
  try {
    Dialect dialect = find_dialect(text, options);
    const TableProfile table = profile_table(text, dialect, chunk_bytes);
    fuzz::insist(table.columns.size() == dialect.names.size(), "columns are missing");
    all = described(table) + rows_of(text, dialect, table);
    for (const std::string& name : dialect.names) all += utf8(name, Encoding::utf8) + "\n";
  } catch (const InputError& error) {
    all = error.what();
  }
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const unsigned way = data[0];
  const std::string_view table = fuzz::text_of(data + 2, size - 2);
  static const fuzz::MemoryFile file;
  file.write((way & 16) != 0 ? fuzz::gzip(table, (way & 32) != 0 ? table.size() / 5 + 1 : table.size() + 1) : table);
  std::optional<TextFile> text;
  if (!fuzz::accepts([&] { text.emplace(file.path(), DataBudget({})); })) return 0;
  const TextOptions options = options_of(way);
  const std::string whole = read_all(*text, options, text->bytes());
  if (text->bytes() < (1 << 16)) fuzz::insist(read_all(*text, options, 1 + data[1] % 64) == whole, "chunks differ");
  return 0;
}
