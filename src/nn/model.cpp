#include "src/nn/model.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/error.hpp"
#include "kernels/trace_range.hpp"

namespace recombine {

namespace {

float initial_half_width(Activation activation, std::int64_t inputs) {
  const bool halves = activation == Activation::relu || activation == Activation::gelu;
  return static_cast<float>(std::sqrt((halves ? 6.0 : 3.0) / static_cast<double>(inputs)));
}

}  // namespace

Model::Model(RankContext& context, const ModelShape& shape, std::int64_t largest_batch, std::uint64_t seed)
    : context_(context), shape_(shape), layout_(shape, context.mesh(), context.coord()) {
  const std::int64_t parameters = layout_.local_size();
  weights_ = Buffer(context.device(), DataType::f32, parameters, MemoryUse::weights);
  gradient_ = context.communicator(Axis::i).allocate(context.device(), DataType::f32, parameters, MemoryUse::gradients);
  const std::int64_t x_size = size_of_values({largest_batch, shape.inputs}, axes_of(0).in);
  x_memory_ = Buffer(context.device(), shape.product_type, x_size, MemoryUse::activations);
  if (rounds()) rounded_weights_ = Buffer(context.device(), shape.product_type, parameters, MemoryUse::weights);
  allocate_sums(largest_batch);
  for (std::size_t l = 0; l < shape.layers(); ++l) layers_.push_back(make_layer(l, largest_batch));
  initialise(seed);
}

DistMatrix Model::place(DistMatrix::Shape shape, Axis cols_axis, const Buffer& memory) const {
  return {context_.mesh(), context_.coord(), shape, values_placement(cols_axis), memory.view()};
}

std::int64_t Model::size_of_values(DistMatrix::Shape shape, Axis cols_axis) const {
  return DistMatrix::local_size(context_.mesh(), context_.coord(), shape, values_placement(cols_axis));
}

Model::Layer Model::make_layer(std::size_t layer, std::int64_t largest_batch) const {
  const LayerAxes axes = axes_of(layer);
  const Activation activation = shape_.activation_of(layer);
  const std::size_t weight = layout_.weight_of(layer);
  const std::int64_t values = size_of_values({largest_batch, shape_.outputs_of(layer)}, axes.out);
  const auto memory = [&](DataType type) { return Buffer(context_.device(), type, values, MemoryUse::activations); };
  // In f32, Z (or Y, if Z is not kept) and dY are summed over the in axis. Its communicator allocates them: ranks that
  // can share memory sum them in place.
  const auto summed = [&](DataType type) {
    if (type != DataType::f32) return memory(type);
    return context_.communicator(axes.in).allocate(context_.device(), type, values, MemoryUse::activations);
  };
  const DataType type = shape_.output_type_of(layer);
  const bool keeps_z = gradient_needs_input(activation);
  const auto bias_in = [&](const Buffer& flat) -> std::optional<DistMatrix> {
    if (shape_.bias == Bias::none) return {};
    return layout_.matrix(weight + 1, flat.view());
  };
  return {.number = static_cast<int>(layer),
          .axes = axes,
          .activation = activation,
          .weight = layout_.matrix(weight, weights_.view()),
          .weight_operand = layout_.matrix(weight, rounds() ? rounded_weights_.view() : weights_.view()),
          .weight_gradient = layout_.matrix(weight, gradient_.view()),
          .bias = bias_in(type == DataType::f32 ? weights_ : rounded_weights_),
          .bias_gradient = bias_in(gradient_),
          .z_memory = keeps_z ? summed(type) : Buffer(),
          .y_memory = keeps_z ? memory(type) : summed(type),
          .dy_memory = summed(shape_.product_type)};
}

void Model::allocate_sums(std::int64_t largest_batch) {
  for (const Axis axis : {Axis::j, Axis::k}) {
    std::int64_t largest = 0;
    for (std::size_t l = 0; l < shape_.layers(); ++l) {
      if (axes_of(l).in != axis || !shape_.sums_apart(context_.mesh(), l)) continue;
      largest = std::max(largest, size_of_values({largest_batch, shape_.outputs_of(l)}, axes_of(l).out));
    }
    if (largest == 0) continue;
    sums_[static_cast<std::size_t>(axis)] =
        context_.communicator(axis).allocate(context_.device(), DataType::f32, largest, MemoryUse::activations);
  }
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
  round_weights();
}

void Model::round_weights() {
  if (!rounds()) return;
  const std::int64_t size = weights_.view().size;
  context_.math().cast(context_.compute(), weights_.matrix(1, size), rounded_weights_.matrix(1, size));
}

const DistMatrix& Model::input_of(std::size_t layer) const { return layer == 0 ? *x_ : *layers_[layer - 1].y; }

LayerMatrices Model::layer(std::size_t number) const {
  require(x_.has_value(), "the matrices of layer {} before the first batch", number);
  const Layer& layer = layers_.at(number);
  const auto pointer = [](const std::optional<DistMatrix>& matrix) { return matrix ? &*matrix : nullptr; };
  return {.axes = layer.axes,
          .activation = layer.activation,
          .x = input_of(number),
          .weight = layer.weight,
          .weight_gradient = layer.weight_gradient,
          .bias = pointer(layer.bias),
          .bias_gradient = pointer(layer.bias_gradient),
          .y = *layer.y,
          .dz = *layer.dy};
}

const DistMatrix& Model::begin_batch(std::int64_t batch) {
  x_ = place({batch, shape_.inputs}, axes_of(0).in, x_memory_);
  for (Layer& layer : layers_) {
    const DistMatrix::Shape values = {batch, layer.weight.rows()};
    if (gradient_needs_input(layer.activation)) layer.z = place(values, layer.axes.out, layer.z_memory);
    layer.y = place(values, layer.axes.out, layer.y_memory);
    layer.dy = place(values, layer.axes.out, layer.dy_memory);
    if (shape_.sums_apart(context_.mesh(), static_cast<std::size_t>(layer.number))) {
      layer.sum = place(values, layer.axes.out, sums_[static_cast<std::size_t>(layer.axes.in)]);
    }
  }
  return *x_;
}

const DistMatrix& Model::forward() {
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    Layer& layer = layers_[l];
    const TraceRange trace("forward layer");
    const DistMatrix& x = input_of(l);
    const bool complete = complete_after_multiply(context_.mesh(), x, Transpose::no);
    if (complete && !gradient_needs_input(layer.activation)) {
      forward_fused(layer, x);
    } else {
      forward_summed(layer, x);
    }
  }
  return *layers_.back().y;
}

/// Y = activation(X W^T + bias) in one pass.
void Model::forward_fused(Layer& layer, const DistMatrix& x) {
  multiply(context_, {.a = x,
                      .b = layer.weight_operand,
                      .trans_b = Transpose::yes,
                      .c = *layer.y,
                      .bias = layer.bias ? &*layer.bias : nullptr,
                      .activation = layer.activation,
                      .what = {.name = "Y", .layer = layer.number}});
}

/// Z = X W^T, summed over the in axis; then Y = activation(Z + bias). The activation is not linear: it comes after the
/// sum. Z is kept if the activation's gradient needs it; otherwise Y takes its place. If the sum has f32
/// memory of its own, its values are rounded when Z or Y is written.
void Model::forward_summed(Layer& layer, const DistMatrix& x) {
  const bool complete = complete_after_multiply(context_.mesh(), x, Transpose::no);
  DistMatrix& sum = layer.sum ? *layer.sum : layer.z ? *layer.z : *layer.y;
  multiply(context_, {.a = x,
                      .b = layer.weight_operand,
                      .trans_b = Transpose::yes,
                      .c = sum,
                      .bias = complete && layer.bias ? &*layer.bias : nullptr,
                      .what = {.name = "Y", .layer = layer.number}});
  recombine(context_, sum, layer.axes.in, State::replicated, {.name = "sum Y", .layer = layer.number});
  for (std::size_t b = 0; b < sum.blocks().size(); ++b) {
    const Block& block = sum.blocks()[b];
    BiasActivation call{.in = block.view, .out = layer.y->blocks()[b].view, .activation = layer.activation};
    if (!complete && layer.bias) call.bias = as_vector(layer.bias->find(0, block.col_part)->view);
    if (layer.z && (layer.sum || call.bias.size > 0)) {
      const MatrixView z = layer.z->blocks()[b].view;
      context_.math().bias_activation(context_.compute(), {.in = block.view, .bias = call.bias, .out = z});
      call.in = z;
      call.bias = {};
    }
    context_.math().bias_activation(context_.compute(), call);
  }
}

void Model::backward(const MicroBatch& micro_batch, const BackwardOptions& options) {
  summed_from_ = gradient_.view().size;
  for (std::size_t l = layers_.size(); l-- > 0;) {
    const TraceRange trace("backward layer");
    Layer& layer = layers_[l];
    backward_activation(layer, micro_batch, l + 1 < layers_.size() ? options.bad_outputs : nullptr);
    if (options.dw_stream) options.dw_stream->wait(context_.compute().record());
    // If dX must be summed, its sum runs while dW is multiplied. Otherwise dW comes first, because its sum is longer.
    const bool sums_dx = l > 0 && context_.mesh().parts(layer.axes.out) > 1;
    Pending dx = sums_dx ? backward_input(l) : Pending();
    backward_weight(layer, input_of(l), micro_batch, options.dw_stream);
    if (micro_batch.last) options.completed(layout_.layer_range(l));
    if (l > 0 && !sums_dx) dx = backward_input(l);
    if (micro_batch.last) options.released(layout_.layer_range(l));
    dx.wait();
  }
  if (options.dw_stream) context_.compute().wait(options.dw_stream->record());
}

/// dX = dY W, which is the dY of the layer before.
Pending Model::backward_input(std::size_t l) {
  Layer& layer = layers_[l];
  Layer& before = layers_[l - 1];
  DistMatrix& dx = before.sum ? *before.sum : *before.dy;
  multiply(context_,
           {.a = *layer.dy, .b = layer.weight_operand, .c = dx, .what = {.name = "dX", .layer = layer.number}});
  return start_recombine(context_, dx, layer.axes.out, State::replicated, {.name = "sum dX", .layer = layer.number});
}

/// dY before the activation, and the gradient of the bias. It reads the layer's outputs, so it also checks them.
void Model::backward_activation(Layer& layer, const MicroBatch& micro_batch, double* bad_outputs) {
  const DistMatrix& saved = layer.z ? *layer.z : *layer.y;
  const DistMatrix& dy = *layer.dy;
  for (std::size_t b = 0; b < dy.blocks().size(); ++b) {
    const Block& block = dy.blocks()[b];
    const Block* bias = layer.bias_gradient ? layer.bias_gradient->find(0, block.col_part) : nullptr;
    const bool first_of_its_columns = micro_batch.first && block.row_part == dy.blocks().front().row_part;
    context_.math().activation_gradient(context_.compute(),
                                        {.saved = saved.blocks()[b].view,
                                         .incoming = layer.sum ? layer.sum->blocks()[b].view : ConstMatrixView{},
                                         .gradient = block.view,
                                         .bias_gradient = bias ? as_vector(bias->view) : VectorView{},
                                         .beta = first_of_its_columns ? 0.0F : 1.0F,
                                         .activation = layer.activation,
                                         .bad_saved = bad_outputs,
                                         .bad_mark = static_cast<double>(layers_.size()) - layer.number});
  }
  if (layer.bias_gradient && context_.mesh().parts(Axis::i) > 1) {
    layer.bias_gradient->set_state(Axis::i, State::partial);
  }
}

/// dW = dY^T X, a term of the sum over i.
void Model::backward_weight(Layer& layer, const DistMatrix& x, const MicroBatch& micro_batch, Stream* stream) {
  multiply(context_, {.a = *layer.dy,
                      .trans_a = Transpose::yes,
                      .b = x,
                      .c = layer.weight_gradient,
                      .beta = micro_batch.first ? 0.0 : 1.0,
                      .stream = stream,
                      .what = {.name = "dW", .layer = layer.number}});
}

void Model::set_summed(std::int64_t begin) {
  summed_from_ = begin;
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    const std::size_t weight = layout_.weight_of(l);
    if (layout_.tensors()[weight].range.begin >= begin) {
      layers_[l].weight_gradient.set_state(Axis::i, State::replicated);
    }
    if (layers_[l].bias_gradient && layout_.tensors()[weight + 1].range.begin >= begin) {
      layers_[l].bias_gradient->set_state(Axis::i, State::replicated);
    }
  }
}

}  // namespace recombine
