#include "src/nn/model.hpp"

#include <cmath>

#include "kernels/error.hpp"
#include "kernels/trace_range.hpp"

namespace recombine {

namespace {

std::vector<std::int64_t> widths_of(const ModelShape& shape) {
  std::vector<std::int64_t> widths = {shape.inputs};
  widths.insert(widths.end(), shape.hidden.begin(), shape.hidden.end());
  widths.push_back(shape.outputs);
  return widths;
}

float initial_half_width(Activation activation, std::int64_t inputs) {
  const bool halves = activation == Activation::relu || activation == Activation::gelu;
  return static_cast<float>(std::sqrt((halves ? 6.0 : 3.0) / static_cast<double>(inputs)));
}

}  // namespace

std::int64_t ModelShape::parameters() const {
  const auto widths = widths_of(*this);
  std::int64_t sum = 0;
  for (std::size_t l = 1; l < widths.size(); ++l) {
    std::int64_t layer = 0;
    const bool too_many =
        __builtin_mul_overflow(widths[l], widths[l - 1] + (bias == Bias::per_output ? 1 : 0), &layer) ||
        __builtin_add_overflow(sum, layer, &sum);
    require_input(!too_many, "--hidden: these layers have 2^63 parameters or more; expected fewer or narrower ones");
  }
  return sum;
}

std::string ModelShape::to_string() const {
  std::string text;
  for (const std::int64_t width : widths_of(*this)) {
    text += fmt::format("{}{}", text.empty() ? "" : "-", width);
  }
  return text;
}

Model::Model(RankContext& context, const ModelShape& shape, std::int64_t largest_batch, std::uint64_t seed)
    : context_(context), shape_(shape) {
  const auto widths = widths_of(shape);
  const Mesh& mesh = context.mesh();
  const std::int64_t bias_rows = shape.bias == Bias::per_output ? 1 : 0;
  // Layer l is [out, in], cut over (j, k) or (k, j). First find all ranges, then allocate one buffer for all layers.
  std::int64_t end = 0;
  for (std::size_t l = 1; l < widths.size(); ++l) {
    const Axis in = l % 2 == 1 ? Axis::k : Axis::j;
    const Axis out = l % 2 == 1 ? Axis::j : Axis::k;
    const std::string name = fmt::format("layers.{}.", l - 1);
    const auto add = [&](const char* suffix, std::vector<std::int64_t> whole, std::int64_t size) {
      tensors_.push_back({name + suffix, std::move(whole), {end, end + size}});
      end += size;
    };
    add("weight", {widths[l], widths[l - 1]},
        DistMatrix::local_size(mesh, context.coord(), {widths[l], widths[l - 1]}, {out, in}));
    if (bias_rows == 1) {
      add("bias", {widths[l]}, DistMatrix::local_size(mesh, context.coord(), {1, widths[l]}, {{}, out}));
    }
  }
  weights_ = Buffer(context.device(), DataType::f32, end);
  gradient_ = context.communicator(Axis::i).allocate(context.device(), DataType::f32, end);
  const std::int64_t x_size =
      DistMatrix::local_size(mesh, context.coord(), {largest_batch, widths[0]}, {Axis::i, Axis::k});
  x_memory_ = Buffer(context.device(), DataType::f32, x_size);
  if (rounds()) {
    rounded_weights_ = Buffer(context.device(), shape.product_type, end);
    x_rounded_ = Buffer(context.device(), shape.product_type, x_size);
  }
  for (std::size_t l = 1; l < widths.size(); ++l) add_layer(widths[l - 1], widths[l], largest_batch);
  initialise(seed);
}

DistMatrix Model::place(DistMatrix::Shape shape, std::optional<Axis> rows, std::optional<Axis> cols,
                        VectorView memory) const {
  return {context_.mesh(), context_.coord(), shape, {.rows = rows, .cols = cols}, memory};
}

void Model::add_layer(std::int64_t inputs, std::int64_t outputs, std::int64_t largest_batch) {
  const bool even = layers_.size() % 2 == 0;
  const Axis in = even ? Axis::k : Axis::j;
  const Axis out = even ? Axis::j : Axis::k;
  const bool has_bias = shape_.bias == Bias::per_output;
  const std::size_t first = layers_.size() * (has_bias ? 2 : 1);
  const bool last = layers_.size() == shape_.hidden.size();
  const Activation activation = last ? Activation::identity : shape_.activation;
  const Range weight = tensors_[first].range;
  const Range bias = has_bias ? tensors_[first + 1].range : Range{weight.end, weight.end};

  const auto part = [](const Buffer& flat, Range range) { return flat.view().range(range.begin, range.end); };
  const std::int64_t values =
      DistMatrix::local_size(context_.mesh(), context_.coord(), {largest_batch, outputs}, {Axis::i, out});
  const std::int64_t bias_cols = has_bias ? outputs : 0;
  const bool keeps_input = gradient_needs_input(activation);
  const DistMatrix none = place({0, 0}, {}, {}, {});
  const auto rounded = [&] { return rounds() ? Buffer(context_.device(), shape_.product_type, values) : Buffer(); };
  layers_.push_back(
      {.in_axis = in,
       .out_axis = out,
       .activation = activation,
       .range = {weight.begin, bias.end},
       .weight = place({outputs, inputs}, out, in, part(weights_, weight)),
       .weight_operand = place({outputs, inputs}, out, in, part(rounds() ? rounded_weights_ : weights_, weight)),
       .weight_gradient = place({outputs, inputs}, out, in, part(gradient_, weight)),
       .bias = place({1, bias_cols}, {}, out, part(weights_, bias)),
       .bias_gradient = place({1, bias_cols}, {}, out, part(gradient_, bias)),
       .z_memory = keeps_input ? Buffer(context_.device(), DataType::f32, values) : Buffer(),
       .y_memory = Buffer(context_.device(), DataType::f32, values),
       .dy_memory = Buffer(context_.device(), DataType::f32, values),
       .y_rounded = rounded(),
       .dy_rounded = rounded(),
       .z = none,
       .y = none,
       .dy = none,
       .y_operand = none,
       .dy_operand = none});
}

void Model::initialise(std::uint64_t seed) {
  context_.math().axpby(context_.compute(), 0, {}, 0, weights_.view());
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    const DistMatrix& weight = layers_[l].weight;
    for (const Block& block : weight.blocks()) {
      context_.math().fill(context_.compute(), block.view,
                           {.seed = seed,
                            .tensor = l,
                            .first_row = block.rows.begin,
                            .first_col = block.cols.begin,
                            .global_cols = weight.cols(),
                            .half_width = initial_half_width(layers_[l].activation, weight.cols())});
    }
  }
  if (!rounds()) return;
  const std::int64_t size = weights_.view().size;
  context_.math().cast(context_.compute(), weights_.matrix(1, size), rounded_weights_.matrix(1, size));
}

DistMatrix Model::operand(const DistMatrix& values, const Buffer& memory) {
  if (!rounds()) return values;
  DistMatrix rounded(context_.mesh(), context_.coord(), {values.rows(), values.cols()}, values.placement(),
                     memory.view());
  for (std::size_t b = 0; b < values.blocks().size(); ++b) {
    context_.math().cast(context_.compute(), values.blocks()[b].view, rounded.blocks()[b].view);
  }
  return rounded;
}

const DistMatrix& Model::input_of(std::size_t layer) const {
  return layer == 0 ? x_operand_.front() : layers_[layer - 1].y_operand;
}

const DistMatrix& Model::begin_batch(std::int64_t batch) {
  x_.clear();
  x_.push_back(place({batch, shape_.inputs}, Axis::i, Axis::k, x_memory_.view()));
  for (Layer& layer : layers_) {
    const DistMatrix::Shape values = {batch, layer.weight.rows()};
    if (gradient_needs_input(layer.activation)) {
      layer.z = place(values, Axis::i, layer.out_axis, layer.z_memory.view());
    }
    layer.y = place(values, Axis::i, layer.out_axis, layer.y_memory.view());
    layer.dy = place(values, Axis::i, layer.out_axis, layer.dy_memory.view());
  }
  return x_.front();
}

const DistMatrix& Model::forward() {
  x_operand_.assign(1, operand(x_.front(), x_rounded_));
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    forward_layer(layers_[l], input_of(l));
    if (l + 1 < layers_.size()) layers_[l].y_operand = operand(layers_[l].y, layers_[l].y_rounded);
  }
  return layers_.back().y;
}

void Model::forward_layer(Layer& layer, const DistMatrix& x) {
  const TraceRange trace("forward layer");
  const bool complete = complete_after_multiply(context_.mesh(), x, Transpose::no);
  const bool keeps_input = gradient_needs_input(layer.activation);
  const bool fused = complete && !keeps_input;
  DistMatrix& z = keeps_input ? layer.z : layer.y;
  const bool has_bias = layer.bias.cols() > 0;

  multiply(context_, {.a = x,
                      .b = layer.weight_operand,
                      .trans_b = Transpose::yes,
                      .c = z,
                      .bias = complete && has_bias ? &layer.bias : nullptr,
                      .activation = fused ? layer.activation : Activation::identity});
  if (fused) return;
  // The activation is not linear, so the sum over in_axis must be complete before it.
  recombine(context_, z, layer.in_axis, State::replicated);
  for (std::size_t b = 0; b < z.blocks().size(); ++b) {
    const Block& block = z.blocks()[b];
    const MatrixView y = layer.y.blocks()[b].view;
    if (!complete && has_bias) {
      const VectorView bias = as_vector(layer.bias.find(0, block.col_part)->view);
      context_.math().bias_activation(context_.compute(), {.in = block.view, .bias = bias, .out = block.view});
    }
    context_.math().bias_activation(context_.compute(), {.in = block.view, .out = y, .activation = layer.activation});
  }
}

void Model::backward(const std::function<void(Range)>& ready) {
  for (std::size_t l = layers_.size(); l-- > 0;) {
    Layer& layer = layers_[l];
    backward_layer(layer, input_of(l));
    ready(layer.range);
    if (l == 0) break;
    DistMatrix& dx = layers_[l - 1].dy;
    multiply(context_, {.a = layer.dy_operand, .b = layer.weight_operand, .c = dx});
    recombine(context_, dx, layer.out_axis, State::replicated);
  }
}

void Model::backward_layer(Layer& layer, const DistMatrix& x) {
  const TraceRange trace("backward layer");
  const DistMatrix& saved = gradient_needs_input(layer.activation) ? layer.z : layer.y;
  for (std::size_t b = 0; b < layer.dy.blocks().size(); ++b) {
    const Block& block = layer.dy.blocks()[b];
    const Block* bias = layer.bias.cols() > 0 ? layer.bias_gradient.find(0, block.col_part) : nullptr;
    const bool first_of_its_columns = block.row_part == layer.dy.blocks().front().row_part;
    context_.math().activation_gradient(context_.compute(),
                                        {.saved = saved.blocks()[b].view,
                                         .gradient = block.view,
                                         .bias_gradient = bias ? as_vector(bias->view) : VectorView{},
                                         .beta = first_of_its_columns ? 0.0F : 1.0F,
                                         .activation = layer.activation});
  }
  layer.dy_operand = operand(layer.dy, layer.dy_rounded);
  multiply(context_, {.a = layer.dy_operand, .trans_a = Transpose::yes, .b = x, .c = layer.weight_gradient});
}

}  // namespace recombine
