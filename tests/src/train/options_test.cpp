#include "src/train/options.hpp"

#include <fstream>

#include <gtest/gtest.h>

#include "distributed/io/temporary_file.hpp"
#include "kernels/error.hpp"

namespace recombine {
namespace {

TrainCommand parse(std::vector<const char*> words) {
  words.insert(words.begin(), "train");
  return parse_train_command(static_cast<int>(words.size()), words.data());
}

TEST(TrainOptions, Defaults) {
  const TrainCommand command = parse({});
  EXPECT_FALSE(command.hidden || command.activation || command.bias || command.batch_size || command.epochs ||
               command.lr || command.warmup || command.weight_decay || command.kept)
      << "they depend on the data, or on the file of --load";
  EXPECT_EQ(command.optimizer.kind, OptimizerKind::adamw);
  EXPECT_EQ(command.data.data, "fashion-mnist");
}

TEST(TrainOptions, ReadsWhatIsGiven) {
  const TrainCommand command =
      parse({"--hidden", "", "--no-bias", "--batch-size", "all", "--optimizer", "sgd", "--lr", "1e-2", "--seed=7",
             "--loss", "mse", "--activation", "gelu", "--threads", "3", "--check-replicas", "50"});
  EXPECT_EQ(command.hidden, std::vector<std::int64_t>());
  EXPECT_EQ(command.bias, Bias::none);
  EXPECT_EQ(command.batch_size, TrainCommand::kAllRows);
  EXPECT_EQ(command.lr, 0.01);
  EXPECT_EQ(command.data.answers, AnswerKind::numbers);
  EXPECT_EQ(command.check_replicas, 50);
  EXPECT_EQ(command.seed, 7U);
  EXPECT_EQ(command.data.seed, 7U);
  EXPECT_EQ(command.activation, Activation::gelu);
  EXPECT_EQ(command.device.threads, 3);
}

TEST(TrainOptions, OptionsOfTables) {
  const TrainCommand command = parse({"--data",
                                      "-",
                                      "--target",
                                      "a,-1",
                                      "--features",
                                      "b,c",
                                      "--ignore",
                                      "d",
                                      "--separator",
                                      "tab",
                                      "--no-header",
                                      "--categories",
                                      "5",
                                      "--missing",
                                      "median",
                                      "--no-standardize",
                                      "--test",
                                      "0.25",
                                      "--validation",
                                      "v.csv",
                                      "--loss",
                                      "cross-entropy",
                                      "--keep-best",
                                      "--target-data",
                                      "y.npy"});
  const DataOptions& data = command.data;
  EXPECT_EQ(data.data, "-");
  EXPECT_EQ(data.target, "a,-1");
  EXPECT_EQ(data.target_data, "y.npy");
  EXPECT_EQ(data.features, "b,c");
  EXPECT_EQ(data.ignore, "d");
  EXPECT_EQ(data.text.separator, '\t');
  EXPECT_EQ(data.text.header, Header::none);
  EXPECT_EQ(data.categories, 5);
  EXPECT_EQ(data.missing, Missing::median);
  EXPECT_EQ(data.standardize, Standardize::no);
  EXPECT_EQ(data.test, "0.25");
  EXPECT_EQ(data.validation, "v.csv");
  EXPECT_EQ(data.answers, AnswerKind::classes);
  EXPECT_EQ(command.kept, KeptWeights::best);
  EXPECT_EQ(parse({"--header"}).data.text.header, Header::given);
  EXPECT_EQ(parse({}).data.text.header, Header::automatic);
  EXPECT_THROW(parse({"--header", "--no-header"}), InputError);
  for (const auto& [text, separator] : {std::pair{"comma", ','},
                                        {"semicolon", ';'},
                                        {"pipe", '|'},
                                        {"space", ' '},
                                        {";", ';'},
                                        {" ", ' '},
                                        {"\t", '\t'}}) {
    EXPECT_EQ(parse({"--separator", text}).data.text.separator, separator) << text;
  }
}

TEST(TrainOptions, PatienceKeepsTheBestWeights) {
  const std::vector<const char*> patient = {"--patience", "2", "--validation", "0.1"};
  EXPECT_EQ(parse(patient).kept, KeptWeights::best);
  std::vector<const char*> last = patient;
  last.push_back("--keep-last");
  EXPECT_EQ(parse(last).kept, KeptWeights::last);
  EXPECT_FALSE(parse({"--validation", "0.1"}).kept);
}

TEST(TrainOptions, PredictionsOfALoadedModelNeedNoTraining) {
  const auto only_predicts = [](std::vector<const char*> more) {
    more.insert(more.begin(), {"--load", "m", "--predictions", "p"});
    const TrainCommand command = parse(more);
    EXPECT_EQ(command.only_predicts, command.evaluate);
    return command.only_predicts;
  };
  EXPECT_TRUE(only_predicts({}));
  EXPECT_TRUE(only_predicts({"--summary", "s", "--data", "d"}));
  for (const char* const option : {"--save", "--epochs", "--steps", "--metrics", "--checkpoint"}) {
    EXPECT_FALSE(only_predicts({option, "1"})) << option;
  }
  EXPECT_FALSE(parse({"--predictions", "p"}).evaluate);
  EXPECT_FALSE(parse({"--load", "m"}).evaluate);
}

TEST(TrainOptions, AMisspeltNameOffersTheNearest) {
  const auto refusal = [](const char* option) -> std::string {
    try {
      parse({option});
    } catch (const InputError& error) {
      return error.what();
    }
    return "accepted";
  };
  EXPECT_EQ(refusal("--epoch"), "unknown option '--epoch'; did you mean --epochs?");
  EXPECT_EQ(refusal("--valdiation=0.1"), "unknown option '--valdiation=0.1'; did you mean --validation?");
  EXPECT_EQ(refusal("--batch"), "unknown option '--batch'; did you mean --batch-size?")
      << "the only one that begins so";
  EXPECT_EQ(refusal("--frobnicate"), "unknown option '--frobnicate': see --help");
}

TEST(TrainOptions, ReadsAConfigurationFile) {
  const TemporaryFile file("train_options_test", ::testing::TempDir() + "train_options_test.cfg");
  std::ofstream(file.path())
      << "# a job\n\n hidden = \"\"  # none\nno-bias = true\r\nseed=7\nlr = 0.5\ndata = a folder/x";
  const TrainCommand command = parse({"--lr", "0.25", "--config", file.path().c_str()});
  EXPECT_EQ(command.hidden, std::vector<std::int64_t>());
  EXPECT_EQ(command.bias, Bias::none);
  EXPECT_EQ(command.seed, 7U);
  EXPECT_EQ(command.lr, 0.25) << "the command line goes first";
  EXPECT_EQ(command.data.data, "a folder/x");
}

TEST(TrainOptions, EveryErrorIsOneLineThatNamesTheOption) {
  const std::vector<std::pair<std::vector<const char*>, const char*>> cases = {
      {{"--separator", "ab"}, "--separator 'ab': expected one character"},
      {{"--separator", "7"}, "--separator '7': expected one character"},
      {{"--separator", ""}, "--separator '': expected one character"},
      {{"--standardize", "--no-standardize"}, "--standardize, --no-standardize: expected only one"},
      {{"--keep-best", "--keep-last", "--validation", "0.1"}, "--keep-best, --keep-last: expected only one"},
      {{"--keep-best"}, "--keep-best: expected --validation FRACTION or FILE too"},
      {{"--missing", "zero"}, "--missing 'zero': expected one of mean, median, drop, error"},
      {{"--categories", "0"}, "--categories '0'"},
      {{"--target", ""}, "--target '': expected the names of columns"},
      {{"--test", ""}, "--test ''"},
      {{"--no-such-option"}, "no-such-option"},
      {{"--epoch", "3"}, "epoch"},
      {{"--batch-size", "0"}, "--batch-size '0'"},
      {{"--batch-size", "1.5"}, "--batch-size '1.5'"},
      {{"--batch-size", ""}, "--batch-size"},
      {{"--evaluate"}, "--evaluate: expected with --load"},
      {{"--evaluate", "--load", "w", "--checkpoint", "c"},
       "--evaluate: trains nothing, but --checkpoint needs training"},
      {{"--evaluate", "--predictions", "p"}, "--evaluate: expected with --load FILE or --resume FILE"},
      {{"--predictions", ""}, "--predictions"},
      {{"--resume", "auto"}, "--resume auto: expected with --checkpoint DIR"},
      {{"--resume", "r", "--load", "w"}, "--resume r: gives the weights, and so does --load w"},
      {{"--keep", "2"}, "--keep: expected with --checkpoint DIR"},
      {{"--checkpoint", "c", "--keep", "0"}, "--keep '0'"},
      {{"--checkpoint", "c", "--checkpoint-minutes", "0"}, "--checkpoint-minutes 0: expected a number > 0"},
      {{"--time-limit", "1h"}, "--time-limit 1h: expected with --checkpoint DIR"},
      {{"--evaluate", "--load", "w", "--metrics", "m"}, "--evaluate: has no steps for --metrics"},
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
      {{"--time-limit", "55"}, "--time-limit '55'"},
      {{"--check-replicas", "0"}, "--check-replicas '0'"},
      {{"--metrics-every", "1"}, "--metrics-every 1: expected with --metrics FILE"},
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

std::string refusal_of(const std::vector<const char*>& words) {
  try {
    parse(words);
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

std::string refusal_of_file(const std::string& text) {
  const TemporaryFile file("train_options_test", ::testing::TempDir() + "train_options_test.cfg");
  std::ofstream(file.path()) << text;
  const std::string message = refusal_of({"--config", file.path().c_str()});
  return message.starts_with("--config ") ? message.substr(message.find(", line ") + 2) : message;
}

// Boost.Program_options would replace placeholders inside the user's text, and never return.
TEST(TrainOptions, PlaceholdersAreText) {
  EXPECT_EQ(refusal_of_file("lr = 1\nquiet = %value%"), "line 2: quiet = '%value%': expected true or false");
  EXPECT_EQ(refusal_of_file("standardize=x%value%y"), "line 1: standardize = 'x%value%y': expected true or false");
  EXPECT_EQ(refusal_of_file("no-bias=%prefix%%value%"), "line 1: no-bias = '%prefix%%value%': expected true or false");
  EXPECT_EQ(refusal_of_file("%option%=1"), "line 1: unknown option '%option%': see --help");
  EXPECT_EQ(refusal_of_file("epoch=1"), "line 1: unknown option 'epoch'; did you mean epochs?");
  EXPECT_EQ(refusal_of_file("lr = %value%"), "--lr '%value%': expected a finite number >= 0");
  EXPECT_EQ(refusal_of({"--%canonical_option%="}), "--%canonical_option%: expected a value; see --help");
  EXPECT_EQ(refusal_of({"--%option%=%value%"}), "unknown option '--%option%=%value%': see --help");
  EXPECT_EQ(refusal_of({"--quiet=%value%"}), "--quiet: expected no value, it is a flag; see --help");
  EXPECT_EQ(refusal_of({"--lr", "1", "--lr", "2"}), "--lr: is given more than once; expected once");
  EXPECT_EQ(refusal_of({"--lr"}), "--lr: expected a value; see --help");
}

TEST(TrainOptions, AConfigurationFileIsReadLineByLine) {
  EXPECT_EQ(refusal_of_file("lr = 1\n\nlr = 2\n"), "line 3: lr: is set twice, expected once; line 1 sets it too");
  EXPECT_EQ(refusal_of_file(" = 1"), "line 1: '= 1': expected name = value");
  EXPECT_EQ(refusal_of_file("[quiet]"), "line 1: '[quiet]': expected name = value");
  EXPECT_EQ(refusal_of_file(std::string(1 << 19, '\n') + "quiet"), "line 524289: 'quiet': expected name = value");
  for (const char* word : {"true", "Yes", "ON", "1", ""}) {
    EXPECT_EQ(refusal_of_file(std::string("quiet=") + word), "accepted") << word;
  }
}

TEST(TrainOptions, NumbersAreCheckedAtTheirBounds) {
  EXPECT_EQ(refusal_of({"--threads", "4097"}), "--threads '4097': expected a whole number from 1 to 4096");
  EXPECT_EQ(refusal_of({"--epochs", "9223372036854775807"}), "accepted");  // an epoch here has few steps: no overflow
  EXPECT_EQ(refusal_of({"--epochs", "9223372036854775808"}),
            "--epochs '9223372036854775808': expected a whole number from 1 to 9223372036854775807");
  EXPECT_EQ(refusal_of({"--seed", "-1"}), "--seed '-1': expected a whole number >= 0");
}

TEST(TrainOptions, AmountsOfMemory) {
  for (const auto& [text, bytes] : {std::pair{"512M", 512.0 * (1 << 20)},
                                    {"2G", 0x1p31},
                                    {"2GiB", 0x1p31},
                                    {"1.5K", 1536.0},
                                    {"1T", 0x1p40},
                                    {"1TB", 1e12},
                                    {"1GB", 1e9},
                                    {"100B", 100.0},
                                    {"8388607TiB", 0x1p63 - 0x1p40},
                                    {"7", 7.0}}) {
    EXPECT_EQ(parse({"--memory-limit", text}).memory_limit, bytes) << text;
  }
  for (const char* text : {"", "M", "-1M", "0G", "nanG", "infG", "8E", "1 M", "5X", "1MM"}) {
    EXPECT_EQ(refusal_of({"--memory-limit", text}),
              fmt::format("--memory-limit '{}': expected an amount of memory such as 512M or 2GiB", text));
  }
  for (const char* text : {"9223372036854775808", "8388608T", "8388608TiB", "99999999999G", "1e300T"}) {
    EXPECT_EQ(refusal_of({"--memory-limit", text}),
              fmt::format("--memory-limit '{}': expected less than 8388608TiB, which is 2^63 bytes", text));
  }
}

TEST(TrainOptions, HelpNamesEveryGroup) {
  for (const char* group : {"Data", "Model", "Training", "Machine", "Output", "--batch-size", "--save"}) {
    EXPECT_NE(train_help().find(group), std::string::npos) << group;
  }
}

}  // namespace
}  // namespace recombine
