#include "src/data/data_budget.hpp"

#include "kernels/error.hpp"

namespace recombine {

void DataBudget::take(const std::string& source, double bytes) {
  require_room(source, bytes);
  taken_ += bytes;
}

void DataBudget::require_room(const std::string& source, double bytes) const {
  static constexpr double kGiB = 0x1p30;
  require_input(taken_ + bytes <= memory_.host_bytes,
                "{}: reading the data takes more memory than the {:.3g} GiB that a host may use; expected fewer rows",
                source, memory_.host_bytes / kGiB);
}

}  // namespace recombine
