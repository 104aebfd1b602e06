#include "distributed/matmul/verify/finding.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>

#include "distributed/session.hpp"
#include "kernels/error.hpp"

namespace recombine {

namespace {

template <class T>
void copy_row(const std::byte* row, Doubles& to) {
  const auto* const from = reinterpret_cast<const T*>(row);
  for (std::size_t i = 0; i < to.size(); ++i) to[i] = static_cast<double>(from[i]);
}

void copy_bf16_row(const std::byte* row, Doubles& to) {
  for (std::size_t i = 0; i < to.size(); ++i) {
    std::array<std::byte, 4> bits{};  // bf16 is the upper half of an f32
    std::memcpy(bits.data() + 2, row + 2 * i, 2);
    float value = 0;
    std::memcpy(&value, bits.data(), 4);
    to[i] = static_cast<double>(value);
  }
}

}  // namespace

double unit_roundoff(DataType type) {
  switch (type) {
    case DataType::f64: return 0x1p-53;
    case DataType::bf16: return 0x1p-8;
    default: return 0x1p-24;
  }
}

Underflow underflow_of(DataType product, DataType stored) {
  static constexpr double kLeastNormal = 0x1p-126;  // of f32 and bf16
  const auto half_spacing = [](DataType type) {
    return type == DataType::f64 ? 0x1p-1074 : type == DataType::bf16 ? 0x1p-134 : 0x1p-150;
  };
  const bool flushes = product == DataType::bf16;
  return {.operand = flushes ? kLeastNormal : 0,
          .sum = flushes ? kLeastNormal : half_spacing(product),
          .stored = half_spacing(stored)};
}

Verification with_common_factors(Communicator& world, Stream& stream, Verification what) {
  std::array<double, 2> factors = {what.alpha, what.beta};
  world.broadcast(stream, vector_view(factors.data(), 2), 0);
  stream.synchronize();
  what.alpha = factors[0];
  what.beta = factors[1];
  if (!what.c0) what.c0 = [](const Visitor& /*visit*/) {};  // this rank has no part of C0
  return what;
}

void sum_over_ranks(Communicator& world, Stream& stream, Doubles& values) {
  world.all_reduce(stream, vector_view(values.data(), static_cast<std::int64_t>(values.size())), Reduction::sum);
  stream.synchronize();
}

void read_row(ConstMatrixView matrix, std::int64_t row, Doubles& to) {
  const std::byte* const at = matrix.data + row * matrix.ld * size_of(matrix.type);
  to.resize(static_cast<std::size_t>(matrix.cols));
  switch (matrix.type) {
    case DataType::f64: return copy_row<double>(at, to);
    case DataType::f32: return copy_row<float>(at, to);
    case DataType::bf16: return copy_bf16_row(at, to);
    default: throw Error(fmt::format("cannot verify a product of {}", name_of(matrix.type)));
  }
}

std::pair<int, int> block_of(const Verification& what, std::int64_t row, std::int64_t col) {
  const auto part = [](std::int64_t extent, int parts, std::int64_t at) {
    int index = 0;
    while (split_range(extent, parts, index).end <= at) ++index;
    return index;
  };
  return {part(what.shape.m, what.mesh.extent(Axis::i), row), part(what.shape.n, what.mesh.extent(Axis::j), col)};
}

bool Finding::add(double error, double bound, double magnitude) {
  static constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (std::isnan(error)) error = kInfinity;
  const double share = error == 0 ? 0 : error / bound;  // bound 0: infinity
  if (magnitude > 0) relative_error_ = std::max(relative_error_, error / magnitude);
  if (share <= share_) return false;
  share_ = std::isnan(share) ? kInfinity : share;
  return true;
}

Verdict Finding::agree(Communicator& world, Stream& stream) const {
  Doubles largest = {relative_error_, share_};
  world.all_reduce(stream, vector_view(largest.data(), 2), Reduction::max);
  stream.synchronize();
  Verdict verdict{.relative_error = largest[0], .share_of_bound = largest[1]};
  try {
    recombine::agree(world, stream, [&] {
      if (share_ > 1) throw Error(text_);
    });
  } catch (const AgreedError& error) {
    verdict.failure = error.what();
  }
  return verdict;
}

}  // namespace recombine
