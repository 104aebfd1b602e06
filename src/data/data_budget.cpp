#include "src/data/data_budget.hpp"

#include "kernels/error.hpp"
#include "src/program/byte_text.hpp"

namespace recombine {

void DataBudget::take(const std::string& source, double bytes) {
  require_room(source, bytes);
  taken_ += bytes;
}

void DataBudget::require_room(const std::string& source, double bytes) const {
  require_input(
      taken_ + bytes <= memory_.host_bytes,
      "{}: reading the data takes at least {} on a host, but {} allows {}; expected fewer rows or more memory", source,
      exact_byte_text(taken_ + bytes), memory_.limit, byte_text(memory_.host_bytes));
}

}  // namespace recombine
