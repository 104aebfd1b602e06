#include "distributed/matmul/stream.hpp"

#include <cmath>
#include <regex>

#include <gtest/gtest.h>

#include "distributed/matmul/planner.hpp"
#include "kernels/error.hpp"
#include "tests/distributed/matmul/product_case.hpp"
#include "tests/support/rank_test.hpp"

namespace recombine {
namespace {

constexpr std::uint64_t kSeed = 3;

double largest_part(std::int64_t extent, int parts) { return std::ceil(static_cast<double>(extent) / parts); }

/// Tiles must keep to the limit and must not be empty. If no tiles fit, the message must say how many bytes are enough.
void check_choice(const MatmulShape& shape, const Mesh& mesh, double limit) {
  SCOPED_TRACE(fmt::format("[{},{}] x [{},{}] {} on {} in {}", shape.m, shape.k, shape.k, shape.n, name_of(shape.type),
                           mesh.to_string(), limit));
  try {
    const Tiles tiles = choose_tiles(shape, mesh, limit);
    EXPECT_LE(tiles.bytes(shape), limit);
    const auto within = [](std::int64_t size, std::int64_t extent, int parts) {
      EXPECT_GE(size, 1);
      EXPECT_LE(static_cast<double>(size), std::max(1.0, largest_part(extent, parts)));
    };
    within(tiles.rows, shape.m, mesh.extent(Axis::i));
    within(tiles.cols, shape.n, mesh.extent(Axis::j));
    within(tiles.panel, shape.k, mesh.extent(Axis::k));
  } catch (const InputError& error) {
    const std::string message = error.what();
    std::smatch found;
    ASSERT_TRUE(std::regex_search(message, found, std::regex("--memory-limit: .*; expected at least ([0-9]+) bytes")))
        << message;
    const double enough = std::stod(found[1]);
    EXPECT_GT(enough, limit);
    EXPECT_LE(choose_tiles(shape, mesh, enough).bytes(shape), enough);
    EXPECT_THROW(choose_tiles(shape, mesh, enough - 1), InputError);
  }
}

TEST(ChooseTiles, KeepsToTheLimitOrSaysWhatIsEnough) {
  static const std::vector<std::int64_t> kExtents = {0, 1, 63, 65, 1000, 100003};
  for (const std::int64_t m : kExtents) {
    for (const std::int64_t n : kExtents) {
      for (const std::int64_t k : kExtents) {
        for (const DataType type : {DataType::f32, DataType::f64, DataType::bf16}) {
          for (const Mesh& mesh : {Mesh(1, 1, 1), Mesh(3, 1, 1), Mesh(2, 3, 1), Mesh(1, 1, 7), Mesh(2, 2, 2)}) {
            for (const double limit : {1.0, 100.0, 4000.5, 81920.0, 81921.0, 1e5, 1e6, 0x1p20, 1e8, 1e13}) {
              check_choice({m, n, k, type}, mesh, limit);
            }
          }
        }
      }
    }
  }
}

TEST(ChooseTiles, WithMoreMemoryFewerBytesAreRead) {
  const MatmulShape shape{20000, 15000, 10000, DataType::f32};
  for (const Mesh& mesh : meshes_of(6)) {
    double before = INFINITY;
    for (double limit = 1 << 17; limit < 4e9; limit *= 2) {
      const double bytes = bytes_read(shape, mesh, choose_tiles(shape, mesh, limit));
      EXPECT_LE(bytes, before) << mesh.to_string() << ' ' << limit;
      before = bytes;
    }
    // If the rank's whole C fits into memory, every operand is read once.
    const auto part = [&](std::int64_t extent, Axis axis) { return largest_part(extent, mesh.extent(axis)); };
    EXPECT_EQ(before, 4 * part(shape.k, Axis::k) * (part(shape.m, Axis::i) + part(shape.n, Axis::j)));
  }
}

/// A streamed product of generated matrices. Each rank keeps the elements of C that it writes.
class StreamedProduct {
 public:
  StreamedProduct(RankContext& context, const MatmulShape& shape, const Tiles& tiles, double alpha, double beta)
      : shape_(shape),
        alpha_(alpha),
        beta_(beta),
        c_(static_cast<std::size_t>(shape.m * shape.n), NAN),
        writes_(c_.size()) {
    StreamedMatmul call{.shape = shape, .tiles = tiles, .alpha = alpha, .beta = beta};
    call.a = [&](Stream&, Range k, Range rows, MatrixView to) {
      generate(context, {kSeed, kTensorA, shape.k}, rows, k, Transpose::yes, to);
    };
    call.b = [&](Stream&, Range k, Range cols, MatrixView to) {
      generate(context, {kSeed, kTensorB, shape.n}, k, cols, Transpose::no, to);
    };
    if (beta != 0) {
      call.c0 = [&](Stream&, Range rows, Range cols, MatrixView to) {
        generate(context, {kSeed, kTensorC, shape.n}, rows, cols, Transpose::no, to);
      };
    }
    call.write = [&](Stream&, Range rows, Range cols, ConstMatrixView from) { keep(rows, cols, from); };
    seconds_ = multiply_streamed(context, call);
  }

  double seconds() const { return seconds_; }

  /// Expects, summed over the ranks, that every element was written once and agrees with a plain loop.
  std::string failure(Communicator& world, Stream& stream) {
    for (double& value : c_) value = std::isnan(value) ? 0 : value;
    if (!c_.empty()) {
      world.all_reduce(stream, vector_view(c_.data(), std::ssize(c_)), Reduction::sum);
      world.all_reduce(stream, vector_view(writes_.data(), std::ssize(writes_)), Reduction::sum);
      stream.synchronize();
    }
    const Generated a{kSeed, kTensorA, shape_.k}, b{kSeed, kTensorB, shape_.n}, c0{kSeed, kTensorC, shape_.n};
    const double u = shape_.type == DataType::f64 ? 0x1p-53 : 0x1p-24;
    for (std::int64_t i = 0; i < shape_.m; ++i) {
      for (std::int64_t j = 0; j < shape_.n; ++j) {
        const auto at = static_cast<std::size_t>(i * shape_.n + j);
        if (writes_[at] != 1) return fmt::format("C({}, {}) was written {} times", i, j, writes_[at]);
        double sum = 0;
        double size = 0;
        for (std::int64_t l = 0; l < shape_.k; ++l) {
          const double term = a.at(i, l, shape_.type) * b.at(l, j, shape_.type);
          sum += term;
          size += std::abs(term);
        }
        const double old = beta_ * c0.at(i, j, shape_.result_type());
        const double right = alpha_ * sum + old;
        const double bound = (static_cast<double>(shape_.k) + 4) * u * (std::abs(alpha_) * size + std::abs(old));
        if (std::abs(c_[at] - right) <= bound) continue;  // false if the error is NaN
        return fmt::format("C({}, {}) is {}, a plain loop gives {}, bound {}", i, j, c_[at], right, bound);
      }
    }
    return "";
  }

 private:
  void keep(Range rows, Range cols, ConstMatrixView from) {
    for (std::int64_t i = 0; i < rows.size(); ++i) {
      for (std::int64_t j = 0; j < cols.size(); ++j) {
        const std::int64_t at = i * from.ld + j;
        const auto to = static_cast<std::size_t>((rows.begin + i) * shape_.n + cols.begin + j);
        c_[to] = from.type == DataType::f64 ? from.as<double>()[at] : static_cast<double>(from.as<float>()[at]);
        writes_[to] += 1;
      }
    }
  }

  MatmulShape shape_;
  double alpha_, beta_;
  std::vector<double> c_;
  std::vector<std::int64_t> writes_;
  double seconds_ = 0;
};

class StreamTest : public ::testing::Test {
 protected:
  std::unique_ptr<Device> device_ = make_device({.progress = test::session().progress()});
  std::unique_ptr<Communicator> world_ = make_world(test::session());
  std::unique_ptr<Stream> stream_ = device_->make_stream(StreamUse::communication);
};

TEST_F(StreamTest, OddTilesOfEveryMeshAgreeWithAPlainLoop) {
  static const std::vector<std::array<std::int64_t, 3>> kShapes = {{31, 23, 17}, {1, 40, 9}, {5, 3, 64}, {23, 31, 0},
                                                                   {0, 4, 5},    {4, 0, 5},  {2, 2, 1}};
  static const std::vector<Tiles> kTiles = {{1, 1, 1}, {3, 5, 2}, {7, 4, 16}, {64, 64, 64}, {2, 64, 5}};
  static const std::vector<std::pair<double, double>> kFactors = {{1, 0}, {-0.5, 2}};
  static const std::vector<DataType> kTypes = {DataType::f32, DataType::f64, DataType::bf16};
  std::size_t turn = 0;  // factors and types take turns
  for (const Mesh& mesh : meshes_of(world_->size())) {
    RankContext context(mesh, *world_, *device_);
    for (const auto& [m, n, k] : kShapes) {
      for (const Tiles& tiles : kTiles) {
        const auto& [alpha, beta] = kFactors[turn % kFactors.size()];
        const DataType type = kTypes[turn++ % kTypes.size()];
        StreamedProduct product(context, {m, n, k, type}, tiles, alpha, beta);
        EXPECT_EQ(product.failure(*world_, *stream_), "")
            << fmt::format("{} [{},{}] x [{},{}] {}, tiles {}x{}, panels of {}, alpha {}, beta {}", mesh.to_string(), m,
                           k, k, n, name_of(type), tiles.rows, tiles.cols, tiles.panel, alpha, beta);
        EXPECT_GE(product.seconds(), 0);
      }
    }
  }
}

TEST_F(StreamTest, RoundIsAppliedOnceToFinishedSums) {
  const MatmulShape shape{9, 8, 30, DataType::f32};
  for (const Mesh& mesh : meshes_of(world_->size())) {
    RankContext context(mesh, *world_, *device_);
    StreamedMatmul call{.shape = shape, .tiles = {4, 3, 7}};
    std::int64_t rounded = 0, written = 0;
    const auto ones = [&](Stream&, Range, Range, MatrixView to) {
      for (std::int64_t r = 0; r < to.rows; ++r) std::fill_n(to.as<float>() + r * to.ld, to.cols, 1.0F);
    };
    call.a = ones;
    call.b = ones;
    call.round = [&](MatrixView tile) {
      for (std::int64_t r = 0; r < tile.rows; ++r) {
        for (std::int64_t c = 0; c < tile.cols; ++c) {
          float& value = tile.as<float>()[r * tile.ld + c];
          EXPECT_EQ(value, 30.0F);
          value += 1;
          ++rounded;
        }
      }
    };
    call.write = [&](Stream&, Range, Range, ConstMatrixView from) {
      for (std::int64_t r = 0; r < from.rows; ++r) {
        for (std::int64_t c = 0; c < from.cols; ++c, ++written) EXPECT_EQ(from.as<float>()[r * from.ld + c], 31.0F);
      }
    };
    multiply_streamed(context, call);
    EXPECT_EQ(rounded, written);
    world_->all_reduce(*stream_, vector_view(&written, 1), Reduction::sum);
    stream_->synchronize();
    EXPECT_EQ(written, shape.m * shape.n);
  }
}

}  // namespace
}  // namespace recombine
