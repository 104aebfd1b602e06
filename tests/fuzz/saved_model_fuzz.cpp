// Input: the JSON text of a table's schema. What is accepted must come back from what we write, and from the header of
// a model that fits it.

#include "src/data/table_schema.hpp"
#include "src/nn/checkpoint/stored_tensors.hpp"
#include "src/train/saved_model.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace recombine;

namespace {

constexpr std::int64_t kMost = 1000;  // inputs and outputs of the model

void save_and_read(const TableSchema& schema) {
  static const fuzz::MemoryFile file;
  const std::size_t outputs = schema.classes.empty() ? schema.targets.size() : schema.classes.size();
  const ModelShape shape{.inputs = schema.width(), .outputs = static_cast<std::int64_t>(outputs)};
  fuzz::insist(shape.inputs >= 1 && shape.outputs >= 1, "a schema without inputs or answers");
  if (shape.inputs > kMost || shape.outputs > kMost) return;
  const ParameterLayout layout(shape, Mesh(1, 1, 1), {});
  const std::vector<NamedTensor> tensors = stored_tensors({.layout = layout, .vectors = {VectorView{}}});
  file.write(safetensors_header(metadata_of(shape, schema), tensors) +
             std::string(static_cast<std::size_t>(tensors.back().stored.end), '\0'));
  const SavedModel model = read_saved_model("load", file.path());
  fuzz::insist(model.inputs == shape.inputs && model.outputs == shape.outputs, "another network comes back");
  fuzz::insist(model.schema && to_json(*model.schema) == to_json(schema), "another schema comes back");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(fuzz::text_of(data, size));
  fuzz::accepts([&] {
    const TableSchema schema = schema_from_json("--load x", text);
    const std::string ours = to_json(schema);
    fuzz::insist(to_json(schema_from_json("--load x", ours)) == ours, "a schema does not come back");
    save_and_read(schema);
  });
  return 0;
}
