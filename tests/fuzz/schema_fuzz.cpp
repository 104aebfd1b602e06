// Input: the JSON of a table's schema, as files of weights hold it.

#include <cmath>

#include "src/data/table_schema.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace recombine;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  TableSchema schema;
  if (!fuzz::accepts([&] { schema = schema_from_json("schema", std::string(fuzz::text_of(data, size))); })) return 0;
  fuzz::insist(schema.width() > 0 && !schema.targets.empty(), "no inputs or targets");
  for (const InputColumn& column : schema.inputs) fuzz::insist(column.deviation > 0, "a deviation is not positive");
  const std::string text = to_json(schema);
  fuzz::insist(to_json(schema_from_json("schema", text)) == text, "the schema changed");
  return 0;
}
