#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "distributed/mesh.hpp"
#include "kernels/math.hpp"

namespace recombine {

enum class Bias { none, per_output };

/// The mesh axes that cut the inputs and the outputs of a layer.
struct LayerAxes {
  Axis in;
  Axis out;
};
/// The first layer (0) contracts over k and has outputs cut by j. Each next layer swaps the two, so that the outputs of
/// one layer lie as the next layer needs its inputs.
constexpr LayerAxes axes_of(std::size_t layer) {
  return layer % 2 == 0 ? LayerAxes{Axis::k, Axis::j} : LayerAxes{Axis::j, Axis::k};
}

/// The widths of layers are cut at multiples of this. 16 f32 fill a cache line and an AVX-512 register, and tensor
/// cores run at full speed on multiples of 16. If a part would be narrower, the sizes of parts differ by at most one.
inline constexpr std::int64_t kWidthUnit = 16;

struct ModelShape {
  std::int64_t inputs = 0;
  std::vector<std::int64_t> hidden;
  std::int64_t outputs = 0;
  Activation activation = Activation::relu;  ///< of the hidden layers; the last layer has none
  Bias bias = Bias::per_output;
  /// f32 or bf16. Products read and write this type: X, the values of hidden layers, the gradients of all values, and a
  /// copy of the weights. The network's outputs, sums over ranks, weights, their gradient and moments are f32.
  DataType product_type = DataType::f32;

  std::size_t layers() const { return hidden.size() + 1; }
  std::int64_t inputs_of(std::size_t layer) const { return layer == 0 ? inputs : hidden[layer - 1]; }
  std::int64_t outputs_of(std::size_t layer) const { return layer == hidden.size() ? outputs : hidden[layer]; }
  Activation activation_of(std::size_t layer) const {
    return layer == hidden.size() ? Activation::identity : activation;
  }
  DataType output_type_of(std::size_t layer) const { return layer == hidden.size() ? DataType::f32 : product_type; }
  /// True if Y and dY of the layer are summed over ranks but not stored in f32. The terms and their sum then have f32
  /// memory of their own, and the sum is rounded.
  bool sums_apart(const Mesh& mesh, std::size_t layer) const {
    return output_type_of(layer) != DataType::f32 && mesh.parts(axes_of(layer).in) > 1;
  }
  std::int64_t parameters() const;  ///< @throws InputError if there are 2^63 or more
  std::string to_string() const;    ///< "784-1024-1024-10"
};

}  // namespace recombine
