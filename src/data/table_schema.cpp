#include "src/data/table_schema.hpp"

#include <cmath>
#include <limits>

namespace recombine {

std::int64_t TableSchema::width() const {
  std::int64_t sum = unnamed_inputs;
  for (const InputColumn& column : inputs) sum += column.width();
  return sum;
}

float as_input(const InputColumn& column, float value) {
  const double known = std::isnan(value) ? column.fill - column.origin : value;
  return static_cast<float>((known - (column.mean - column.origin)) / column.deviation);
}

float as_output(const TargetColumn& column, float value) {
  return static_cast<float>((value - (column.mean - column.origin)) / column.deviation);
}

}  // namespace recombine
