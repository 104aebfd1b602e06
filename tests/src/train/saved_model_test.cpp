#include "src/train/saved_model.hpp"

#include <functional>

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include "distributed/mesh.hpp"
#include "src/nn/checkpoint/checkpoint_header.hpp"
#include "src/nn/checkpoint/stored_tensors.hpp"

namespace recombine {
namespace {

const ModelShape kShape{.inputs = 5, .hidden = {4, 3}, .outputs = 2, .activation = Activation::gelu};

TableSchema some_schema() {
  return {.inputs = {{.name = "größe \"x\"\n", .fill = 0.1 + 0.2, .mean = 1.0 / 3, .deviation = 5e-324},
                     {.name = "smoker", .kind = ColumnKind::yes_no, .categories = {"No", "Yes"}},
                     {.name = "city", .kind = ColumnKind::category, .categories = {"", "Köln"}, .has_missing = true}},
          .targets = {{.name = "survived"}},
          .classes = {"no", "yes"},
          .left_out = {"id"},
          .missing = Missing::median};
}

std::vector<NamedTensor> tensors_of(const ModelShape& shape, std::size_t moments = 0) {
  const ParameterLayout layout(shape, Mesh(1, 1, 1), {});
  return stored_tensors({.layout = layout, .vectors = std::vector<VectorView>(1 + moments)});
}

class SavedModelTest : public ::testing::Test {
 protected:
  ~SavedModelTest() override { close(file_); }

  /// Reads a file with this header, and with zeros as tensors.
  SavedModel read(const std::string& header, std::int64_t data) const {
    EXPECT_EQ(ftruncate(file_, 0), 0);
    EXPECT_EQ(pwrite(file_, header.data(), header.size(), 0), static_cast<ssize_t>(header.size()));
    EXPECT_EQ(ftruncate(file_, static_cast<off_t>(header.size()) + data), 0);
    return read_saved_model("load", path_);
  }
  SavedModel read(const Metadata& metadata, const std::vector<NamedTensor>& tensors) const {
    return read(safetensors_header(metadata, tensors), tensors.empty() ? 0 : tensors.back().stored.end);
  }
  /// The message without "--load PATH: ". "": the file is accepted
  std::string refusal(const Metadata& metadata, const std::vector<NamedTensor>& tensors) const {
    try {
      read(metadata, tensors);
    } catch (const InputError& error) {
      const std::string text = error.what(), name = "--load " + path_ + ": ";
      EXPECT_TRUE(text.starts_with(name)) << text;
      EXPECT_EQ(text.find('\n'), std::string::npos) << text;
      return text.substr(std::min(text.size(), name.size()));
    }
    return "";
  }
  /// Tensors of these shapes, which lie one after the other.
  static std::vector<NamedTensor> tensors(
      const std::vector<std::pair<std::string, std::vector<std::int64_t>>>& shapes) {
    std::vector<NamedTensor> all;
    std::int64_t at = 0;
    for (const auto& [name, shape] : shapes) {
      std::int64_t bytes = 4;
      for (const std::int64_t extent : shape) bytes *= extent;
      all.push_back({name, {.type = "F32", .shape = shape, .begin = at, .end = at + bytes}});
      at += bytes;
    }
    return all;
  }

  int file_ = memfd_create("model", MFD_CLOEXEC);
  std::string path_ = "/proc/self/fd/" + std::to_string(file_);
};

void expect_shape(const SavedModel& model, const ModelShape& shape) {
  EXPECT_EQ(model.inputs, shape.inputs);
  EXPECT_EQ(model.hidden, shape.hidden);
  EXPECT_EQ(model.outputs, shape.outputs);
  EXPECT_EQ(model.bias, shape.bias);
}

TEST_F(SavedModelTest, ComesBackAsItWasSaved) {
  for (const Activation activation :
       {Activation::identity, Activation::relu, Activation::gelu, Activation::tanh, Activation::sigmoid}) {
    for (const Bias bias : {Bias::none, Bias::per_output}) {
      ModelShape shape = kShape;
      shape.activation = activation;
      shape.bias = bias;
      const SavedModel model = read(metadata_of(shape, some_schema()), tensors_of(shape));
      expect_shape(model, shape);
      EXPECT_EQ(model.activation, activation);
      ASSERT_TRUE(model.schema);
      EXPECT_EQ(to_json(*model.schema), to_json(some_schema()));
    }
  }
}

/// Other programs must know which GELU it is.
TEST_F(SavedModelTest, TheFormOfGeluIsNamed) { EXPECT_EQ(metadata_of(kShape, some_schema())[1].value, "gelu_tanh"); }

TEST_F(SavedModelTest, ACheckpointKnowsItsTable) {
  const std::vector<NamedTensor> stored = tensors_of(kShape, 2);
  CheckpointInfo info;
  info.fingerprints.resize(stored.size());
  info.model = metadata_of(kShape, some_schema());
  const SavedModel model = read(checkpoint_header(stored, info), stored.back().stored.end);
  expect_shape(model, kShape);
  EXPECT_EQ(model.activation, Activation::gelu);
  ASSERT_TRUE(model.schema);
  EXPECT_EQ(model.schema->inputs.at(2).categories.at(1), "Köln");
}

TEST_F(SavedModelTest, FilesOfOtherProgramsHaveOnlyShapes) {
  const Metadata foreign = {{"format", "pt"}, {"activation", "swish"}};
  const SavedModel model =
      read(foreign,
           tensors({{"net.10.weight", {2, 3}}, {"net.2.weight", {3, 5}}, {"net.2.bias", {3}}, {"net.10.bias", {2}}}));
  expect_shape(model, {.inputs = 5, .hidden = {3}, .outputs = 2});
  EXPECT_FALSE(model.activation || model.schema);
  const SavedModel linear = read({}, tensors({{"w", {1, 7}}}));
  expect_shape(linear, {.inputs = 7, .outputs = 1, .bias = Bias::none});
}

TEST_F(SavedModelTest, TheTensorsMustBeANetwork) {
  const auto refuses = [&](const std::vector<std::pair<std::string, std::vector<std::int64_t>>>& shapes) {
    return refusal({}, tensors(shapes));
  };
  EXPECT_EQ(refuses({{"b", {3}}}), "has no weights (tensors with two dimensions); expected one for each layer");
  EXPECT_EQ(refuses({{"w", {3, 2, 1}}}), "tensor w has 3 dimensions; expected 2 (a weight) or 1 (a bias)");
  EXPECT_EQ(refuses({{"0.w", {3, 5}}, {"1.w", {2, 4}}}),
            "tensor 1.w has 4 inputs; expected 3, the outputs of 0.w before it");
  EXPECT_EQ(refuses({{"0.w", {3, 5}}, {"1.w", {2, 3}}, {"b", {3}}}),
            "has 2 weights and 1 biases; expected one bias for each weight, or none");
  EXPECT_EQ(refuses({{"w", {3, 5}}, {"b", {5}}}), "tensor b has 5 elements; expected 3, one for each output of w");
  EXPECT_EQ(refuses({{"w", {0, 5}}}), "tensor w has shape [0,5]; expected at least one input and output");
  std::vector<NamedTensor> other = tensors({{"w", {3, 5}}});
  other[0].stored.type = "F16";
  EXPECT_EQ(refusal({}, other), "tensor w has type F16; expected F32");
  other[0].stored = {.type = "F32", .shape = {std::int64_t{1} << 62, std::int64_t{1} << 62}, .begin = 0, .end = 60};
  EXPECT_EQ(refusal({}, other), "tensor w has 60 bytes; expected those of its shape");
}

TEST_F(SavedModelTest, TheMetadataMustBeWholeAndFitTheNetwork) {
  const Metadata whole = metadata_of(kShape, some_schema());
  const std::vector<NamedTensor> stored = tensors_of(kShape);
  const auto refuses = [&](std::size_t entry, const std::string& value) {
    Metadata changed = whole;
    changed[entry].value = value;
    return refusal(changed, stored);
  };
  EXPECT_EQ(refusal(whole, stored), "");
  EXPECT_EQ(refuses(0, "2"),
            "is a model of version 2; this program reads version 1; expected a model of that version, or a newer "
            "program");
  for (const std::string version : {"", "0", "-1", "1.0", " 1", "01", "x", "99999999999999999999"})
    EXPECT_EQ(refuses(0, version), "recombine.version is not a number; expected 1") << version;
  EXPECT_EQ(refuses(1, "gelu\n"),
            "recombine.activation is unknown; expected relu, gelu_tanh, tanh, sigmoid or identity");
  EXPECT_NE(refuses(2, ""), "");
  EXPECT_NE(refuses(2, whole[2].value.substr(1)), "");
  for (const std::size_t entry : {1, 2}) {
    Metadata fewer = whole;
    fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(entry));
    EXPECT_EQ(refusal(fewer, stored),
              "its metadata have no " + whole[entry].key + "; expected it next to recombine.version");
  }

  const auto with = [&](const std::function<void(TableSchema&)>& change) {
    TableSchema schema = some_schema();
    change(schema);
    return refuses(2, to_json(schema));
  };
  EXPECT_EQ(with([](TableSchema& schema) { schema.inputs.pop_back(); }),
            "its table has 2 inputs, and its network 5; expected the same number");
  EXPECT_EQ(with([](TableSchema& schema) { schema.classes.emplace_back("zz"); }),
            "its table has 3 classes, and its network 2 outputs; expected the same number");
  EXPECT_EQ(with([](TableSchema& schema) { schema.classes.clear(); }),
            "its table has 1 targets, and its network 2 outputs; expected the same number");
  EXPECT_THROW(metadata_of({.inputs = 4, .outputs = 2}, some_schema()), Error);
}

TEST_F(SavedModelTest, TheHeaderHasALimit) {
  TableSchema schema = some_schema();
  schema.inputs[2].categories[1].assign(8'000'000, '\x01');  // 7 bytes each: \\u0001
  try {
    metadata_of(kShape, schema);
    ADD_FAILURE() << "accepted";
  } catch (const InputError& error) {
    EXPECT_TRUE(std::string(error.what()).starts_with("--save: the names and categories of the columns have "));
  }
  schema.inputs[2].categories[1].assign(3'000'000, 'x');
  EXPECT_EQ(read(metadata_of(kShape, schema), tensors_of(kShape)).schema->inputs[2].categories[1].size(), 3'000'000U);
}

}  // namespace
}  // namespace recombine
