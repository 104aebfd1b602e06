#include "src/train_options.hpp"

#include <fstream>

#include <gtest/gtest.h>

#include "distributed/temporary_file.hpp"
#include "kernels/error.hpp"

namespace recombine {
namespace {

TrainCommand parse(std::vector<const char*> words) {
  words.insert(words.begin(), "train");
  return parse_train_command(static_cast<int>(words.size()), words.data());
}

TEST(TrainOptions, Defaults) {
  const TrainCommand command = parse({});
  EXPECT_EQ(command.hidden, (std::vector<std::int64_t>{1024, 1024}));
  EXPECT_EQ(command.batch_size, 256);
  EXPECT_EQ(command.optimizer.kind, OptimizerKind::adamw);
  EXPECT_GE(command.warmup, 100);
  EXPECT_EQ(command.data.data, "fashion-mnist");
}

TEST(TrainOptions, ReadsWhatIsGiven) {
  const TrainCommand command = parse({"--hidden", "", "--no-bias", "--batch-size", "all", "--optimizer", "sgd", "--lr",
                                      "1e-2", "--seed=7", "--loss", "mse", "--activation", "gelu", "--threads", "3"});
  EXPECT_TRUE(command.hidden.empty());
  EXPECT_EQ(command.bias, Bias::none);
  EXPECT_FALSE(command.batch_size);
  EXPECT_DOUBLE_EQ(command.lr, 0.01);
  EXPECT_EQ(command.warmup, 0);
  EXPECT_EQ(command.seed, 7U);
  EXPECT_EQ(command.data.seed, 7U);
  EXPECT_EQ(command.activation, Activation::gelu);
  EXPECT_EQ(command.device.threads, 3);
}

TEST(TrainOptions, ReadsAConfigurationFile) {
  const TemporaryFile file("train_options_test", ::testing::TempDir() + "train_options_test.cfg");
  std::ofstream(file.path())
      << "# a job\n\n hidden = \"\"  # none\nno-bias = true\r\nseed=7\nlr = 0.5\ndata = a folder/x";
  const TrainCommand command = parse({"--lr", "0.25", "--config", file.path().c_str()});
  EXPECT_TRUE(command.hidden.empty());
  EXPECT_EQ(command.bias, Bias::none);
  EXPECT_EQ(command.seed, 7U);
  EXPECT_DOUBLE_EQ(command.lr, 0.25) << "the command line goes first";
  EXPECT_EQ(command.data.data, "a folder/x");
}

TEST(TrainOptions, EveryErrorIsOneLineThatNamesTheOption) {
  const std::vector<std::pair<std::vector<const char*>, const char*>> cases = {
      {{"--no-such-option"}, "no-such-option"},
      {{"--epoch", "3"}, "epoch"},
      {{"--batch-size", "0"}, "--batch-size '0'"},
      {{"--batch-size", "1.5"}, "--batch-size '1.5'"},
      {{"--batch-size", ""}, "--batch-size"},
      {{"--lr", "nan"}, "--lr 'nan'"},
      {{"--lr", "inf"}, "--lr 'inf'"},
      {{"--lr", "-1"}, "--lr '-1'"},
      {{"--lr", "0.1x"}, "--lr '0.1x'"},
      {{"--hidden", "10,-3"}, "--hidden '10,-3'"},
      {{"--hidden", "10,"}, "--hidden '10,'"},
      {{"--hidden", "0"}, "--hidden '0'"},
      {{"--seed", "-1"}, "--seed '-1'"},
      {{"--epochs", "0"}, "--epochs '0'"},
      {{"--epochs", "99999999999999999999"}, "--epochs"},
      {{"--threads", "0"}, "--threads '0'"},
      {{"--activation", "softmax"}, "--activation 'softmax'"},
      {{"--patience", "3"}, "--patience"},
      {{"--lr", "1", "--lr", "2"}, "lr"},
      {{"--lr"}, "lr"},
      {{"word"}, "'word'"},
      {{"-x"}, "'-x'"},
      {{"--config", "/nonexistent.cfg"}, "--config /nonexistent.cfg"},
  };
  for (const auto& [words, fragment] : cases) {
    try {
      parse(words);
      ADD_FAILURE() << words.front() << " was accepted";
    } catch (const InputError& error) {
      const std::string message = error.what();
      EXPECT_NE(message.find(fragment), std::string::npos) << message << " lacks " << fragment;
      EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    }
  }
}

TEST(TrainOptions, HelpNamesEveryGroup) {
  for (const char* group : {"Data", "Model", "Training", "Machine", "Output", "--batch-size", "--save"}) {
    EXPECT_NE(train_help().find(group), std::string::npos) << group;
  }
}

}  // namespace
}  // namespace recombine
