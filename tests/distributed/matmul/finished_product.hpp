#pragma once

#include "distributed/matmul/verify.hpp"
#include "distributed/owned_matrix.hpp"
#include "distributed/recombine.hpp"
#include "tests/distributed/matmul/product_case.hpp"

namespace recombine::test {

inline constexpr std::uint64_t kProductSeed = 5;

/// This rank's part of a product after the sum over k, and of its operands.
class FinishedProduct {
 public:
  FinishedProduct(RankContext& context, const MatmulShape& shape, State state, double alpha, double beta)
      : context_(context), shape_(shape), state_(state), alpha_(alpha), beta_(beta) {
    generate(context, {kProductSeed, kTensorA, shape.k}, Transpose::yes, a_);
    generate(context, {kProductSeed, kTensorB, shape.n}, Transpose::no, b_);
    generate(context, {kProductSeed, kTensorC, shape.n}, Transpose::no, c_);
    generate(context, {kProductSeed, kTensorC, shape.n}, Transpose::no, c0_);
    Workspace workspace;
    multiply_gather(context, {.a = a_, .b = b_, .c = c_, .alpha = alpha, .beta = beta, .workspace = workspace});
    recombine(context, c_, Axis::k, state);
    if (shape.type == DataType::bf16) {
      const VectorView all = c_.memory();
      const Buffer narrow(context.device(), DataType::bf16, all.size);
      context.math().cast(context.compute(), as_matrix(all, 1, all.size), narrow.matrix(1, all.size));
      context.math().cast(context.compute(), narrow.matrix(1, all.size), as_matrix(all, 1, all.size));
    }
    context.compute().synchronize();
  }

  Verification verification() const {
    const auto all = [](const DistMatrix& matrix) {
      return [&matrix](const Visitor& visit) {
        for (const Block& block : matrix.blocks()) visit(block.rows, block.cols, block.view);
      };
    };
    const auto own = [this](const DistMatrix& matrix, State state) {
      return [this, &matrix, state](const Visitor& visit) {
        for (const Block& block : matrix.blocks()) {
          const Range rows = rows_in(block, state);
          visit(rows, block.cols, rows_of(block, rows));
        }
      };
    };
    return {.shape = shape_,
            .mesh = context_.mesh(),
            .alpha = alpha_,
            .beta = beta_,
            .a = all(a_),
            .b = all(b_),
            .c0 = own(c0_, State::sharded),
            .c = own(c_, state_),
            .stored = shape_.type == DataType::bf16 ? DataType::bf16 : shape_.result_type()};
  }

  /// Applies `change` to element (row, col) of C on each rank that has it. Returns the lowest such rank, or np if none.
  template <class Change>
  int change_element(Communicator& world, std::int64_t row, std::int64_t col, const Change& change) {
    const Block& block = only_block(c_);
    const Range rows = rows_in(block, state_);
    const bool has_it = rows.begin <= row && row < rows.end && block.cols.begin <= col && col < block.cols.end;
    if (has_it) {
      const std::int64_t at = (row - block.rows.begin) * block.view.ld + col - block.cols.begin;
      shape_.result_type() == DataType::f64 ? change_at(block.view.as<double>()[at], change)
                                            : change_at(block.view.as<float>()[at], change);
    }
    std::int64_t owner = has_it ? -world.rank() : -world.size();
    const auto stream = context_.device().make_stream(StreamUse::host);
    world.all_reduce(*stream, vector_view(&owner, 1), Reduction::max);
    stream->synchronize();
    return static_cast<int>(-owner);
  }
  const Block& block() const { return only_block(c_); }

 private:
  template <class T, class Change>
  static void change_at(T& element, const Change& change) {
    element = static_cast<T>(change(static_cast<double>(element)));
  }
  Range rows_in(const Block& block, State state) const {
    if (state != State::sharded) return block.rows;
    const Range shard = row_shard_of(block, context_.mesh().parts(Axis::k), context_.coord()[Axis::k]);
    return {block.rows.begin + shard.begin, block.rows.begin + shard.end};
  }

  RankContext& context_;
  MatmulShape shape_;
  State state_;
  double alpha_, beta_;
  OwnedMatrix a_{context_, {shape_.k, shape_.m}, kPlaceA, shape_.type},
      b_{context_, {shape_.k, shape_.n}, kPlaceB, shape_.type},
      c_{context_, {shape_.m, shape_.n}, kPlaceC, shape_.result_type()},
      c0_{context_, {shape_.m, shape_.n}, kPlaceC, shape_.result_type()};
};

}  // namespace recombine::test
