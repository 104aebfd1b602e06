#include "src/data/table_schema.hpp"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "kernels/error.hpp"

namespace recombine {
namespace {

TableSchema example() {
  return {.inputs = {{.name = "net\nweight", .fill = 1.0 / 3, .mean = 0.1, .deviation = 5e-324},
                     {.name = "sex", .kind = ColumnKind::category, .categories = {"", "f\"", "ü"}, .has_missing = true},
                     {.name = "open", .kind = ColumnKind::yes_no, .categories = {"no", "yes"}, .fill = 0.25}},
          .targets = {{.name = "y"}},
          .classes = {"a", "b,c"},
          .left_out = {"id"},
          .missing = Missing::drop};
}

void expect_refused(const std::string& text, const std::string& part) {
  try {
    schema_from_json("--load w.safetensors", text);
    FAIL() << "was accepted: " << text;
  } catch (const InputError& error) {
    const std::string message = error.what();
    EXPECT_TRUE(message.starts_with("--load w.safetensors: its table schema")) << message;
    EXPECT_NE(message.find(part), std::string::npos) << message << " lacks " << part;
  }
}

/// to_json(example()) with one part replaced.
std::string changed(const std::string& from, const std::string& to) {
  std::string text = to_json(example());
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from << " in " << text;
  return text.replace(at, from.size(), to);
}

TEST(TableSchema, WidthCountsCategoriesAndMissing) {
  EXPECT_EQ(example().width(), 1 + 4 + 1);
  EXPECT_EQ((TableSchema{.unnamed_inputs = 784}.width()), 784);
}

TEST(TableSchema, JsonKeepsAllBits) {
  const TableSchema before = example();
  const TableSchema after = schema_from_json("x", to_json(before));
  EXPECT_EQ(to_json(after), to_json(before));
  ASSERT_EQ(after.inputs.size(), 3U);
  EXPECT_EQ(after.inputs[0].name, "net\nweight");
  EXPECT_EQ(after.inputs[0].fill, 1.0 / 3);
  EXPECT_EQ(after.inputs[0].deviation, 5e-324);
  EXPECT_TRUE(std::isnan(after.inputs[1].fill));
  EXPECT_EQ(after.inputs[1].categories, before.inputs[1].categories);
  EXPECT_TRUE(after.inputs[1].has_missing);
  EXPECT_EQ(after.inputs[2].kind, ColumnKind::yes_no);
  EXPECT_EQ(after.classes, before.classes);
  EXPECT_EQ(after.left_out, before.left_out);
  EXPECT_EQ(after.missing, Missing::drop);
  const TableSchema images{
      .targets = {{.name = "y", .mean = -1e300}}, .unnamed_inputs = 3, .unnamed = {1.0F / 255, 0.1F}};
  const TableSchema same = schema_from_json("x", to_json(images));
  EXPECT_EQ(same.unnamed.scale, 1.0F / 255);
  EXPECT_EQ(same.unnamed.shift, 0.1F);
  EXPECT_EQ(same.targets[0].mean, -1e300);
  EXPECT_EQ(same.targets[0].origin, 0);
  const TableSchema times{.inputs = {{.name = "t", .origin = 1.7e9}}, .targets = {{.name = "y", .origin = -3e8}}};
  EXPECT_EQ(schema_from_json("x", to_json(times)).inputs[0].origin, 1.7e9);
  EXPECT_EQ(schema_from_json("x", to_json(times)).targets[0].origin, -3e8);
}

TEST(TableSchema, RefusesWhatItDidNotWrite) {
  for (const char* text : {"", "{", "[]", "3", "\"a\"", "{}"})
    expect_refused(text, "expected one that this program wrote");
  expect_refused(changed("\"classes\"", "\"klasses\""), "lacks 'classes'");
  expect_refused(changed("\"kind\":\"number\"", "\"kind\":\"numbers\""), "'numbers'");
  expect_refused(changed("\"kind\":\"number\"", "\"kind\":3"), "no text in 'kind'");
  expect_refused(changed("5e-324", "0"), "deviation 0");
  expect_refused(changed("5e-324", "-1"), "deviation -1");
  expect_refused(changed("5e-324", "1e999"), "JSON");
  expect_refused(changed("5e-324", "null"), "no number 'deviation'");
  expect_refused(changed("[\"no\",\"yes\"]", "[\"no\"]"), "1 categories for column 'open'");
  expect_refused(changed("[\"\",\"f\\\"\",\"ü\"]", "[\"a\",\"a\"]"), "'a' twice in 'categories'");
  expect_refused(changed("[\"\",\"f\\\"\",\"ü\"]", "[]"), "0 categories for column 'sex'");
  expect_refused(changed("[\"\",\"f\\\"\",\"ü\"]", "[1]"), "no text in 'categories'");
  expect_refused(changed("[\"a\",\"b,c\"]", "[\"a\"]"), "1 classes");
  expect_refused(changed("[\"a\",\"b,c\"]", "[\"a\",\"a\"]"), "'a' twice in 'classes'");
  expect_refused(changed("\"sex\"", "\"open\""), "'open' twice in 'inputs'");
  expect_refused(changed("\"unnamed_inputs\":0", "\"unnamed_inputs\":3"), "3 named and 3 unnamed inputs");
  expect_refused(changed("\"unnamed_inputs\":0", "\"unnamed_inputs\":-1"), "whole unnamed_inputs");
  expect_refused(changed("\"unnamed_inputs\":0", "\"unnamed_inputs\":1e18"), "whole unnamed_inputs");
  expect_refused(changed("\"scale\":1.0", "\"scale\":1e300"), "1e+300");
  expect_refused(changed("\"has_missing\":true", "\"has_missing\":1"), "has_missing");
  expect_refused(std::string(200000, '['), "JSON");
  EXPECT_THROW(schema_from_json("x", to_json({.unnamed_inputs = 3})), InputError) << "no target";
}

TEST(TableSchema, ValuesBecomeInputs) {
  const InputColumn column{.name = "a", .fill = 4, .mean = 2, .deviation = 4};
  EXPECT_EQ(as_input(column, 10), 2);
  EXPECT_EQ(as_input(column, std::numeric_limits<float>::quiet_NaN()), 0.5F);
  const InputColumn far{.name = "t", .fill = 1e9 + 4, .mean = 1e9 + 2, .deviation = 4, .origin = 1e9};
  EXPECT_EQ(as_input(far, 10), 2);
  EXPECT_EQ(as_input(far, std::numeric_limits<float>::quiet_NaN()), 0.5F);
  EXPECT_EQ(as_output({.name = "y", .mean = 1, .deviation = 2}, 2), 0.5F);
}

}  // namespace
}  // namespace recombine
