// Products in graphs.
#include "tests/cuda_on_cpu/tests/cublaslt_fixture.hpp"
#include "tests/support/cuda_counts.hpp"

namespace emulated::test {

namespace {

constexpr Form kSquare{8, 8, 8};

TEST(CublasLtGraph, EachReplayComputesTheProductWithTheScalarsOfTheCapture) {
  const DeviceArray<float> ones(std::vector<float>(64, 1));
  const DeviceArray<float> sum(std::vector<float>(64, 0));
  Product product({.a = kSquare, .b = kSquare, .c = kSquare});
  ASSERT_EQ(product.choose(), CUBLAS_STATUS_SUCCESS);
  float alpha = 1;
  const float beta = 1;
  const Replay replay(product.stream(), [&] {
    ASSERT_EQ(product.enqueue({&alpha, ones.data(), ones.data(), &beta, sum.data(), sum.data()}),
              CUBLAS_STATUS_SUCCESS);
  });
  alpha = 5;
  EXPECT_EQ(sum.values(), std::vector<float>(64, 0));
  const auto before = recombine::test::cuda_counts();
  for (int i = 0; i < 3; ++i) replay.launch(product.stream());
  product.stream().synchronize();
  const auto counts = *recombine::test::cuda_counts() - *before;
  EXPECT_EQ(counts.kernel_launches, 3);
  EXPECT_EQ(counts.graph_launches, 3);
  EXPECT_EQ(sum.values(), std::vector<float>(64, 24));
}

TEST(CublasLtGraph, AReplayAfterAFreeEndsTheProgram) {
  const auto replay_after_free = [] {
    const DeviceArray<float> ones(std::vector<float>(64, 1));
    auto sum = std::make_unique<DeviceArray<float>>(64);
    Product product({.a = kSquare, .b = kSquare, .c = kSquare});
    ASSERT_EQ(product.choose(), CUBLAS_STATUS_SUCCESS);
    const float alpha = 1;
    const float beta = 0;
    const Replay replay(product.stream(), [&] {
      product.enqueue({&alpha, ones.data(), ones.data(), &beta, sum->data(), sum->data()});
    });
    sum.reset();
    replay.launch(product.stream());
    product.stream().synchronize();
  };
  EXPECT_DEATH(replay_after_free(), "cublasLt: a matrix is the host's memory");
}

TEST(CublasLtGraph, AnInvalidCaptureRefusesTheProduct) {
  const DeviceArray<float> x(std::vector<float>(64, 1));
  Product product({.a = kSquare, .b = kSquare, .c = kSquare});
  ASSERT_EQ(product.choose(), CUBLAS_STATUS_SUCCESS);
  const float scalar = 1;
  cudaGraph_t graph = nullptr;
  check(cudaStreamBeginCapture(product.stream(), cudaStreamCaptureModeThreadLocal));
  EXPECT_EQ(cudaStreamQuery(product.stream()), cudaErrorStreamCaptureUnsupported);
  EXPECT_EQ(product.enqueue({&scalar, x.data(), x.data(), &scalar, x.data(), x.data()}),
            CUBLAS_STATUS_EXECUTION_FAILED);
  EXPECT_EQ(cudaStreamEndCapture(product.stream(), &graph), cudaErrorStreamCaptureInvalidated);
}

}  // namespace

}  // namespace emulated::test
