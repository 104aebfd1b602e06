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

class ReachableDevice final : public Device {
 public:
  explicit ReachableDevice(std::unique_ptr<Device> device) : device_(std::move(device)) {}

  DeviceKind kind() const override { return device_->kind(); }
  std::string description() const override { return device_->description(); }
  std::byte* allocate(std::int64_t bytes, MemoryKind /*kind*/) override {
    return device_->allocate(bytes, MemoryKind::host);
  }
  void deallocate(std::byte* memory, MemoryKind /*kind*/) noexcept override {
    device_->deallocate(memory, MemoryKind::host);
  }
  void copy(Stream& stream, VectorView to, ConstVectorView from) override { device_->copy(stream, to, from); }
  std::unique_ptr<Stream> make_stream(StreamUse use) override { return device_->make_stream(use); }
  Math& math() override { return device_->math(); }

 private:
  std::unique_ptr<Device> device_;
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

Buffer on_device(Device& device, Stream& stream, ConstVectorView host) {
  Buffer buffer(device, host.type, host.size);
  device.copy(stream, buffer.view(), host);
  return buffer;
}

}  // namespace recombine::test
