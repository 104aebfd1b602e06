#include "src/data/arrays/array_store.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "kernels/error.hpp"
#include "src/program/byte_text.hpp"

namespace recombine {

std::shared_ptr<const FeatureStore> make_array_store(const std::string& source, std::int64_t rows, std::int64_t cols,
                                                     DataBudget& budget, std::vector<std::string>& notes) {
  const double bytes = static_cast<double>(rows) * static_cast<double>(cols) * sizeof(float);
  auto place = FeatureStore::Place::disk;
  if (budget.fits_half(bytes)) {
    budget.take(source, bytes);
    place = FeatureStore::Place::memory;
  } else {
    notes.push_back(fmt::format("{}: {} rows take {}, more than half of the memory: they are kept on a disk", source,
                                rows, byte_text(bytes)));
  }
  return std::make_shared<const FeatureStore>(source, place, rows, cols);
}

std::int64_t rows_at_once(std::int64_t rows, std::int64_t cols) {
  constexpr std::int64_t kBytes = std::int64_t{16} << 20;
  return std::clamp<std::int64_t>(kBytes / (cols * static_cast<std::int64_t>(sizeof(float))), 1, rows);
}

void require_finite(const std::string& source, const std::vector<std::int64_t>& shape, std::int64_t first,
                    std::span<const float> values) {
  // The sum of differences is NaN if a value is NaN or infinite, and the compiler can vectorize it.
  float sum = 0;
  for (const float x : values) sum += x - x;
  if (sum == 0) return;
  const auto bad = std::ranges::find_if_not(values, [](float x) { return std::isfinite(x); });
  std::int64_t at = first + (bad - values.begin());
  std::vector<std::int64_t> index(shape.size());
  for (std::size_t d = shape.size(); d-- > 0; at /= shape[d]) index[d] = at % shape[d];
  throw InputError(fmt::format("{}: element [{}] is {} in f32; expected finite numbers", source, fmt::join(index, ","),
                               std::isnan(*bad) ? "NaN" : "infinite"));
}

}  // namespace recombine
