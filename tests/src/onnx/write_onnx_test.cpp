#include "src/onnx/write_onnx.hpp"

#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include <gtest/gtest.h>
#include <onnx/checker.h>
#include <onnx/onnx_pb.h>
#include <unistd.h>

#include "distributed/matmul/planner.hpp"
#include "src/nn/checkpoint/bands.hpp"
#include "src/nn/checkpoint/safetensors.hpp"
#include "tests/support/rank_test.hpp"
#include "tests/support/test_device.hpp"

namespace recombine {
namespace {

/// Inputs in all kinds: 2 + 1 + 3.
TableSchema mixed() {
  return {
      .inputs = {{.name = "age", .fill = 29.7, .mean = 29.7, .deviation = 14.5},
                 {.name = "smoker", .kind = ColumnKind::yes_no, .categories = {"no", "yes"}, .fill = 0.25},
                 {.name = "city", .kind = ColumnKind::category, .categories = {"Bonn", "Köln"}, .has_missing = true},
                 {.name = "label", .mean = 2e9, .deviation = 3}},
      .targets = {{.name = "survived"}},
      .classes = {"no", "perhaps", "yes"}};
}

class WriteOnnxTest : public ::testing::Test {
 protected:
  WriteOnnxTest() { std::filesystem::create_directory(folder_); }
  ~WriteOnnxTest() override { std::filesystem::remove_all(folder_); }

  std::string content(const std::string& path) const {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
  }

  /// Saves a new model of this mesh in both formats. On rank 0: the ONNX file; its weights are those of the other file.
  std::string save(RankContext& context, Communicator& all, const ModelShape& shape, const TableSchema& schema) {
    const Model model(context, shape, 4, 5);
    context.compute().synchronize();
    std::optional<OutputFile> file, weights;
    if (all.rank() == 0) {
      file.emplace("save", folder_ / "m.onnx");
      file->reserve(onnx_bytes(model, schema));
      weights.emplace("save", folder_ / "m.safetensors");
    }
    write_onnx(context, all, model, schema, file ? &*file : nullptr);
    write_weights(context, all, model, weights ? &*weights : nullptr);
    if (all.rank() != 0) return "";
    file->commit();
    weights->commit();
    const std::string text = content(folder_ / "m.onnx"), safetensors = content(folder_ / "m.safetensors");
    EXPECT_EQ(static_cast<std::int64_t>(text.size()), onnx_bytes(model, schema));
    onnx::ModelProto parsed;
    EXPECT_TRUE(parsed.ParseFromString(text));
    std::string elements;
    for (const onnx::TensorProto& tensor : parsed.graph().initializer()) elements += tensor.raw_data();
    EXPECT_TRUE(!elements.empty() && safetensors.ends_with(elements)) << "other weights";
    return text;
  }
  /// The same on one rank.
  onnx::ModelProto save(const ModelShape& shape, const TableSchema& schema) {
    const auto device = test::make_test_device();
    const auto single = world_->split(world_->rank(), 0);
    RankContext context(Mesh(1, 1, 1), *single, *device);
    onnx::ModelProto model;
    EXPECT_TRUE(model.ParseFromString(save(context, *single, shape, schema)));
    onnx::checker::check_model(model);  // throws
    return model;
  }

  std::unique_ptr<Device> device_ = test::make_test_device(test::session().progress());
  std::unique_ptr<Communicator> world_ = make_world(test::session());
  std::filesystem::path folder_ = std::filesystem::temp_directory_path() / ("onnx" + std::to_string(getpid()));
};

/// "name type[N,columns]" of each value.
std::vector<std::string> values(const google::protobuf::RepeatedPtrField<onnx::ValueInfoProto>& list) {
  std::vector<std::string> all;
  for (const onnx::ValueInfoProto& value : list) {
    const onnx::TypeProto::Tensor& type = value.type().tensor_type();
    std::string text = value.name() + " " + onnx::TensorProto::DataType_Name(type.elem_type()) + "[";
    for (const auto& dimension : type.shape().dim())
      text += dimension.has_dim_param() ? dimension.dim_param() : "," + std::to_string(dimension.dim_value());
    all.push_back(text + "]");
  }
  return all;
}

std::vector<std::string> operations(const onnx::ModelProto& model) {
  std::vector<std::string> all;
  for (const onnx::NodeProto& node : model.graph().node()) all.push_back(node.op_type());
  return all;
}

using Texts = std::vector<std::string>;

TEST_F(WriteOnnxTest, EachColumnIsAnInput) {
  const onnx::ModelProto model = save({.inputs = 6, .hidden = {4}, .outputs = 3}, mixed());
  EXPECT_EQ(values(model.graph().input()),
            (Texts{"age FLOAT[N,1]", "smoker STRING[N,1]", "city STRING[N,1]", "label FLOAT[N,1]"}));
  // A column is called label.
  EXPECT_EQ(values(model.graph().output()), (Texts{"probabilities FLOAT[N,3]", "label_ STRING[N]"}));
  EXPECT_EQ(operations(model), (Texts{"LabelEncoder", "OneHotEncoder", "Squeeze", "Concat", "Sub", "Sub", "Div",
                                      "IsNaN", "Where", "Gemm", "Relu", "Gemm", "Softmax", "ArgMax", "Gather"}));
  for (const onnx::NodeProto& node : model.graph().node()) {
    if (node.op_type() != "OneHotEncoder") continue;
    EXPECT_EQ(node.attribute(0).strings(2), "");
  }
}

TEST_F(WriteOnnxTest, ClassesThatAreNumbersStayNumbers) {
  TableSchema schema = mixed();
  schema.classes = {"-1", "1", "10"};
  EXPECT_EQ(values(save({.inputs = 6, .outputs = 3}, schema).graph().output()).at(1), "label_ INT64[N]");
  schema.classes[1] = "01";
  EXPECT_EQ(values(save({.inputs = 6, .outputs = 3}, schema).graph().output()).at(1), "label_ STRING[N]");
}

TEST_F(WriteOnnxTest, ColumnsWithoutNamesAreOneInput) {
  const TableSchema images{.classes = {"0", "1"}, .unnamed_inputs = 5, .unnamed = {.scale = 1.0F / 255}};
  const onnx::ModelProto model = save({.inputs = 5, .outputs = 2, .bias = Bias::none}, images);
  EXPECT_EQ(values(model.graph().input()), (Texts{"x FLOAT[N,5]"}));
  EXPECT_EQ(operations(model), (Texts{"Mul", "Add", "Gemm", "Softmax", "ArgMax", "Gather"}));
  const TableSchema numbered{.inputs = {{.name = "1"}, {.name = "3"}}, .targets = {{.name = "2", .deviation = 7}}};
  const onnx::ModelProto values_of = save({.inputs = 2, .outputs = 1}, numbered);
  EXPECT_EQ(values(values_of.graph().input()), (Texts{"x FLOAT[N,2]"}));
  EXPECT_EQ(values(values_of.graph().output()), (Texts{"value FLOAT[N,1]"}));
}

/// Columns may have the names of operations, weights and outputs.
TEST_F(WriteOnnxTest, EveryNameIsUnique) {
  TableSchema schema = {.targets = {{.name = "a"}, {.name = "b"}}};
  for (const std::string name :
       {"value", "filled", "layers.0.weight", "layers.0.weight_", "layers.0.output", "deviation"})
    schema.inputs.push_back({.name = name});
  for (const Activation activation : {Activation::gelu, Activation::tanh, Activation::sigmoid, Activation::identity}) {
    const onnx::ModelProto model =
        save({.inputs = 6, .hidden = {2, 3}, .outputs = 2, .activation = activation}, schema);
    EXPECT_EQ(values(model.graph().output()), (Texts{"value_ FLOAT[N,2]"}));
  }
}

TEST_F(WriteOnnxTest, EveryMeshWritesTheSameFile) {
  const ModelShape shape{.inputs = 6, .hidden = {1100, 1000}, .outputs = 3};  // of two bands
  const std::string expected = save(shape, mixed()).SerializeAsString();
  const auto all = make_communicator(*world_, *device_, test::collectives(), 0, world_->rank());
  for (const Mesh& mesh : meshes_of(world_->size())) {
    SCOPED_TRACE(mesh.to_string());
    RankContext context(mesh, *world_, *device_, test::collectives());
    onnx::ModelProto model;
    ASSERT_TRUE(model.ParseFromString(save(context, *all, shape, mixed())));
    EXPECT_TRUE(world_->rank() != 0 || model.SerializeAsString() == expected);
  }
}

TEST(IsOnnx, ByTheEnding) {
  EXPECT_TRUE(is_onnx("a/b.onnx") && is_onnx("A.ONNX") && is_onnx(".onnx"));
  EXPECT_FALSE(is_onnx("onnx") || is_onnx("") || is_onnx("a.onnx/b") || is_onnx("a.onnx.safetensors"));
  EXPECT_NO_THROW(refuse_onnx("load", "m.safetensors"));
  try {
    refuse_onnx("load", "m.onnx");
    ADD_FAILURE() << "accepted";
  } catch (const InputError& error) {
    EXPECT_EQ(std::string(error.what()),
              "--load m.onnx: an ONNX file is for other programs; expected a safetensors file, as --save "
              "FILE.safetensors writes it");
  }
}

}  // namespace
}  // namespace recombine
