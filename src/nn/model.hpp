#pragma once

#include <functional>
#include <string>
#include <vector>

#include "distributed/multiply.hpp"
#include "kernels/device.hpp"

namespace recombine {

enum class Bias { none, per_output };

struct ModelShape {
  std::int64_t inputs = 0;
  std::vector<std::int64_t> hidden;
  std::int64_t outputs = 0;
  Activation activation = Activation::relu;  ///< of the hidden layers; the last layer has none
  Bias bias = Bias::per_output;
  DataType product_type = DataType::f32;  ///< f32 or bf16: operands of products are rounded to it; all else is f32

  std::int64_t parameters() const;  ///< @throws InputError if there are 2^63 or more
  std::string to_string() const;    ///< "784-1024-1024-10"
};

/// One named tensor of the model file, and the range of this rank's part of it in the flat buffers.
struct ParameterTensor {
  std::string name;                                 ///< "layers.0.weight"
  std::vector<std::int64_t> shape;                  ///< of the whole tensor; weights are [out, in]
  Range range;                                      ///< local elements in the flat buffer
  bool decays() const { return shape.size() > 1; }  ///< weight decay applies to weights, not to biases
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
  const DistMatrix& output_gradient() const { return layers_.back().dy; }
  /// Computes the flat gradient from output_gradient(), last layer first. Calls `ready` with each range as soon as it
  /// is complete on this rank; the range is still Partial over i.
  void backward(const std::function<void(Range)>& ready);

  const ModelShape& shape() const { return shape_; }
  const std::vector<ParameterTensor>& tensors() const { return tensors_; }
  VectorView weights() const { return weights_.view(); }    ///< flat, in the order of the file
  VectorView gradient() const { return gradient_.view(); }  ///< flat, likewise
  /// The weights rounded to product_type, as products read them; empty if that is f32. Code that changes weights() must
  /// update them too.
  VectorView rounded_weights() const { return rounded_weights_.view(); }

 private:
  struct Layer {
    Axis in_axis;
    Axis out_axis;
    Activation activation;
    Range range;                ///< of the layer in the flat buffers
    DistMatrix weight;          ///< [out, in]
    DistMatrix weight_operand;  ///< the same values, as products read them
    DistMatrix weight_gradient;
    DistMatrix bias;  ///< [1, out], or [1, 0]
    DistMatrix bias_gradient;
    Buffer z_memory, y_memory, dy_memory;
    Buffer y_rounded, dy_rounded;
    DistMatrix z;   ///< [batch, out] before the activation; kept only if the activation's gradient needs it
    DistMatrix y;   ///< [batch, out]
    DistMatrix dy;  ///< [batch, out]
    DistMatrix y_operand, dy_operand;
  };

  void add_layer(std::int64_t inputs, std::int64_t outputs, std::int64_t largest_batch);
  void initialise(std::uint64_t seed);
  bool rounds() const { return shape_.product_type != DataType::f32; }
  /// `values` as products read them: unchanged if products are in f32, else rounded into `memory`.
  DistMatrix operand(const DistMatrix& values, const Buffer& memory);
  const DistMatrix& input_of(std::size_t layer) const;
  void forward_layer(Layer& layer, const DistMatrix& x);
  void backward_layer(Layer& layer, const DistMatrix& x);
  DistMatrix place(DistMatrix::Shape shape, std::optional<Axis> rows, std::optional<Axis> cols,
                   VectorView memory) const;

  RankContext& context_;
  ModelShape shape_;
  std::vector<ParameterTensor> tensors_;
  Buffer weights_, gradient_, rounded_weights_;
  Buffer x_memory_, x_rounded_;
  std::vector<DistMatrix> x_;          ///< one element after the first begin_batch()
  std::vector<DistMatrix> x_operand_;  ///< one element after the first forward()
  std::vector<Layer> layers_;
};

}  // namespace recombine
