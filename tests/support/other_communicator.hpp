#pragma once

#include "distributed/communicator.hpp"

namespace recombine::test {

/// Passes every call on to another communicator. Tests override the calls that they change or count.
class OtherCommunicator : public Communicator {
 public:
  explicit OtherCommunicator(Communicator& group) : group_(group) {}

  int rank() const override { return group_.rank(); }
  int size() const override { return group_.size(); }
  void all_reduce(Stream& stream, VectorView data, Reduction reduction) override {
    group_.all_reduce(stream, data, reduction);
  }
  void reduce_scatter(Stream& stream, VectorView data, std::span<const std::int64_t> counts,
                      Reduction reduction) override {
    group_.reduce_scatter(stream, data, counts, reduction);
  }
  void all_gather(Stream& stream, VectorView data, std::span<const std::int64_t> counts) override {
    group_.all_gather(stream, data, counts);
  }
  void broadcast(Stream& stream, VectorView data, int root) override { group_.broadcast(stream, data, root); }
  void exchange(Stream& stream, std::span<const Piece> out, std::span<const Piece> in) override {
    group_.exchange(stream, out, in);
  }
  std::unique_ptr<Communicator> split(int color, int key) override { return group_.split(color, key); }
  void check_call(Stream& stream, const Signature& call) override { group_.check_call(stream, call); }

 private:
  Communicator& group_;
};

}  // namespace recombine::test
