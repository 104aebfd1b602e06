// Input: a configuration file, read with the options of both programs.

#include <array>

#include "src/matmul/options.hpp"
#include "src/train/options.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace recombine;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const fuzz::MemoryFile file;
  file.write(fuzz::text_of(data, size));
  const std::string path = file.path();
  const std::array argv = {"program", "--config", path.c_str()};
  fuzz::accepts([&] { parse_train_command(argv.size(), argv.data()); });
  fuzz::accepts([&] { parse_matmul_command(argv.size(), argv.data()); });
  return 0;
}
