#include "src/nn/checkpoint/checkpoint_header.hpp"

#include <algorithm>
#include <bit>
#include <limits>

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include "distributed/io/shared_file.hpp"
#include "src/nn/digest.hpp"

namespace recombine {
namespace {

const std::vector<NamedTensor> kTensors = {{"layers.0.weight", {.type = "F32", .shape = {2, 3}, .begin = 0, .end = 24}},
                                           {"layers.0.bias", {.type = "F32", .shape = {2}, .begin = 24, .end = 32}}};
constexpr std::size_t kData = 32;

CheckpointInfo some_info() {
  return {.state = {.step = 1234,
                    .epoch = 3,
                    .position = 512,
                    .epoch_loss_sum = 0.1 + 0.2,
                    .samples = 123456789012,
                    .best_loss = std::numeric_limits<double>::infinity(),
                    .epochs_without_better = 2,
                    .best_epoch = 1},
          .seed = 18446744073709551615U,
          .model = {{"recombine.version", "1"}, {"recombine.table", "{\"a\":\"\x01\n\\\"header_sha256\\\":é\"}"}},
          .options = {{"--hidden", "784,10"}, {"--data", ""}, {"--a b%", "10% \x01\n\"header_sha256\":\"\xE9 é"}},
          .fingerprints = {0, 0xFEDCBA9876543210}};
}

/// A file in memory, whose bytes a test can change.
class CheckpointHeaderTest : public ::testing::Test {
 protected:
  CheckpointHeaderTest() { EXPECT_GE(file_, 0); }
  ~CheckpointHeaderTest() override { close(file_); }

  void write(const std::string& bytes) const {
    EXPECT_EQ(ftruncate(file_, static_cast<off_t>(bytes.size())), 0);
    EXPECT_EQ(pwrite(file_, bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
  }
  CheckpointInfo read() const { return read_checkpoint_info(SafetensorsFile("resume", path_)); }
  CheckpointInfo read(const std::string& header) const {
    write(header + std::string(kData, 'd'));
    return read();
  }
  /// The message of the DamagedFile without the file's name. "": none is thrown
  std::string damage() const {
    try {
      read();
    } catch (const DamagedFile& error) {
      const std::string text = error.what();
      EXPECT_TRUE(text.starts_with("--resume " + path_ + ": ")) << text;
      EXPECT_EQ(text.find('\n'), std::string::npos);
      return text.substr(std::min(text.size(), 11 + path_.size()));
    }
    return "";
  }
  std::string damage(const std::string& header) const {
    write(header + std::string(kData, 'd'));
    return damage();
  }

  int file_ = memfd_create("checkpoint", MFD_CLOEXEC);
  std::string path_ = "/proc/self/fd/" + std::to_string(file_);
};

void expect_equal(const CheckpointInfo& a, const CheckpointInfo& b) {
  EXPECT_EQ(a.state.step, b.state.step);
  EXPECT_EQ(a.state.epoch, b.state.epoch);
  EXPECT_EQ(a.state.position, b.state.position);
  EXPECT_EQ(std::bit_cast<std::uint64_t>(a.state.epoch_loss_sum), std::bit_cast<std::uint64_t>(b.state.epoch_loss_sum));
  EXPECT_EQ(a.state.samples, b.state.samples);
  EXPECT_EQ(std::bit_cast<std::uint64_t>(a.state.best_loss), std::bit_cast<std::uint64_t>(b.state.best_loss));
  EXPECT_EQ(a.state.epochs_without_better, b.state.epochs_without_better);
  EXPECT_EQ(a.state.best_epoch, b.state.best_epoch);
  EXPECT_EQ(a.seed, b.seed);
  EXPECT_EQ(a.fingerprints, b.fingerprints);
  ASSERT_EQ(a.model.size(), b.model.size());
  for (std::size_t i = 0; i < a.model.size(); ++i) {
    EXPECT_EQ(a.model[i].key, b.model[i].key);
    EXPECT_EQ(a.model[i].value, b.model[i].value);
  }
  ASSERT_EQ(a.options.size(), b.options.size());
  for (std::size_t i = 0; i < a.options.size(); ++i) {
    EXPECT_EQ(a.options[i].name, b.options[i].name);
    EXPECT_EQ(a.options[i].value, b.options[i].value);
  }
}

TEST_F(CheckpointHeaderTest, GivesTheSameBitsBack) {
  expect_equal(read(checkpoint_header(kTensors, some_info())), some_info());
  CheckpointInfo info = some_info();
  info.options.clear();
  for (const double value : {0.0, -0.0, 1e300, 5e-324, 0.1, 1.0 / 3, 123456789012345.678, 9007199254740993.0,
                             std::numeric_limits<double>::max(), -1.5}) {
    info.state.epoch_loss_sum = info.state.best_loss = value;
    expect_equal(read(checkpoint_header(kTensors, info)), info);
  }
}

/// So the tensors can be written before their fingerprints are known. And they are aligned.
TEST_F(CheckpointHeaderTest, TheLengthDoesNotDependOnFingerprints) {
  CheckpointInfo info = some_info();
  const std::string header = checkpoint_header(kTensors, info);
  EXPECT_EQ(header.size() % SharedFile::kBlock, 0U);
  for (const std::uint64_t value : {0UL, 1UL, ~0UL}) {
    info.fingerprints = {value, value / 3};
    EXPECT_EQ(checkpoint_header(kTensors, info).size(), header.size());
    EXPECT_NE(checkpoint_header(kTensors, info), header);
  }
}

TEST_F(CheckpointHeaderTest, EveryFlippedBitIsDamage) {
  CheckpointInfo info = some_info();
  info.options.resize(1);
  std::string header = checkpoint_header(kTensors, info);
  write(header + std::string(kData, 'd'));
  for (std::size_t bit = 0; bit < 8 * header.size(); ++bit) {
    const auto put = [&](char byte) { EXPECT_EQ(pwrite(file_, &byte, 1, static_cast<off_t>(bit / 8)), 1); };
    put(static_cast<char>(header[bit / 8] ^ (1 << bit % 8)));
    EXPECT_NE(damage(), "") << "bit " << bit;
    put(header[bit / 8]);
  }
  expect_equal(read(), info);
}

TEST_F(CheckpointHeaderTest, EveryTruncationIsDamage) {
  const std::string whole = checkpoint_header(kTensors, some_info()) + std::string(kData, 'd');
  write(whole);
  for (std::size_t size = whole.size(); size-- > 0;) {
    ASSERT_EQ(ftruncate(file_, static_cast<off_t>(size)), 0);
    EXPECT_NE(damage(), "") << size << " bytes";
  }
  write(whole + "d");
  EXPECT_NE(damage(), "");
}

/// Headers with other metadata and a checksum that fits.
class ForgedHeaderTest : public CheckpointHeaderTest {
 protected:
  static std::string forged(const Metadata& metadata, const std::vector<NamedTensor>& tensors = kTensors) {
    const std::string header = safetensors_header(metadata, tensors, SharedFile::kBlock);
    Digest digest;
    digest.add(header.data() + 8, header.size() - 8);
    const std::size_t at = header.find(kZeros);
    return at == std::string::npos ? header : std::string(header).replace(at, kZeros.size(), digest.finish());
  }
  Metadata metadata() const {
    write(checkpoint_header(kTensors, some_info()) + std::string(kData, 'd'));
    Metadata entries = SafetensorsFile("resume", path_).metadata();
    entries.back().value = kZeros;
    return entries;
  }
  Metadata metadata_with(const std::string& key, const std::string& value) const {
    Metadata entries = metadata();
    const auto entry = std::ranges::find(entries, key, &MetadataEntry::key);
    EXPECT_NE(entry, entries.end()) << key;
    entry->value = value;
    return entries;
  }

  static inline const std::string kZeros = std::string(64, '0');
};

TEST_F(ForgedHeaderTest, TheForgedHeaderOfTheSameMetadataIsAccepted) {
  EXPECT_EQ(forged(metadata()), checkpoint_header(kTensors, some_info()));
}

TEST_F(ForgedHeaderTest, EveryKeyIsNeededInItsPlace) {
  const Metadata all = metadata();
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].key.starts_with("option.") || all[i].key.starts_with("recombine.")) continue;  // a run may have any
    Metadata fewer = all, moved = all, more = all;
    fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_NE(damage(forged(fewer)), "") << all[i].key;
    std::swap(moved[i], moved[(i + 1) % all.size()]);
    EXPECT_NE(damage(forged(moved)), "") << all[i].key;
    more.insert(more.begin() + static_cast<std::ptrdiff_t>(i), {"more", "x"});
    EXPECT_NE(damage(forged(more)), "") << all[i].key;
  }
}

TEST_F(ForgedHeaderTest, EveryValueIsChecked) {
  struct Case {
    std::string key, value;
  };
  const std::vector<Case> cases = {{"format", "tf"},
                                   {"recombine_checkpoint", "0"},
                                   {"recombine_checkpoint", "x"},
                                   {"state.step", "-1"},
                                   {"state.step", "1.0"},
                                   {"state.step", "9223372036854775808"},
                                   {"state.step", "+1"},
                                   {"state.step", " 1"},
                                   {"state.step", "01"},
                                   {"state.step", ""},
                                   {"state.step", "1\n2"},
                                   {"state.epoch", "0"},
                                   {"state.position", "-1"},
                                   {"state.samples", "-1"},
                                   {"state.epochs_without_better", "-1"},
                                   {"state.best_epoch", "-1"},
                                   {"state.best_loss", "nan"},
                                   {"state.best_loss", "-inf"},
                                   {"state.epoch_loss_sum", "inf"},
                                   {"state.best_loss", "0x1"},
                                   {"state.best_loss", "infinity"},
                                   {"state.best_loss", "1e999"},
                                   {"seed", "-1"},
                                   {"seed", "18446744073709551616"},
                                   {"option.--hidden", "%0a"},
                                   {"option.--hidden", "%"},
                                   {"option.--hidden", "%4"},
                                   {"option.--hidden", "%41"},
                                   {"option.--hidden", "\n"},
                                   {"fingerprints", ""},
                                   {"fingerprints", std::string(31, '0')},
                                   {"fingerprints", std::string(48, '0')},
                                   {"fingerprints", std::string(31, '0') + "g"},
                                   {"fingerprints", std::string(16, '0') + "-" + std::string(15, '0')}};
  for (const Case& c : cases) {
    const std::string text = damage(forged(metadata_with(c.key, c.value)));
    const std::string shown = c.key == "recombine_checkpoint" ? "its version" : c.key.substr(0, 11);
    EXPECT_NE(text.find(shown), std::string::npos) << c.key << " " << c.value << ": " << text;
  }
}

TEST_F(ForgedHeaderTest, VersionOneHadNoModelAndNoBestEpoch) {
  Metadata entries = metadata_with("recombine_checkpoint", "1");
  std::erase_if(entries, [](const MetadataEntry& entry) {
    return entry.key.starts_with("recombine.") || entry.key == "state.best_epoch";
  });
  CheckpointInfo expected = some_info();
  expected.model.clear();
  expected.state.best_epoch = 0;
  expect_equal(read(forged(entries)), expected);
}

/// The caller can tell it from damage.
TEST_F(ForgedHeaderTest, ANewerVersionIsNoDamage) {
  try {
    read(forged(metadata_with("recombine_checkpoint", "3")));
    ADD_FAILURE() << "accepted";
  } catch (const NewerCheckpoint& error) {
    EXPECT_EQ(std::string(error.what()), "--resume " + path_ +
                                             ": is of version 3; this program reads version 2; "
                                             "expected a checkpoint of that version, or a newer program");
  }
  std::string flipped = forged(metadata_with("recombine_checkpoint", "3"));
  flipped[flipped.find("123456789012")] = '2';
  EXPECT_NE(damage(flipped), "");
}

TEST_F(ForgedHeaderTest, TensorsMustBeF32AndOfTheirShape) {
  std::vector<NamedTensor> tensors = kTensors;
  tensors[0].stored.type = "I32";
  EXPECT_EQ(damage(forged(metadata(), tensors)), "tensor layers.0.weight has type I32; expected F32");
  tensors[0].stored.type = "F32";
  for (const std::vector<std::int64_t>& shape :
       {std::vector<std::int64_t>{2, 4}, {}, {0}, {std::int64_t{1} << 62, 4, 6}, {std::int64_t{1} << 62}}) {
    tensors[0].stored.shape = shape;
    EXPECT_EQ(damage(forged(metadata(), tensors)), "tensor layers.0.weight has 24 bytes; expected those of its shape");
  }
}

TEST_F(ForgedHeaderTest, AFileOfWeightsIsNoCheckpoint) {
  const std::string expected = "is no checkpoint; expected a file that --checkpoint wrote";
  EXPECT_EQ(damage(safetensors_header({{"format", "pt"}}, kTensors)), expected);
  EXPECT_EQ(damage(safetensors_header({}, kTensors)), expected);
  try {
    SafetensorsFile("resume", "/nowhere");
    ADD_FAILURE() << "no error";
  } catch (const DamagedFile&) {
    ADD_FAILURE() << "a missing file is no damage";
  } catch (const InputError&) {
  }
}

}  // namespace
}  // namespace recombine
