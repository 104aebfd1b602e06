#include <algorithm>
#include <cstring>
#include <vector>

#include "tests/cuda_on_cpu/libraries/nccl/operations.hpp"
#include "tests/cuda_on_cpu/runtime/stand_in.hpp"

namespace emulated::nccl {

namespace {

/// One send or receive in progress.
class Message {
 public:
  Message(Communicator& communicator, const Operation& operation)
      : operation_(&operation), rank_(communicator.rank()), box_(&mailbox(communicator, operation)) {}

  bool done() const { return done_; }
  bool same_way(const Message& other) const {
    return box_ == other.box_ && operation_->signature.call == other.operation_->signature.call;
  }
  /// Returns true if it moved a chunk.
  bool advance() { return operation_->signature.call == Call::send ? advance_send() : advance_receive(); }

 private:
  static Mailbox& mailbox(Communicator& communicator, const Operation& operation) {
    const auto here = static_cast<std::size_t>(communicator.rank());
    const auto peer = static_cast<std::size_t>(operation.signature.root);
    auto& mail = communicator.segment().mail;
    return operation.signature.call == Call::send ? mail[here][peer] : mail[peer][here];
  }

  std::size_t next_bytes() const { return std::min(kChunkBytes, operation_->bytes() - offset_); }
  bool all_moved() const { return begun_ && offset_ == operation_->bytes(); }

  bool advance_send() {
    if (box_->sent != box_->taken) return false;
    if (all_moved()) return done_ = true;
    const std::size_t bytes = next_bytes();
    if (bytes > 0) std::memcpy(box_->chunk.data(), operation_->from + offset_, bytes);
    box_->signature = operation_->signature;
    offset_ += bytes;
    begun_ = true;
    ++box_->sent;
    return true;
  }

  bool advance_receive() {
    if (box_->sent == box_->taken) return false;
    check(box_->signature);
    const std::size_t bytes = next_bytes();
    if (bytes > 0) std::memcpy(operation_->to + offset_, box_->chunk.data(), bytes);
    offset_ += bytes;
    begun_ = true;
    ++box_->taken;
    done_ = all_moved();
    return true;
  }

  void check(const Signature& sent) const {
    const auto& here = operation_->signature;
    if (sent.count == here.count && sent.type == here.type && sent.captured == here.captured) return;
    fail("NCCL: rank " + std::to_string(here.root) + " calls " + sent.text() + ", rank " + std::to_string(rank_) + " " +
         here.text());
  }

  const Operation* operation_;
  int rank_;
  Mailbox* box_;
  std::size_t offset_ = 0;
  bool begun_ = false;
  bool done_ = false;
};

}  // namespace

void run_messages(Communicator& communicator, std::span<const Operation> operations) {
  std::vector<Message> open;
  for (const auto& operation : operations) open.emplace_back(communicator, operation);
  for (int turn = 0; !open.empty();) {
    bool moved = false;
    for (auto message = open.begin(); message != open.end(); ++message) {
      const auto same_way = [&](const Message& earlier) { return earlier.same_way(*message); };
      if (std::none_of(open.begin(), message, same_way)) moved = message->advance() || moved;
    }
    std::erase_if(open, [](const Message& message) { return message.done(); });
    turn = moved ? 0 : turn + 1;
    if (!moved) communicator.pause(turn);
  }
}

}  // namespace emulated::nccl
