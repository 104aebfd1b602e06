#include "src/report/matmul_words.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "src/program/byte_text.hpp"

namespace recombine {

namespace {

constexpr double kShortest = 1e-3;  // seconds; shorter times are not compared with a prediction

/// "1.6% slower", of a plan that takes `ratio` times as long.
std::string slower_text(double ratio) {
  if (ratio >= 2) return fmt::format("{:.1f} times as long", ratio);
  return ratio < 1.0005 ? "less than 0.1% slower" : fmt::format("{:.1f}% slower", 100 * (ratio - 1));
}

/// "0.310 ms more in products", or "" if the difference rounds to nothing.
std::string part_text(double seconds, std::string_view where) {
  const std::string ms = fmt::format("{:.3f}", 1e3 * std::abs(seconds));
  return ms == "0.000" ? "" : fmt::format("{} ms {} in {}", ms, seconds > 0 ? "more" : "less", where);
}

/// Where a plan takes more or less time than another one, in brackets; "" if nowhere.
std::string parts_text(const Plan& plan, const Plan& other) {
  const std::string products = part_text(plan.product_seconds - other.product_seconds, "products");
  const std::string moving = part_text(plan.communication_seconds - other.communication_seconds, "moving");
  if (products.empty() && moving.empty()) return "";
  return fmt::format(" ({}{}{})", products, products.empty() || moving.empty() ? "" : ", ", moving);
}

std::string count_text(std::int64_t products) {
  return fmt::format("{} local product{}", products, products == 1 ? "" : "s");
}

/// What the chosen plan has less of than the fastest one: the two figures that decide in plan_matmul().
std::string advantage_text(const MatmulShape& shape, const Plan& chosen, const Plan& fastest) {
  const double saved = std::round(fastest.bytes_sent_per_rank) - std::round(chosen.bytes_sent_per_rank);
  if (saved > 0) return fmt::format("sends {} less per rank", byte_text(saved));
  return fmt::format("has {} instead of {}", count_text(local_products(shape, chosen)), local_products(shape, fastest));
}

}  // namespace

std::string reason_text(const MatmulShape& shape, const std::vector<Plan>& plans) {
  const Plan& chosen = plans.front();
  if (plans.size() == 1) return "the only candidate";
  const Plan& fastest = *std::ranges::min_element(plans, {}, &Plan::seconds);
  if (chosen.seconds() > fastest.seconds()) {
    return fmt::format("{} than {}{}: too close for the model to tell; {}",
                       slower_text(chosen.seconds() / fastest.seconds()), fastest.to_string(),
                       parts_text(chosen, fastest), advantage_text(shape, chosen, fastest));
  }
  const Plan& next = *std::min_element(plans.begin() + 1, plans.end(),
                                       [](const Plan& a, const Plan& b) { return a.seconds() < b.seconds(); });
  if (next.seconds() > chosen.seconds()) {
    return fmt::format("the fastest; next: {}, {}{}", next.to_string(), slower_text(next.seconds() / chosen.seconds()),
                       parts_text(next, chosen));
  }
  const bool alike = std::round(next.bytes_sent_per_rank) == std::round(chosen.bytes_sent_per_rank) &&
                     local_products(shape, next) == local_products(shape, chosen);
  if (alike) return fmt::format("the model sees no difference from {}", next.to_string());
  return fmt::format("as fast as {}; {}", next.to_string(), advantage_text(shape, chosen, next));
}

std::string prediction_text(double predicted_seconds, double measured_seconds) {
  const std::string predicted = fmt::format("predicted {:.4f} s", predicted_seconds);
  if (std::min(predicted_seconds, measured_seconds) < kShortest) return predicted + " (below 1 ms: not compared)";
  const double percent = std::round(100 * (predicted_seconds / measured_seconds - 1));
  if (percent == 0) return predicted + ", as measured";
  return fmt::format("{}, {:.0f}% too {}", predicted, std::abs(percent), percent < 0 ? "low" : "high");
}

std::string split_text(const MatmulDescription& run, const MatmulTimes& times) {
  const auto& [rank, product, exposed, io] = times.slowest;
  const bool streamed = run.operands == Operands::streamed;
  if (std::isnan(product) || (run.np == 1 && !streamed)) return "";
  std::string text = run.np == 1 ? "" : fmt::format("rank {} took longest: ", rank);
  text += fmt::format("products {:.4f} s", product);
  if (run.np > 1) text += fmt::format(", waiting for other ranks {:.4f} s", exposed);
  return streamed ? text + fmt::format(", waiting for files {:.4f} s", io) : text;
}

}  // namespace recombine
