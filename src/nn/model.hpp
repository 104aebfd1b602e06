#pragma once

#include <array>
#include <functional>
#include <optional>
#include <vector>

#include "distributed/multiply.hpp"
#include "distributed/recombine.hpp"
#include "kernels/device.hpp"
#include "src/nn/micro_batch.hpp"
#include "src/nn/parameter_layout.hpp"

namespace recombine {

/// How Model::backward() runs. In the last micro-batch of a batch, it calls both functions with each layer's range of
/// the flat buffers.
struct BackwardOptions {
  std::function<void(Range)> completed;  ///< the work that completes the gradient on this rank is enqueued
  std::function<void(Range)> released;   ///< the last work that reads the weights in this batch is enqueued
  Stream* dw_stream = nullptr;           ///< multiplies dW while the compute stream multiplies dX; null: no overlap
  double* bad_outputs = nullptr;  ///< in the device's memory: StepSums::bad_outputs; null: outputs are not checked
};

/// The matrices of a layer in the latest batch, as they are on the mesh.
struct LayerMatrices {
  LayerAxes axes;
  Activation activation;
  const DistMatrix& x;                ///< [batch, in]
  const DistMatrix& weight;           ///< [out, in]
  const DistMatrix& weight_gradient;  ///< [out, in]
  const DistMatrix* bias;             ///< [1, out]; null: none
  const DistMatrix* bias_gradient;
  const DistMatrix& y;   ///< [batch, out], after the activation
  const DistMatrix& dz;  ///< [batch, out], dLoss/dZ of Y = activation(Z)
};

/// A dense network on a mesh. X[batch,in] is cut as (i,k) and W[out,in] as (j,k):
///
///     forward   Y  = X W^T     contracts in     -> sum over k
///     backward  dX = dY W      contracts out    -> sum over j
///     gradient  dW = dY^T X    contracts batch  -> sum over i
///
/// The next layer swaps j and k, so no data moves between layers.
class Model {
 public:
  /// Weights are uniform with variance gain^2 / in (He et al. 2015; gain^2 is 2 for relu and gelu, else 1); biases are
  /// zero. @param largest_batch the most rows that a batch has, over all ranks
  Model(RankContext& context, const ModelShape& shape, std::int64_t largest_batch, std::uint64_t seed);

  /// Sets the size of the batch and returns X [batch, inputs]. The caller then fills its local blocks.
  const DistMatrix& begin_batch(std::int64_t batch);
  /// Returns Y [batch, outputs], without softmax.
  const DistMatrix& forward();
  /// dLoss/dY [batch, outputs], which the loss fills.
  const DistMatrix& output_gradient() const { return *layers_.back().dy; }
  /// Computes the gradient of the micro-batch from output_gradient(), last layer first, and adds it to that of the
  /// batch's earlier micro-batches. The gradient is Partial over i until set_summed().
  void backward(const MicroBatch& micro_batch, const BackwardOptions& options);
  /// Marks the flat gradient as summed over i, hence Replicated, from element `begin` to its end.
  void set_summed(std::int64_t begin);
  /// The gradient is Replicated from this element to its end.
  std::int64_t summed_from() const { return summed_from_; }

  /// For programs that show a step. @pre forward() and backward() of the batch
  LayerMatrices layer(std::size_t number) const;
  const ModelShape& shape() const { return shape_; }
  const ParameterLayout& layout() const { return layout_; }
  VectorView weights() const { return weights_.view(); }    ///< flat, as layout() says
  VectorView gradient() const { return gradient_.view(); }  ///< flat, as layout() says
  /// The weights rounded to product_type, as products read them; empty if that is f32. Code that changes weights() must
  /// update them too: by itself, or by round_weights().
  VectorView rounded_weights() const { return rounded_weights_.view(); }
  void round_weights();

 private:
  struct Layer {
    int number;  ///< from 0
    LayerAxes axes;
    Activation activation;
    DistMatrix weight;          ///< [out, in]
    DistMatrix weight_operand;  ///< the same values, as products read them
    DistMatrix weight_gradient;
    std::optional<DistMatrix> bias;  ///< [1, out], in the type of Y
    std::optional<DistMatrix> bias_gradient;
    Buffer z_memory, y_memory, dy_memory;
    // Of the current batch, [batch, out]:
    std::optional<DistMatrix> z;  ///< before the activation; kept only if the activation's gradient needs it
    std::optional<DistMatrix> y;
    std::optional<DistMatrix> dy;
    /// f32 terms, then their sum: of Y before the activation, later of dY. None unless ModelShape::sums_apart().
    std::optional<DistMatrix> sum;
  };

  Layer make_layer(std::size_t layer, std::int64_t largest_batch) const;
  void initialise(std::uint64_t seed);
  bool rounds() const { return shape_.product_type != DataType::f32; }
  /// Allocates the memory of Layer::sum. Layers that sum over the same axis share it: they use it one after the other.
  void allocate_sums(std::int64_t largest_batch);
  const DistMatrix& input_of(std::size_t layer) const;
  void forward_fused(Layer& layer, const DistMatrix& x);
  void forward_summed(Layer& layer, const DistMatrix& x);
  void backward_activation(Layer& layer, const MicroBatch& micro_batch, double* bad_outputs);
  void backward_weight(Layer& layer, const DistMatrix& x, const MicroBatch& micro_batch, Stream* stream);
  Pending backward_input(std::size_t l);
  DistMatrix place(DistMatrix::Shape shape, Axis cols_axis, const Buffer& memory) const;
  std::int64_t size_of_values(DistMatrix::Shape shape, Axis cols_axis) const;

  RankContext& context_;
  ModelShape shape_;
  ParameterLayout layout_;
  Buffer weights_, gradient_, rounded_weights_;
  Buffer x_memory_;
  std::array<Buffer, 3> sums_;   ///< per axis
  std::optional<DistMatrix> x_;  ///< after the first begin_batch()
  std::vector<Layer> layers_;
  std::int64_t summed_from_ = 0;
};

}  // namespace recombine
