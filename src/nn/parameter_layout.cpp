#include "src/nn/parameter_layout.hpp"

#include <algorithm>

#include "kernels/ceil_div.hpp"
#include "kernels/error.hpp"

namespace recombine {

namespace {

/// Adds the part `flat` of a block whose elements begin at `begin`: the rest of a row, whole rows, the begin of a row.
void add_rectangles(std::size_t tensor, const Block& block, std::int64_t begin, Range flat,
                    std::vector<TensorRectangle>& rectangles) {
  const std::int64_t cols = block.cols.size();
  std::int64_t at = flat.begin;
  while (at < flat.end) {
    const std::int64_t row = (at - begin) / cols;
    const std::int64_t col = (at - begin) % cols;
    const std::int64_t whole_rows = col == 0 ? (flat.end - at) / cols : 0;
    const std::int64_t size = whole_rows > 0 ? whole_rows * cols : std::min(cols - col, flat.end - at);
    const std::int64_t width = whole_rows > 0 ? cols : size;
    rectangles.push_back(
        {.tensor = tensor,
         .rows = {block.rows.begin + row, block.rows.begin + row + std::max<std::int64_t>(whole_rows, 1)},
         .cols = {block.cols.begin + col, block.cols.begin + col + width},
         .flat = {at, at + size}});
    at += size;
  }
}

}  // namespace

ParameterLayout::ParameterLayout(const ModelShape& shape, const Mesh& mesh, const Coord& coord,
                                 std::int64_t least_bucket, std::int64_t most_bucket)
    : mesh_(mesh), coord_(coord) {
  for (std::size_t l = 0; l < shape.layers(); ++l) {
    const LayerAxes axes = axes_of(l);
    const std::int64_t in = shape.inputs_of(l);
    const std::int64_t out = shape.outputs_of(l);
    first_of_layer_.push_back(tensors_.size());
    add_tensor({.name = fmt::format("layers.{}.weight", l),
                .shape = {out, in},
                .matrix = {out, in},
                .placement = {.rows = axes.out, .cols = axes.in, .row_unit = kWidthUnit, .col_unit = kWidthUnit},
                .layer = l});
    if (shape.bias == Bias::none) continue;
    add_tensor({.name = fmt::format("layers.{}.bias", l),
                .shape = {out},
                .matrix = {1, out},
                .placement = {.rows = {}, .cols = axes.out, .col_unit = kWidthUnit},
                .layer = l});
  }
  cut_buckets(least_bucket, most_bucket);
}

void ParameterLayout::add_tensor(ParameterTensor tensor) {
  const std::int64_t begin = tensors_.empty() ? 0 : local_size();
  tensor.file_begin = tensors_.empty() ? 0 : file_size();
  tensor.range = {begin, begin + DistMatrix::local_size(mesh_, coord_, tensor.matrix, tensor.placement)};
  tensors_.push_back(std::move(tensor));
}

Range ParameterLayout::layer_range(std::size_t layer) const {
  const bool last = layer + 1 == first_of_layer_.size();
  return {tensors_[first_of_layer_[layer]].range.begin,
          last ? local_size() : tensors_[first_of_layer_[layer + 1]].range.begin};
}

DistMatrix ParameterLayout::matrix(std::size_t tensor, VectorView flat) const {
  const ParameterTensor& t = tensors_[tensor];
  return {mesh_, coord_, t.matrix, t.placement, flat.range(t.range.begin, t.range.end)};
}

void ParameterLayout::cut_buckets(std::int64_t least_bucket, std::int64_t most_bucket) {
  Range open{local_size(), local_size()};
  for (std::size_t l = first_of_layer_.size(); l-- > 0;) {
    open.begin = layer_range(l).begin;
    if (open.size() < least_bucket && l > 0) continue;
    const std::int64_t pieces = ceil_div(open.size(), most_bucket);
    for (std::int64_t p = pieces; p-- > 0;) {
      const Range piece = shard({0, open.size()}, pieces, p);
      if (piece.size() > 0) buckets_.push_back({open.begin + piece.begin, open.begin + piece.end});
    }
    open.end = open.begin;
  }
}

Range ParameterLayout::shard(Range bucket, std::int64_t parts, std::int64_t index) {
  const Range units = split_range(ceil_div(bucket.size(), kShardUnit), parts, index);
  const auto at = [&](std::int64_t unit) { return std::min(bucket.begin + unit * kShardUnit, bucket.end); };
  return {at(units.begin), at(units.end)};
}

std::vector<TensorRectangle> ParameterLayout::rectangles(Range flat) const {
  std::vector<TensorRectangle> rectangles;
  for (std::size_t t = 0; t < tensors_.size(); ++t) {
    std::int64_t begin = tensors_[t].range.begin;
    for (const Block& block : DistMatrix::blocks_of(mesh_, coord_, tensors_[t].matrix, tensors_[t].placement)) {
      const std::int64_t end = begin + block.rows.size() * block.cols.size();
      const Range common = overlap(flat, {begin, end});
      if (common.begin < common.end) add_rectangles(t, block, begin, common, rectangles);
      begin = end;
    }
  }
  return rectangles;
}

}  // namespace recombine
