// Input: the header of a .npy file. The file's size is the input's size, or the number in its first bytes.

#include <algorithm>
#include <cstring>

#include "distributed/io/npy_header.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace recombine;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes = fuzz::text_of(data, size);
  const auto parse = [](std::string_view file, std::int64_t file_bytes) {
    const auto most = static_cast<std::size_t>(std::min(kNpyHeaderMost, file_bytes));
    NpyHeader header;
    if (!fuzz::accepts([&] { header = parse_npy_header("--a a.npy", file.substr(0, most), file_bytes); })) return;
    fuzz::insist(header.rows >= 0 && header.cols >= 0 && header.data_offset > 0, "an extent below 0");
    fuzz::insist(!header.shape.empty() && header.shape.size() <= 4 && header.shape[0] == header.rows,
                 "rows are not the first extent");
    fuzz::insist(header.file_bytes() == file_bytes, "the matrix does not fill its file");
  };
  parse(bytes, static_cast<std::int64_t>(size));
  std::uint64_t announced = 0;
  if (size < sizeof announced) return 0;
  std::memcpy(&announced, data, sizeof announced);
  parse(bytes.substr(sizeof announced), static_cast<std::int64_t>(announced >> 1));
  return 0;
}
