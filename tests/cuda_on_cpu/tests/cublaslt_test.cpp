// Compares the stand-in for cuBLASLt with plain loops.
#include <functional>
#include <type_traits>

#include "tests/cuda_on_cpu/tests/cublaslt_fixture.hpp"

namespace emulated::test {

namespace {

constexpr int kM = 5;
constexpr int kN = 7;
constexpr int kK = 13;

/// Multiples of 1/4 between -1 and 1: they are exact in bf16 and tf32, and their sums are exact in f32.
double element(std::size_t i, int seed) {
  return static_cast<double>(static_cast<int>((i * 7 + static_cast<std::size_t>(seed)) % 9) - 4) / 4;
}

template <class T>
T stored(double value) {
  if constexpr (std::is_same_v<T, std::uint16_t>)
    return bf16(static_cast<float>(value));
  else
    return static_cast<T>(value);
}

template <class T>
double loaded(T value) {
  if constexpr (std::is_same_v<T, std::uint16_t>)
    return from_bf16(value);
  else
    return value;
}

template <class T>
std::vector<T> matrix(std::size_t count, int seed) {
  std::vector<T> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = stored<T>(element(i, seed));
  return values;
}

/// 2 op(A) op(B) - 3 C at (i, j). A, B and C consist of element(.., 1), element(.., 2) and element(.., 3).
double expected(const Case& x, std::int64_t i, std::int64_t j) {
  double sum = 0;
  for (std::int64_t p = 0; p < kK; ++p)
    sum += element(x.trans_a == CUBLAS_OP_N ? x.a.at(i, p) : x.a.at(p, i), 1) *
           element(x.trans_b == CUBLAS_OP_N ? x.b.at(p, j) : x.b.at(j, p), 2);
  return 2 * sum - 3 * element(x.c.at(i, j), 3);
}

/// Computes D in place of C (alpha 2, beta -3), and compares it. Memory between C's rows or columns must not change.
template <class AB, class CD, class Scale>
void expect_product(const Case& x, const std::function<double(double, std::int64_t, std::int64_t)>& epilogue) {
  const DeviceArray<AB> a(matrix<AB>(x.a.size(), 1));
  const DeviceArray<AB> b(matrix<AB>(x.b.size(), 2));
  const DeviceArray<CD> c(matrix<CD>(x.c.size(), 3));
  const Scale alpha = 2;
  const Scale beta = -3;
  Product product(x);
  ASSERT_EQ(product.choose(), CUBLAS_STATUS_SUCCESS);
  ASSERT_EQ(product.run({&alpha, a.data(), b.data(), &beta, c.data(), c.data()}), CUBLAS_STATUS_SUCCESS);
  auto want = matrix<CD>(x.c.size(), 3);
  for (std::int64_t i = 0; i < kM; ++i)
    for (std::int64_t j = 0; j < kN; ++j) want[x.c.at(i, j)] = stored<CD>(epilogue(expected(x, i, j), i, j));
  const auto got = c.values();
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(loaded(got[i]), loaded(want[i]), 1e-6) << i;
}

double unchanged(double z, std::int64_t, std::int64_t) { return z; }

Form form(std::int64_t rows, std::int64_t cols, cublasLtOrder_t order) {
  return {rows, cols, (order == CUBLASLT_ORDER_COL ? rows : cols) + 3, order};
}

/// `x` with all orders and transpositions.
std::vector<Case> all_forms(const Case& x) {
  std::vector<Case> cases;
  for (const auto trans_a : {CUBLAS_OP_N, CUBLAS_OP_T})
    for (const auto trans_b : {CUBLAS_OP_N, CUBLAS_OP_T})
      for (int orders = 0; orders < 8; ++orders) {
        const auto order = [&](int bit) { return (orders >> bit & 1) != 0 ? CUBLASLT_ORDER_ROW : CUBLASLT_ORDER_COL; };
        Case next = x;
        next.trans_a = trans_a;
        next.trans_b = trans_b;
        next.a = trans_a == CUBLAS_OP_N ? form(kM, kK, order(0)) : form(kK, kM, order(0));
        next.b = trans_b == CUBLAS_OP_N ? form(kK, kN, order(1)) : form(kN, kK, order(1));
        next.c = form(kM, kN, order(2));
        cases.push_back(next);
      }
  return cases;
}

TEST(CublasLt, MultipliesF32AndTf32InEveryLayout) {
  for (const auto& x : all_forms({})) expect_product<float, float, float>(x, unchanged);
  for (const auto& x : all_forms({.compute = CUBLAS_COMPUTE_32F_FAST_TF32}))
    expect_product<float, float, float>(x, unchanged);
}

TEST(CublasLt, MultipliesBf16IntoBf16AndF32InEveryLayout) {
  for (const auto& x : all_forms({.ab = CUDA_R_16BF, .cd = CUDA_R_16BF}))
    expect_product<std::uint16_t, std::uint16_t, float>(x, unchanged);
  for (const auto& x : all_forms({.ab = CUDA_R_16BF})) expect_product<std::uint16_t, float, float>(x, unchanged);
}

TEST(CublasLt, MultipliesF64InEveryLayout) {
  const Case f64{.compute = CUBLAS_COMPUTE_64F, .scale = CUDA_R_64F, .ab = CUDA_R_64F, .cd = CUDA_R_64F};
  for (const auto& x : all_forms(f64)) expect_product<double, double, double>(x, unchanged);
}

TEST(CublasLt, Tf32RoundsItsOperands) {
  const Form one{1, 1, 1};
  const DeviceArray<float> a(std::vector<float>{1.0F + 0x1p-11F + 0x1p-12F});  // more than half of tf32's last place
  const DeviceArray<float> b(std::vector<float>{1.0F});
  const DeviceArray<float> d(1);
  const float alpha = 1;
  const float beta = 0;
  Product product({.compute = CUBLAS_COMPUTE_32F_FAST_TF32, .a = one, .b = one, .c = one});
  ASSERT_EQ(product.run({&alpha, a.data(), b.data(), &beta, d.data(), d.data()}), CUBLAS_STATUS_SUCCESS);
  EXPECT_EQ(d.values()[0], 1.0F + 0x1p-10F);
}

Case by_columns(cublasLtEpilogue_t epilogue) {
  return {.a = form(kM, kK, CUBLASLT_ORDER_COL),
          .b = form(kK, kN, CUBLASLT_ORDER_COL),
          .c = form(kM, kN, CUBLASLT_ORDER_COL),
          .epilogue = epilogue};
}

double bias_of(std::int64_t i) { return element(static_cast<std::size_t>(i), 4); }
double relu(double z) { return z > 0 ? z : 0; }
double gelu(double z) { return 0.5 * z * (1 + std::tanh(std::sqrt(2 / M_PI) * (z + 0.044715 * z * z * z))); }

TEST(CublasLt, AppliesBiasAndActivation) {
  const DeviceArray<float> bias(matrix<float>(kM, 4));
  auto x = by_columns(CUBLASLT_EPILOGUE_RELU);
  expect_product<float, float, float>(x, [](double z, auto, auto) { return relu(z); });
  x.epilogue = CUBLASLT_EPILOGUE_GELU;
  expect_product<float, float, float>(x, [](double z, auto, auto) { return gelu(z); });
  x.bias = bias.data();
  x.epilogue = CUBLASLT_EPILOGUE_BIAS;
  expect_product<float, float, float>(x, [](double z, auto i, auto) { return z + bias_of(i); });
  x.epilogue = CUBLASLT_EPILOGUE_RELU_BIAS;
  expect_product<float, float, float>(x, [](double z, auto i, auto) { return relu(z + bias_of(i)); });
  x.epilogue = CUBLASLT_EPILOGUE_GELU_BIAS;
  expect_product<float, float, float>(x, [](double z, auto i, auto) { return gelu(z + bias_of(i)); });
}

TEST(CublasLt, AppliesABiasInBf16) {
  const DeviceArray<std::uint16_t> bias(matrix<std::uint16_t>(kM, 4));
  auto x = by_columns(CUBLASLT_EPILOGUE_BIAS);
  x.ab = x.cd = CUDA_R_16BF;
  x.bias = bias.data();
  expect_product<std::uint16_t, std::uint16_t, float>(x, [](double z, auto i, auto) { return z + bias_of(i); });
}

TEST(CublasLt, ReluWritesAMaskThatItsGradientReads) {
  const DeviceArray<float> bias(matrix<float>(kM, 4));
  const DeviceArray<std::uint8_t> mask(std::vector<std::uint8_t>(kN * 16, 0xff));
  auto x = by_columns(CUBLASLT_EPILOGUE_RELU_AUX_BIAS);
  x.bias = bias.data();
  x.auxiliary = mask.data();
  x.auxiliary_ld = 128;
  expect_product<float, float, float>(x, [](double z, auto i, auto) { return relu(z + bias_of(i)); });
  const auto bits = mask.values();
  const auto bit = [&](std::int64_t i, std::int64_t j) {
    return (bits[static_cast<std::size_t>(j * 16)] >> i & 1) != 0;
  };
  for (std::int64_t i = 0; i < kM; ++i)
    for (std::int64_t j = 0; j < kN; ++j) EXPECT_EQ(bit(i, j), expected(x, i, j) + bias_of(i) > 0);
  const DeviceArray<float> sums(kM);
  x.epilogue = CUBLASLT_EPILOGUE_DRELU_BGRAD;
  x.bias = sums.data();
  expect_product<float, float, float>(x, [&](double z, auto i, auto j) { return bit(i, j) ? z : 0; });
  for (std::int64_t i = 0; i < kM; ++i) {
    double sum = 0;
    for (std::int64_t j = 0; j < kN; ++j) sum += bit(i, j) ? expected(x, i, j) : 0;
    EXPECT_NEAR(sums.values()[static_cast<std::size_t>(i)], sum, 1e-5);
  }
}

TEST(CublasLt, GeluWritesItsInputThatItsGradientReads) {
  const DeviceArray<float> input(8 * kN);
  auto x = by_columns(CUBLASLT_EPILOGUE_GELU_AUX);
  x.auxiliary = input.data();
  x.auxiliary_ld = 8;
  expect_product<float, float, float>(x, [](double z, auto, auto) { return gelu(z); });
  const auto z = input.values();
  for (std::int64_t i = 0; i < kM; ++i)
    for (std::int64_t j = 0; j < kN; ++j) EXPECT_EQ(z[static_cast<std::size_t>(8 * j + i)], expected(x, i, j));
  x.epilogue = CUBLASLT_EPILOGUE_DGELU;
  expect_product<float, float, float>(x, [](double gradient, auto i, auto j) {
    const double at = expected(by_columns(CUBLASLT_EPILOGUE_DEFAULT), i, j);
    return gradient * (gelu(at + 1e-6) - gelu(at - 1e-6)) / 2e-6;
  });
}

TEST(CublasLt, SumsGradientsOfTheBiasFromEitherOperand) {
  const DeviceArray<float> rows(kM);
  const DeviceArray<float> cols(kN);
  auto x = by_columns(CUBLASLT_EPILOGUE_BGRADA);
  x.bias = rows.data();
  expect_product<float, float, float>(x, unchanged);
  auto y = by_columns(CUBLASLT_EPILOGUE_BGRADB);
  y.bias = cols.data();
  expect_product<float, float, float>(y, unchanged);
  for (std::int64_t i = 0; i < kM; ++i) {
    double sum = 0;
    for (std::int64_t p = 0; p < kK; ++p) sum += element(x.a.at(i, p), 1);
    EXPECT_EQ(rows.values()[static_cast<std::size_t>(i)], sum);
  }
  for (std::int64_t j = 0; j < kN; ++j) {
    double sum = 0;
    for (std::int64_t p = 0; p < kK; ++p) sum += element(y.b.at(p, j), 2);
    EXPECT_EQ(cols.values()[static_cast<std::size_t>(j)], sum);
  }
}

}  // namespace

}  // namespace emulated::test
