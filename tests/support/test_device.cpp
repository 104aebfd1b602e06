#include "tests/support/test_device.hpp"

#include <cstdlib>
#include <string>

#include "tests/support/rank_test.hpp"

namespace recombine::test {

namespace {

bool is_set(const char* variable, const std::string& value) {
  const char* const found = std::getenv(variable);
  return found && found == value;
}

/// Forwards all calls to another device.
class ForwardingDevice : public Device {
 public:
  explicit ForwardingDevice(Device& device) : device_(device) {}

  DeviceKind kind() const override { return device_.kind(); }
  std::string description() const override { return device_.description(); }
  std::byte* allocate(std::int64_t bytes, MemoryKind kind) override { return device_.allocate(bytes, kind); }
  void deallocate(std::byte* memory, MemoryKind kind) noexcept override { device_.deallocate(memory, kind); }
  void copy(Stream& stream, VectorView to, ConstVectorView from) override { device_.copy(stream, to, from); }
  std::unique_ptr<Stream> make_stream(StreamUse use) override { return device_.make_stream(use); }
  Math& math() override { return device_.math(); }
  std::unique_ptr<Replay> make_replay(Stream& stream, std::function<void()> enqueue) override {
    return device_.make_replay(stream, std::move(enqueue));
  }

 private:
  Device& device_;
};

class ReachableDevice final : public ForwardingDevice {
 public:
  explicit ReachableDevice(std::unique_ptr<Device> device) : ForwardingDevice(*device), owned_(std::move(device)) {}
  std::byte* allocate(std::int64_t bytes, MemoryKind /*kind*/) override {
    return ForwardingDevice::allocate(bytes, MemoryKind::host);
  }
  void deallocate(std::byte* memory, MemoryKind /*kind*/) noexcept override {
    ForwardingDevice::deallocate(memory, MemoryKind::host);
  }

 private:
  std::unique_ptr<Device> owned_;
};

class CallingDevice final : public ForwardingDevice {
 public:
  using ForwardingDevice::ForwardingDevice;
  std::unique_ptr<Replay> make_replay(Stream& /*stream*/, std::function<void()> enqueue) override {
    return std::make_unique<ReplayByCalls>(std::move(enqueue));
  }
};

}  // namespace

DeviceKind device_kind() { return is_set("RECOMBINE_TEST_DEVICE", "cuda") ? DeviceKind::cuda : DeviceKind::cpu; }

Collectives collectives() {
  return is_set("RECOMBINE_TEST_COLLECTIVES", "nccl") ? Collectives::nccl : Collectives::mpi;
}

std::unique_ptr<Device> make_test_device(Progress progress) {
  return std::make_unique<ReachableDevice>(
      make_device({.kind = device_kind(), .progress = progress, .local_rank = session().local_rank()}));
}

std::unique_ptr<Device> without_replay(Device& device) { return std::make_unique<CallingDevice>(device); }

Buffer on_device(Device& device, Stream& stream, ConstVectorView host) {
  Buffer buffer(device, host.type, host.size);
  device.copy(stream, buffer.view(), host);
  return buffer;
}

}  // namespace recombine::test
