// Input: a command line, one word per line, read by both programs.

#include <sstream>
#include <vector>

#include "src/matmul/options.hpp"
#include "src/train/options.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace recombine;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::istringstream lines{std::string(fuzz::text_of(data, size))};
  std::vector<std::string> words = {"program"};
  for (std::string word; std::getline(lines, word);) words.push_back(word.c_str());  // up to a zero byte
  std::vector<const char*> argv;
  for (const std::string& word : words) argv.push_back(word.c_str());
  const int argc = static_cast<int>(argv.size());
  TrainCommand train;
  if (fuzz::accepts([&] { train = parse_train_command(argc, argv.data()); })) {
    fuzz::insist(train.action != TrainCommand::Action::train || train.epochs.value_or(1) >= 1, "no epochs");
    fuzz::insist(train.batch_size.value_or(1) >= 1 && train.lr.value_or(0) >= 0 && train.warmup.value_or(0) >= 0,
                 "a number out of its bounds");
  }
  MatmulCommand matmul;
  if (fuzz::accepts([&] { matmul = parse_matmul_command(argc, argv.data()); })) {
    fuzz::insist(matmul.m.value_or(0) >= 0 && matmul.m.value_or(0) <= kLargestExtent, "a size out of its bounds");
    fuzz::insist(matmul.repeat >= 1 && matmul.memory_limit.value_or(1) >= 1, "a number out of its bounds");
  }
  return 0;
}
