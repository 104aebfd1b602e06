#include "src/nn/checkpoint/safetensors_header.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "src/nn/checkpoint/safetensors_file.hpp"

namespace recombine {
namespace {

/// What is wrong with a header of 8 bytes of data. "": nothing
std::string damage(const std::string& text) {
  try {
    parse_safetensors_header("--load x", text, 8);
  } catch (const DamagedFile& error) {
    return std::string(error.what()).substr(10);
  }
  return "";
}

std::string tensor(const std::string& offsets, const std::string& shape = "[1]", const std::string& type = "F32") {
  return R"({"dtype":")" + type + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}";
}

TEST(SafetensorsHeader, IsReadAsItWasWritten) {
  const std::vector<NamedTensor> tensors = {{"b", {.type = "F32", .shape = {1, 1}, .begin = 0, .end = 4}},
                                            {"a", {.type = "U8", .shape = {4}, .begin = 4, .end = 8}}};
  const Metadata metadata = {{"z", "1"}, {"a", "\"{}\n"}, {"", ""}};
  const std::string text = safetensors_header(metadata, tensors).substr(8);
  EXPECT_EQ(text.size() % 8, 0U);
  const SafetensorsHeader header = parse_safetensors_header("--load x", text, 8);
  ASSERT_EQ(header.metadata.size(), metadata.size());
  for (std::size_t i = 0; i < metadata.size(); ++i) {
    EXPECT_EQ(header.metadata[i].key, metadata[i].key);
    EXPECT_EQ(header.metadata[i].value, metadata[i].value);
  }
  ASSERT_EQ(header.tensors.size(), tensors.size());
  for (const auto& [name, stored] : tensors) {
    EXPECT_EQ(header.tensors.at(name).type, stored.type);
    EXPECT_EQ(header.tensors.at(name).shape, stored.shape);
    EXPECT_EQ(header.tensors.at(name).begin, stored.begin);
    EXPECT_EQ(header.tensors.at(name).end, stored.end);
  }
}

TEST(SafetensorsHeader, NamesAreDifferent) {
  const std::string whole = tensor("[0,8]"), none = tensor("[8,8]");
  EXPECT_EQ(damage(R"({"a":)" + whole + R"(,"b":)" + none + "}"), "");
  EXPECT_EQ(damage(R"({"a":)" + whole + R"(,"a":)" + none + "}"), "its header has a twice; expected different names");
  EXPECT_EQ(damage(R"({"a":)" + whole + R"(,"\u0061":)" + none + "}"),
            "its header has a twice; expected different names");
  EXPECT_EQ(damage(R"({"__metadata__":{"x":"1","x":"1"},"a":)" + whole + "}"),
            "its header has x twice; expected different names");
  EXPECT_EQ(damage(R"({"__metadata__":{},"__metadata__":{},"a":)" + whole + "}"),
            "its header has __metadata__ twice; expected different names");
  EXPECT_EQ(damage(R"({"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}})"),
            "its header has dtype twice; expected different names");
  EXPECT_EQ(damage(R"({"__metadata__":{"a":"","shape":""},"a":)" + whole + "}"), "");  // of different objects
}

TEST(SafetensorsHeader, TensorsCoverTheData) {
  const auto two = [](const std::string& a, const std::string& b) {
    return damage(R"({"a":)" + tensor(a) + R"(,"b":)" + tensor(b) + "}");
  };
  EXPECT_EQ(two("[0,4]", "[4,8]"), "");
  EXPECT_EQ(two("[4,8]", "[0,4]"), "");
  EXPECT_EQ(two("[0,4]", "[5,8]"), "tensor b begins at byte 5; expected byte 4, where the one before it ends");
  EXPECT_EQ(two("[0,4]", "[3,8]"), "tensor b begins at byte 3; expected byte 4, where the one before it ends");
  EXPECT_EQ(two("[0,8]", "[0,8]"), "tensor b begins at byte 0; expected byte 8, where the one before it ends");
  EXPECT_EQ(two("[0,4]", "[4,7]"), "its tensors end at byte 7; expected byte 8, where the file ends");
  EXPECT_EQ(two("[1,4]", "[4,8]"), "tensor a begins at byte 1; expected byte 0, where the one before it ends");
  EXPECT_NE(two("[0,4]", "[4,9]").find("expected at most byte 8"), std::string::npos);
  EXPECT_NE(two("[0,4]", "[8,4]"), "");
  EXPECT_NE(damage("{}"), "");
}

TEST(SafetensorsHeader, TextsFitInALineOfAMessage) {
  const auto refuses = [](const std::string& text) {
    const std::string message = damage(text);
    EXPECT_EQ(message.find('\n'), std::string::npos);
    return !message.empty() && message.size() < 200;
  };
  const std::string many = "[" + std::string(100000, '1') + "]", list = "[0" + std::string(100000, ' ') + ",0,8]";
  std::string zeros = "[0";
  for (int i = 0; i < 100000; ++i) zeros += ",0";
  EXPECT_TRUE(refuses(R"({"a\nb":)" + tensor("[0,8]") + "}"));
  EXPECT_TRUE(refuses(R"({")" + std::string(100000, 'a') + R"(":)" + tensor("[0,8]") + "}"));
  EXPECT_TRUE(refuses(R"({"a":)" + tensor("[0,8]", "[2]", "F\\n32") + "}"));
  EXPECT_TRUE(refuses(R"({"a":)" + tensor("[0,8]", "[2]", std::string(100000, 'F')) + "}"));
  for (const std::string& numbers : {many, list, zeros + "]"}) {
    EXPECT_TRUE(refuses(R"({"a":)" + tensor(numbers) + "}"));
  }
  EXPECT_TRUE(refuses(R"({"a":)" + tensor("[0,8]", zeros + "]") + "}"));
}

TEST(SafetensorsHeader, OnlyMetadataOfTexts) {
  const std::string rest = R"(,"a":)" + tensor("[0,8]") + "}";
  EXPECT_EQ(damage(R"({"__metadata__":{"x":"1"})" + rest), "");
  for (const std::string value : {"1", "[]", "\"x\"", "null", R"({"x":1})", R"({"x":{"y":"1"}})", R"({"x":null})"}) {
    EXPECT_EQ(damage(R"({"__metadata__":)" + value + rest),
              "its header is no JSON of tensors; expected a safetensors file")
        << value;
  }
  // A value of a key that no reader needs.
  const std::string deep = std::string(100000, '[') + std::string(100000, ']');
  const std::string with_more = R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"more":)";
  EXPECT_EQ(damage(with_more + "[1]}}"), "");
  EXPECT_EQ(damage(with_more + deep + "}}"), "its header is no JSON of tensors; expected a safetensors file");
}

/// Also where the file itself claims to be as large.
TEST(SafetensorsHeader, AnnouncedSizesAllocateNothing) {
  const auto peak = [] {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;  // KiB
  };
  for (const int bits : {60, 63, 40, 27}) {
    const int file = memfd_create("header", MFD_CLOEXEC);
    std::string bytes(8, '\0');
    bytes[static_cast<std::size_t>(bits / 8)] = static_cast<char>(1 << bits % 8);
    ASSERT_EQ(pwrite(file, bytes.data(), bytes.size(), 0), 8);
    for (const off_t size : {off_t{64}, off_t{1} << 41}) {  // with a hole
      ASSERT_EQ(ftruncate(file, size), 0);
      const auto before = peak();
      try {
        SafetensorsFile("load", "/proc/self/fd/" + std::to_string(file));
        ADD_FAILURE() << "accepted";
      } catch (const DamagedFile& error) {
        EXPECT_NE(
            std::string(error.what()).find(fmt::format("announce a header of {} bytes", std::uint64_t{1} << bits)),
            std::string::npos);
      }
      EXPECT_LT(peak() - before, 4096);
    }
    close(file);
  }
}

}  // namespace
}  // namespace recombine
