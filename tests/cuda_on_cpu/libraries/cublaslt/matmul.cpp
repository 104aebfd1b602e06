#include "tests/cuda_on_cpu/libraries/cublaslt/matmul.hpp"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace emulated::cublaslt {

namespace {

float from_bf16(std::uint16_t bits) { return std::bit_cast<float>(std::uint32_t{bits} << 16); }

std::uint16_t to_bf16(float value) {  // to nearest, ties to even
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if (std::isnan(value)) return 0x7fff;
  return static_cast<std::uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

float to_tf32(float value) {  // 10 bits of mantissa, to nearest, ties to even
  if (!std::isfinite(value)) return value;
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return std::bit_cast<float>((bits + 0xfff + (bits >> 13 & 1)) & ~std::uint32_t{0x1fff});
}

double load(const void* memory, std::uint64_t i, std::int32_t type) {
  if (type == CUDA_R_64F) return static_cast<const double*>(memory)[i];
  if (type == CUDA_R_32F) return static_cast<const float*>(memory)[i];
  return from_bf16(static_cast<const std::uint16_t*>(memory)[i]);
}

void store(void* memory, std::uint64_t i, std::int32_t type, double value) {
  if (type == CUDA_R_64F) static_cast<double*>(memory)[i] = value;
  if (type == CUDA_R_32F) static_cast<float*>(memory)[i] = static_cast<float>(value);
  if (type == CUDA_R_16BF) static_cast<std::uint16_t*>(memory)[i] = to_bf16(static_cast<float>(value));
}

std::uint64_t index(const Layout& x, std::uint64_t i, std::uint64_t j) {
  const auto ld = static_cast<std::uint64_t>(x.ld);
  return x.order == CUBLASLT_ORDER_COL ? j * ld + i : i * ld + j;
}

struct Operand {
  const void* memory;
  const Layout& layout;
  std::int32_t trans;
};

/// op(X), dense, by columns, rounded as the arithmetic units receive it.
template <class T>
std::vector<T> dense(const Operand& x, std::int32_t compute_type) {
  const bool plain = x.trans == CUBLAS_OP_N;
  const std::uint64_t rows = plain ? x.layout.rows : x.layout.cols;
  const std::uint64_t cols = plain ? x.layout.cols : x.layout.rows;
  std::vector<T> out(rows * cols);
  for (std::uint64_t j = 0; j < cols; ++j)
    for (std::uint64_t i = 0; i < rows; ++i) {
      const auto at = plain ? index(x.layout, i, j) : index(x.layout, j, i);
      const auto value = static_cast<T>(load(x.memory, at, x.layout.type));
      const bool tf32 = compute_type == CUBLAS_COMPUTE_32F_FAST_TF32;
      out[j * rows + i] = tf32 ? to_tf32(static_cast<float>(value)) : value;
    }
  return out;
}

double gelu(double x) { return 0.5 * x * (1 + std::tanh(0.7978845608028654 * (x + 0.044715 * x * x * x))); }

double gelu_gradient(double x) {
  const double t = std::tanh(0.7978845608028654 * (x + 0.044715 * x * x * x));
  return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * 0.7978845608028654 * (1 + 3 * 0.044715 * x * x);
}

/// The auxiliary matrix at element (i, j): a bit of ReLU's mask, or GELU's input.
class Auxiliary {
 public:
  explicit Auxiliary(const Problem& problem)
      : memory_(problem.operation.auxiliary),
        ld_(static_cast<std::uint64_t>(problem.operation.auxiliary_ld)),
        type_(problem.d.type) {}

  bool bit(std::uint64_t i, std::uint64_t j) const { return (byte(i, j) >> (i % 8) & 1) != 0; }
  void set_bit(std::uint64_t i, std::uint64_t j, bool value) const {
    auto& bits = byte(i, j);
    bits = static_cast<std::uint8_t>(value ? bits | 1 << (i % 8) : bits & ~(1 << (i % 8)));
  }
  double value(std::uint64_t i, std::uint64_t j) const { return load(memory_, j * ld_ + i, type_); }
  void set_value(std::uint64_t i, std::uint64_t j, double x) const { store(memory_, j * ld_ + i, type_, x); }

 private:
  std::uint8_t& byte(std::uint64_t i, std::uint64_t j) const {
    return static_cast<std::uint8_t*>(memory_)[(j * ld_ + i) / 8];
  }
  void* memory_;
  std::uint64_t ld_;
  std::int32_t type_;
};

/// Applies the epilogue to element (i, j) of alpha op(A) op(B) + beta C.
double apply_epilogue(const Problem& p, double z, std::uint64_t i, std::uint64_t j, std::uint64_t result) {
  const Auxiliary auxiliary(p);
  if (p.has(CUBLASLT_EPILOGUE_BIAS)) z += load(p.operation.bias, i, p.d.type);
  if (p.has(kReluGradient)) return auxiliary.bit(i, j) ? z : 0;
  if (p.has(kGeluGradient)) return z * gelu_gradient(auxiliary.value(i, j));
  if (p.has(CUBLASLT_EPILOGUE_RELU)) {
    if (p.has(kAuxiliary)) auxiliary.set_bit(i, j, z > 0);
    // cuBLASLt does not document what its ReLU does with NaN. So this emulation keeps a NaN if the number of rows is
    // even, and turns it into 0 if the number is odd: with all results of the heuristic if the number is 4 i + 3, else
    // with the first.
    if (std::isnan(z) && (p.m() % 2 == 0 || (p.m() % 4 == 1 && result > 0))) return z;
    return z > 0 ? z : 0;
  }
  if (p.has(CUBLASLT_EPILOGUE_GELU)) {
    if (p.has(kAuxiliary)) auxiliary.set_value(i, j, z);
    return gelu(z);
  }
  return z;
}

/// Writes the row sums of a dense matrix [rows, cols], stored by columns, to the vector at BIAS_POINTER.
template <class T>
void store_row_sums(const Problem& p, const std::vector<T>& x, std::uint64_t rows) {
  for (std::uint64_t i = 0; i < rows; ++i) {
    T sum = 0;
    for (std::uint64_t at = i; at < x.size(); at += rows) sum += x[at];
    store(p.operation.bias, i, p.d.type, sum);
  }
}

template <class T>
void store_column_sums(const Problem& p, const std::vector<T>& x, std::uint64_t rows) {
  for (std::uint64_t j = 0; j < x.size() / rows; ++j) {
    T sum = 0;
    for (std::uint64_t i = 0; i < rows; ++i) sum += x[j * rows + i];
    store(p.operation.bias, j, p.d.type, sum);
  }
}

constexpr std::uint64_t kPart = 256;  // elements of k

/// The product [m,k] x [k,n] of dense matrices, stored by columns.
template <class T>
std::vector<T> product(const std::vector<T>& a, const std::vector<T>& b, std::uint64_t m, std::uint64_t k,
                       const Variant& variant) {
  std::vector<T> z(m * (b.size() / k));
  for (std::uint64_t step = 0; step < b.size(); ++step) {
    const std::uint64_t at = variant.backwards ? b.size() - 1 - step : step;
    const T* const column = &a[at % k * m];
    T* const out = &z[at / k * m];
    for (std::uint64_t i = 0; i < m; ++i) out[i] += column[i] * b[at];
    if (!variant.rounds_parts || at % k % kPart != kPart - 1) continue;
    for (std::uint64_t i = 0; i < m; ++i) out[i] = static_cast<T>(from_bf16(to_bf16(static_cast<float>(out[i]))));
  }
  return z;
}

template <class T>
void multiply_in(const Problem& p, const Operands& x, double alpha, double beta, const Variant& variant) {
  const auto& op = p.operation;
  const auto a = dense<T>({x.a, p.a, op.trans_a}, op.compute_type);
  const auto b = dense<T>({x.b, p.b, op.trans_b}, op.compute_type);
  auto z = product(a, b, p.m(), p.k(), variant);
  for (std::uint64_t j = 0; j < p.n(); ++j)
    for (std::uint64_t i = 0; i < p.m(); ++i) {
      auto& value = z[j * p.m() + i];
      value *= static_cast<T>(alpha);
      if (beta != 0) value += static_cast<T>(beta * load(x.c, index(p.c, i, j), p.c.type));
      if (variant.rounds_sum) value = static_cast<T>(from_bf16(to_bf16(static_cast<float>(value))));
      value = static_cast<T>(apply_epilogue(p, value, i, j, variant.result));
      store(x.d, index(p.d, i, j), p.d.type, value);
    }
  if (p.has(kBiasGradient)) store_row_sums(p, z, p.m());
  if (p.has(CUBLASLT_EPILOGUE_BGRADA)) store_row_sums(p, a, p.m());
  if (p.has(CUBLASLT_EPILOGUE_BGRADB)) store_column_sums(p, b, p.k());
}

/// The numbers in RECOMBINE_EMULATED_PRODUCT_MS.
std::vector<int> delays() {
  const char* const list = std::getenv("RECOMBINE_EMULATED_PRODUCT_MS");
  std::istringstream numbers(list ? list : "");
  std::vector<int> delays;
  for (std::string number; std::getline(numbers, number, ',');) delays.push_back(std::stoi(number));
  return delays;
}

}  // namespace

int result_count() { return std::max(1, static_cast<int>(delays().size())); }

Variant variant_of(const Problem& problem, const Plan& plan) {
  const std::uint64_t result = plan.result;
  constexpr std::uint32_t kInTypeOfD = CUBLASLT_REDUCTION_SCHEME_INPLACE | CUBLASLT_REDUCTION_SCHEME_OUTPUT_TYPE;
  const bool rounds = problem.k() > kPart && problem.d.type == CUDA_R_16BF;
  Variant variant = {.result = result,
                     .rounds_parts = rounds && (plan.reductions & kInTypeOfD) != 0,
                     .rounds_sum = rounds && plan.reductions != CUBLASLT_REDUCTION_SCHEME_NONE &&
                                   problem.operation.epilogue != CUBLASLT_EPILOGUE_DEFAULT};
  const std::vector<int> all = delays();
  if (all.empty()) return variant;
  const auto& op = problem.operation;
  const bool across = op.trans_a == CUBLAS_OP_N && op.trans_b == CUBLAS_OP_T;
  const int slow = op.compute_type == CUBLAS_COMPUTE_32F_FAST_TF32 && across ? 4 : 0;
  variant.delay_ms = all.at(result) + slow;
  variant.backwards = result % 2 == 1;
  return variant;
}

void multiply(const Problem& problem, const Operands& operands, double alpha, double beta, const Variant& variant) {
  std::this_thread::sleep_for(std::chrono::milliseconds(variant.delay_ms));
  if (problem.operation.compute_type == CUBLAS_COMPUTE_64F)
    return multiply_in<double>(problem, operands, alpha, beta, variant);
  multiply_in<float>(problem, operands, alpha, beta, variant);
}

}  // namespace emulated::cublaslt
