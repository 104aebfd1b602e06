#include "tests/support/staged_math.hpp"

#include <cstring>
#include <vector>

namespace recombine::test {

namespace {

/// Copies of host memory on the device, for one call.
class Mirror {
 public:
  Mirror(Device& device, Stream& stream) : device_(device), stream_(stream) {}

  ConstVectorView read(ConstVectorView host) { return mirrored(host, bytes_of(host)); }
  ConstMatrixView read(ConstMatrixView host) { return mirrored(host, bytes_of(host)); }
  VectorView write(VectorView host) { return written(host); }
  MatrixView write(MatrixView host) { return written(host); }
  template <class T>
  T* write(T* host, std::int64_t count = 1) {
    const std::int64_t size = count * std::int64_t{sizeof(T)};
    if (!host || size == 0) return host;
    auto* const bytes = reinterpret_cast<std::byte*>(host);
    copies_.at(find(bytes, size)).written = true;
    return reinterpret_cast<T*>(address(bytes, size));
  }

  /// Copies the written memory back to the host, and waits.
  void finish() {
    for (const Copy& copy : copies_) {
      if (copy.written) device_.copy(stream_, {copy.host, copy.bytes, DataType::u8}, copy.memory.view());
    }
    stream_.synchronize();
  }

 private:
  struct Copy {
    std::byte* host;
    std::int64_t bytes;
    Buffer memory;
    bool written = false;
  };

  static std::int64_t bytes_of(const ConstVectorView& v) { return v.bytes(); }
  static std::int64_t bytes_of(const ConstMatrixView& m) {
    return m.empty() ? 0 : ((m.rows - 1) * m.ld + m.cols) * size_of(m.type);
  }

  /// Index of the copy that contains these bytes. Makes one if there is none.
  std::size_t find(const std::byte* host, std::int64_t bytes) {
    for (std::size_t c = 0; c < copies_.size(); ++c) {
      if (copies_[c].host <= host && host + bytes <= copies_[c].host + copies_[c].bytes) return c;
    }
    Copy copy{const_cast<std::byte*>(host), bytes, Buffer(device_, DataType::u8, bytes)};
    device_.copy(stream_, copy.memory.view(), {host, bytes, DataType::u8});
    copies_.push_back(std::move(copy));
    return copies_.size() - 1;
  }
  std::byte* address(const std::byte* host, std::int64_t bytes) {
    const Copy& copy = copies_[find(host, bytes)];
    return copy.memory.view().data + (host - copy.host);
  }
  template <class View>
  View mirrored(View host, std::int64_t bytes) {
    if (bytes > 0) host.data = address(host.data, bytes);
    return host;
  }
  template <class View>
  View written(View host) {
    const std::int64_t bytes = bytes_of(host);
    if (bytes > 0) copies_[find(host.data, bytes)].written = true;
    return mirrored(host, bytes);
  }

  Device& device_;
  Stream& stream_;
  std::vector<Copy> copies_;
};

}  // namespace

void StagedMath::fill(Stream& stream, MatrixView x, const RandomFill& random) {
  Mirror mirror(device_, stream);
  device_.math().fill(stream, mirror.write(x), random);
  mirror.finish();
}

void StagedMath::cast(Stream& stream, ConstMatrixView from, MatrixView to) {
  Mirror mirror(device_, stream);
  device_.math().cast(stream, mirror.read(from), mirror.write(to));
  mirror.finish();
}

void StagedMath::begin_step(Stream& stream, const BeginStep& call) {
  Mirror mirror(device_, stream);
  BeginStep staged = call;
  const std::int64_t bytes = call.slots * std::int64_t{sizeof(StepInput)};
  const Buffer inputs = Buffer::on_host(device_, DataType::u8, bytes);
  std::memcpy(inputs.view().data, call.inputs, static_cast<std::size_t>(bytes));
  staged.inputs = reinterpret_cast<const StepInput*>(inputs.view().data);
  staged.results = mirror.write(call.results, call.slots);
  staged.values = mirror.write(call.values);
  device_.math().begin_step(stream, staged);
  mirror.finish();
}

void StagedMath::batch_rows(Stream& stream, const BatchRows& call) {
  Mirror mirror(device_, stream);
  BatchRows staged = call;
  staged.order = mirror.write(const_cast<BatchOrder*>(call.order));
  staged.rows = mirror.write(call.rows);
  device_.math().batch_rows(stream, staged);
  mirror.finish();
}

void StagedMath::gather_rows(Stream& stream, const GatherRows& gather) {
  Mirror mirror(device_, stream);
  GatherRows call = gather;
  call.source = mirror.read(gather.source);
  call.rows = mirror.read(gather.rows);
  call.out = mirror.write(gather.out);
  device_.math().gather_rows(stream, call);
  mirror.finish();
}

void StagedMath::gemm(Stream& stream, const Gemm& gemm) {
  Mirror mirror(device_, stream);
  Gemm call = gemm;
  call.a = mirror.read(gemm.a);
  call.b = mirror.read(gemm.b);
  call.bias = mirror.read(gemm.bias);
  call.c = mirror.write(gemm.c);
  device_.math().gemm(stream, call);
  mirror.finish();
}

void StagedMath::bias_activation(Stream& stream, const BiasActivation& call) {
  Mirror mirror(device_, stream);
  BiasActivation staged = call;
  staged.out = mirror.write(call.out);
  staged.in = mirror.read(call.in);
  staged.bias = mirror.read(call.bias);
  device_.math().bias_activation(stream, staged);
  mirror.finish();
}

void StagedMath::activation_gradient(Stream& stream, const ActivationGradient& call) {
  Mirror mirror(device_, stream);
  ActivationGradient staged = call;
  staged.gradient = mirror.write(call.gradient);
  staged.saved = mirror.read(call.saved);
  staged.incoming = mirror.read(call.incoming);
  staged.bias_gradient = mirror.write(call.bias_gradient);
  staged.bad_saved = mirror.write(call.bad_saved);
  device_.math().activation_gradient(stream, staged);
  mirror.finish();
}

void StagedMath::softmax_cross_entropy(Stream& stream, const SoftmaxCrossEntropy& loss) {
  Mirror mirror(device_, stream);
  SoftmaxCrossEntropy call = loss;
  call.gradient = mirror.write(loss.gradient);
  call.logits = mirror.read(loss.logits);
  call.labels = mirror.read(loss.labels);
  call.rows = mirror.read(loss.rows);
  call.sums = mirror.write(loss.sums);
  device_.math().softmax_cross_entropy(stream, call);
  mirror.finish();
}

void StagedMath::softmax_stats(Stream& stream, const SoftmaxStats& call) {
  Mirror mirror(device_, stream);
  SoftmaxStats staged = call;
  staged.logits = mirror.read(call.logits);
  staged.labels = mirror.read(call.labels);
  staged.rows = mirror.read(call.rows);
  staged.stats = mirror.write(call.stats, call.logits.rows);
  device_.math().softmax_stats(stream, staged);
  mirror.finish();
}

void StagedMath::softmax_from_stats(Stream& stream, const SoftmaxFromStats& loss) {
  Mirror mirror(device_, stream);
  SoftmaxFromStats call = loss;
  call.gradient = mirror.write(loss.gradient);
  call.logits = mirror.read(loss.logits);
  call.labels = mirror.read(loss.labels);
  call.rows = mirror.read(loss.rows);
  call.stats = mirror.write(const_cast<SoftmaxRowStats*>(loss.stats), loss.parts * loss.logits.rows);
  call.sums = mirror.write(loss.sums);
  device_.math().softmax_from_stats(stream, call);
  mirror.finish();
}

void StagedMath::squared_error(Stream& stream, const SquaredError& loss) {
  Mirror mirror(device_, stream);
  SquaredError call = loss;
  call.gradient = mirror.write(loss.gradient);
  call.outputs = mirror.read(loss.outputs);
  call.targets = mirror.read(loss.targets);
  call.rows = mirror.read(loss.rows);
  call.sums = mirror.write(loss.sums);
  device_.math().squared_error(stream, call);
  mirror.finish();
}

void StagedMath::add_square_sum(Stream& stream, ConstVectorView x, double* sum) {
  Mirror mirror(device_, stream);
  device_.math().add_square_sum(stream, mirror.read(x), mirror.write(sum));
  mirror.finish();
}

void StagedMath::fingerprint(Stream& stream, const Fingerprint& call) {
  Mirror mirror(device_, stream);
  Fingerprint staged = call;
  staged.block = mirror.read(call.block);
  staged.sum = mirror.write(call.sum);
  device_.math().fingerprint(stream, staged);
  mirror.finish();
}

void StagedMath::axpby(Stream& stream, double alpha, ConstVectorView x, double beta, VectorView y) {
  Mirror mirror(device_, stream);
  device_.math().axpby(stream, alpha, mirror.read(x), beta, mirror.write(y));
  mirror.finish();
}

void StagedMath::optimizer_step(Stream& stream, const OptimizerStep& step) {
  Mirror mirror(device_, stream);
  OptimizerStep call = step;
  call.weights = mirror.write(step.weights);
  call.gradient = mirror.read(step.gradient);
  call.first_moment = mirror.write(step.first_moment);
  call.second_moment = mirror.write(step.second_moment);
  call.rounded_weights = mirror.write(step.rounded_weights);
  call.rates = mirror.write(const_cast<OptimizerRates*>(step.rates));
  call.undecayed = mirror.read(step.undecayed);
  call.gradient_square_sum = mirror.write(const_cast<double*>(step.gradient_square_sum));
  call.bad_weight = mirror.write(step.bad_weight);
  device_.math().optimizer_step(stream, call);
  mirror.finish();
}

}  // namespace recombine::test
