#include "distributed/redistribute.hpp"

#include <algorithm>
#include <bit>
#include <numeric>
#include <string>

#include <gtest/gtest.h>

#include "distributed/owned_matrix.hpp"
#include "distributed/session.hpp"
#include "kernels/cpu/cpu_stream.hpp"
#include "kernels/error.hpp"
#include "tests/support/other_communicator.hpp"
#include "tests/support/placements.hpp"
#include "tests/support/rank_test.hpp"
#include "tests/support/test_device.hpp"

namespace recombine {
namespace {

using Shape = DistMatrix::Shape;

constexpr double kUntouched = -2;
const std::vector<Shape> kShapes = {{7, 5}, {1, 9}, {13, 1}, {2, 3}, {0, 4}, {16, 24}, {4, 0}, {5, 16}};

double value(std::int64_t i, std::int64_t j) { return static_cast<double>((i * 24 + j) % 251); }  // exact in bf16 too

/// A rank's part of a matrix, in its own memory, which the host can reach.
class Held {
 public:
  Held(RankContext& context, Shape shape, const Placement& placement, DataType type)
      : matrix_(context, shape, placement, type), held_(held_areas(context.mesh(), context.coord(), shape, placement)) {
    for (std::int64_t i = 0; i < matrix_.memory().size; ++i) set(matrix_.memory(), i, kUntouched);
  }
  DistMatrix& matrix() { return matrix_; }

  void fill() {
    for_each_element([&](const VectorView& at, bool held, double expected) {
      if (held) set(at, 0, expected);
    });
  }
  /// Number of held elements that differ from fill()'s, and of changed elements that this rank does not hold.
  std::int64_t wrong() const {
    std::int64_t wrong = 0;
    for_each_element([&](const VectorView& at, bool held, double expected) {
      wrong += get(at) == (held ? expected : kUntouched) ? 0 : 1;
    });
    return wrong;
  }

 private:
  template <class Visit>
  void for_each_element(const Visit& visit) const {
    for (std::size_t b = 0; b < held_.size(); ++b) {
      const Block& block = matrix_.blocks()[b];
      for (std::int64_t i = block.rows.begin; i < block.rows.end; ++i) {
        for (std::int64_t j = block.cols.begin; j < block.cols.end; ++j) {
          const std::int64_t index = (i - block.rows.begin) * block.view.ld + j - block.cols.begin;
          const bool held = i >= held_[b].rows.begin && i < held_[b].rows.end;
          visit(as_vector(block.view).range(index, index + 1), held, value(i, j));
        }
      }
    }
  }
  static void set(const VectorView& v, std::int64_t i, double x) {
    switch (v.type) {
      case DataType::f64: v.as<double>()[i] = x; break;
      case DataType::bf16:
        v.as<BFloat16>()[i] = {static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(static_cast<float>(x)) >> 16U)};
        break;
      default: v.as<float>()[i] = static_cast<float>(x);
    }
  }
  static double get(const VectorView& v) {
    switch (v.type) {
      case DataType::f64: return *v.as<double>();
      case DataType::bf16: return std::bit_cast<float>(static_cast<std::uint32_t>(v.as<BFloat16>()->bits) << 16U);
      default: return *v.as<float>();
    }
  }

  OwnedMatrix matrix_;
  std::vector<Area> held_;
};

class RedistributeTest : public ::testing::Test {
 protected:
  RankContext context(const Mesh& mesh) const { return {mesh, *host_, *device_, test::collectives()}; }

  /// Number of wrong elements on this rank after a redistribution through `world`.
  std::int64_t wrong_after(RankContext& context, Communicator& world, Shape shape, const Placement& from,
                           const Placement& to, DataType type = DataType::f32) const {
    Held source(context, shape, from, type);
    Held target(context, shape, to, type);
    source.fill();
    redistribute(context, world, source.matrix(), target.matrix());
    context.compute().synchronize();
    return source.wrong() + target.wrong();
  }
  std::int64_t over_all_ranks(std::int64_t number) const {
    const auto stream = cpu::make_inline_stream();
    host_->all_reduce(*stream, vector_view(&number, 1), Reduction::sum);
    return number;
  }

  std::unique_ptr<Device> device_ = test::make_test_device(test::session().progress());
  std::unique_ptr<Communicator> host_ = make_world(test::session());
  std::unique_ptr<Communicator> world_ = make_communicator(*host_, *device_, test::collectives(), 0, host_->rank());
};

TEST_F(RedistributeTest, MovesBetweenAllPlacementsOfAllMeshes) {
  static constexpr DataType kTypes[] = {DataType::f32, DataType::f64, DataType::f32, DataType::bf16};
  // The most pairs of placements per mesh. With more, every step-th pair runs, so that each placement still occurs as
  // source and as target.
  const std::size_t most = test::device_kind() == DeviceKind::cuda ? 60 : host_->size() <= 4 ? 1000 : 250;
  for (const Mesh& mesh : test::all_meshes(host_->size())) {
    RankContext context = this->context(mesh);
    const auto placements = test::all_placements(mesh);
    const std::size_t pairs = placements.size() * placements.size();
    std::size_t step = (pairs + most - 1) / most;
    while (std::gcd(step, placements.size()) > 1) ++step;
    for (std::size_t pair = 0; pair < pairs; pair += step) {
      const Placement& from = placements[pair / placements.size()];
      const Placement& to = placements[pair % placements.size()];
      const Shape shape = kShapes[pair / step % kShapes.size()];
      const DataType type = kTypes[pair / 3 % 4];
      ASSERT_EQ(wrong_after(context, *world_, shape, from, to, type), 0)
          << "mesh " << mesh.to_string() << ", [" << shape.rows << "," << shape.cols << "] " << name_of(type)
          << " from " << from.to_string() << " to " << to.to_string();
    }
  }
}

/// Counts the elements that this rank sends.
class CountingCommunicator : public test::OtherCommunicator {
 public:
  using OtherCommunicator::OtherCommunicator;
  void exchange(Stream& stream, std::span<const Piece> out, std::span<const Piece> in) override {
    for (const Piece& piece : out) sent += piece.data.size;
    OtherCommunicator::exchange(stream, out, in);
  }
  std::int64_t sent = 0;
};

TEST_F(RedistributeTest, ElementsThatTheTargetAlreadyHoldsAreNotSent) {
  for (const Mesh& mesh : test::all_meshes(host_->size())) {
    RankContext context = this->context(mesh);
    for (const Placement& to : test::all_placements(mesh)) {
      CountingCommunicator counting(*world_);
      EXPECT_EQ(wrong_after(context, counting, {7, 5}, {}, to), 0);
      EXPECT_EQ(wrong_after(context, counting, {7, 5}, to, to), 0);
      EXPECT_EQ(counting.sent, 0) << "mesh " << mesh.to_string() << " to " << to.to_string();
    }
  }
}

TEST_F(RedistributeTest, ReplicasShareTheSending) {
  if (host_->size() != 4 && host_->size() != 6) GTEST_SKIP() << "needs 4 or 6 ranks";
  RankContext context = this->context({2, host_->size() / 2, 1});
  CountingCommunicator counting(*world_);
  EXPECT_EQ(wrong_after(context, counting, {12, 12}, {.rows = Axis::i}, {.cols = Axis::j}), 0);
  EXPECT_EQ(counting.sent,
            6 * 12 / context.mesh().extent(Axis::j));  // this rank's rows of one part of the columns, to one rank
}

/// Delivers two pieces to the last rank in the wrong places: each in the place of the other.
class SwappingCommunicator : public test::OtherCommunicator {
 public:
  using OtherCommunicator::OtherCommunicator;
  void exchange(Stream& stream, std::span<const Piece> out, std::span<const Piece> in) override {
    std::vector<Piece> swapped(in.begin(), in.end());
    if (rank() == size() - 1 && swapped.size() >= 2) std::swap(swapped[0].data, swapped[1].data);
    OtherCommunicator::exchange(stream, out, swapped);
  }
};

TEST_F(RedistributeTest, TheCheckFindsSwappedPieces) {
  if (host_->size() < 3) GTEST_SKIP() << "needs three ranks: two pieces for one of them";
  RankContext context = this->context({host_->size(), 1, 1});
  SwappingCommunicator swapping(*world_);
  const Shape shape = {3 * host_->size(), 4};
  const Placement bands = {.rows = Axis::i};
  const std::int64_t wrong = wrong_after(context, swapping, shape, bands, {});
  EXPECT_EQ(wrong > 0, host_->rank() == host_->size() - 1) << wrong << " wrong elements";
  EXPECT_EQ(over_all_ranks(wrong), 2 * 3 * 4);
  EXPECT_EQ(wrong_after(context, *world_, shape, bands, {}), 0);
}

TEST_F(RedistributeTest, MatricesThatDoNotFitAreRefused) {
  RankContext context = this->context({host_->size(), 1, 1});
  const Placement rows = {.rows = Axis::i};
  Placement terms = {};
  terms[Axis::i] = State::partial;
  Placement two_shards = {};
  two_shards[Axis::j] = State::sharded;
  two_shards[Axis::k] = State::sharded;
  const auto refused = [&](Held from, Held to, const std::string& why) {
    try {
      redistribute(context, *world_, from.matrix(), to.matrix());
      FAIL() << "expected: " << why;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(why), std::string::npos) << error.what();
    }
  };
  const auto held = [&](Shape shape, const Placement& placement, DataType type = DataType::f32) {
    return Held(context, shape, placement, type);
  };
  refused(held({4, 4}, terms), held({4, 4}, rows), "partial along i: expected a matrix that is recombined first");
  refused(held({4, 4}, rows), held({4, 4}, terms), "partial along i");
  refused(held({4, 4}, rows), held({4, 5}, rows), "[4,4] f32 into [4,5] f32: expected the same shape and type");
  refused(held({4, 4}, rows), held({4, 4}, rows, DataType::f64), "expected the same shape and type");
  EXPECT_THROW(held_areas(context.mesh(), context.coord(), {4, 4}, two_shards), Error);
}

TEST_F(RedistributeTest, AGroupThatIsNotTheMeshIsRefused) {
  if (host_->size() == 1) GTEST_SKIP() << "needs two ranks";
  RankContext context = this->context({host_->size(), 1, 1});
  const auto half = world_->split(host_->rank() % 2, host_->rank());
  EXPECT_THROW(wrong_after(context, *half, {4, 4}, {}, {}), Error);
}

}  // namespace
}  // namespace recombine
