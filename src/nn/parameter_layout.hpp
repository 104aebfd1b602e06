#pragma once

#include <string>
#include <vector>

#include "distributed/dist_matrix.hpp"
#include "src/nn/model_shape.hpp"

namespace recombine {

/// The placement of a layer's inputs or outputs [batch, width]: rows are cut by i, columns by `cols`.
inline Placement values_placement(Axis cols) { return {.rows = Axis::i, .cols = cols, .col_unit = kWidthUnit}; }

/// One named tensor of the model, and this rank's part of it.
struct ParameterTensor {
  std::string name;                 ///< "layers.0.weight"
  std::vector<std::int64_t> shape;  ///< of the whole tensor in the file: weights [out, in], biases [out]
  DistMatrix::Shape matrix;         ///< the same as a matrix: biases are [1, out]
  Placement placement;
  std::size_t layer = 0;
  std::int64_t file_begin = 0;  ///< elements of the whole model that come before it in the file
  Range range;                  ///< this rank's elements, in its flat buffers
  std::int64_t size() const { return matrix.rows * matrix.cols; }  ///< elements of the whole tensor
  bool decays() const { return shape.size() > 1; }                 ///< weight decay applies to weights, not to biases
};

/// A rectangle of a tensor, and the range of a rank's flat buffers that holds it, row after row.
struct TensorRectangle {
  std::size_t tensor = 0;  ///< index in ParameterLayout::tensors()
  Range rows, cols;        ///< of the whole tensor
  Range flat;
  bool operator==(const TensorRectangle&) const = default;
};

/// Who holds which part of which parameter: the only answer to that question. A value; nothing is allocated.
///
///     tensors (in file order) -> blocks of this rank (rows, columns) -> ranges of its flat buffers -> buckets -> shards
///
/// The flat buffers are the weights, their gradient, and the optimizer's moments. Blocks lie one after the other.
class ParameterLayout {
 public:
  static constexpr std::int64_t kLeastBucket = std::int64_t{1} << 18;  ///< elements: 1 MiB of f32
  static constexpr std::int64_t kMostBucket = std::int64_t{1} << 21;   ///< elements: 8 MiB of f32
  static constexpr std::int64_t kShardUnit = 64;                       ///< elements; see shard()

  ParameterLayout(const ModelShape& shape, const Mesh& mesh, const Coord& coord,
                  std::int64_t least_bucket = kLeastBucket, std::int64_t most_bucket = kMostBucket);

  const std::vector<ParameterTensor>& tensors() const { return tensors_; }
  /// The index of a layer's weight in tensors(); its bias follows, if the model has biases.
  std::size_t weight_of(std::size_t layer) const { return first_of_layer_[layer]; }
  Range layer_range(std::size_t layer) const;  ///< of the flat buffers
  std::int64_t local_size() const { return tensors_.back().range.end; }
  std::int64_t file_size() const { return tensors_.back().file_begin + tensors_.back().size(); }  ///< elements

  /// The blocks of a tensor in one of the flat buffers.
  DistMatrix matrix(std::size_t tensor, VectorView flat) const;

  /// The ranges of the gradient that are summed together, from the last to the first, as backward completes them. A
  /// bucket collects whole layers until it has at least `least_bucket` elements. If it then has more than `most_bucket`
  /// elements, it is cut into several.
  const std::vector<Range>& buckets() const { return buckets_; }
  /// Part `index` of a bucket that is divided among `parts` ranks. Parts begin at multiples of kShardUnit elements from
  /// the bucket's begin, so that vector code treats each element in the same way whatever the number of parts.
  static Range shard(Range bucket, std::int64_t parts, std::int64_t index);

  /// A range of the flat buffers as rectangles of tensors, in order; at most three for each block.
  std::vector<TensorRectangle> rectangles(Range flat) const;

 private:
  void add_tensor(ParameterTensor tensor);
  void cut_buckets(std::int64_t least_bucket, std::int64_t most_bucket);

  Mesh mesh_;
  Coord coord_;
  std::vector<ParameterTensor> tensors_;
  std::vector<std::size_t> first_of_layer_;
  std::vector<Range> buckets_;
};

}  // namespace recombine
