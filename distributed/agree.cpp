#include <cstring>
#include <vector>

#include "distributed/session.hpp"
#include "kernels/cpu/cpu_stream.hpp"
#include "kernels/error.hpp"

namespace recombine {

namespace {

struct Failure {
  std::int64_t happened = 0;
  std::int64_t bad_input = 0;
  std::string message;
};

Failure attempt(const std::function<void()>& work) {
  try {
    work();
  } catch (const InputError& error) {
    return {1, 1, error.what()};
  } catch (const std::exception& error) {
    return {1, 0, error.what()};
  }
  return {};
}

/// Every rank throws the failure of rank `root`.
void throw_from(Communicator& world, Stream& stream, int root, Failure failure) {
  std::vector<std::int64_t> head = {failure.bad_input, static_cast<std::int64_t>(failure.message.size())};
  world.broadcast(stream, vector_view(head.data(), 2), root);
  stream.synchronize();
  std::vector<std::uint8_t> text(static_cast<std::size_t>(head[1]));
  if (world.rank() == root) std::memcpy(text.data(), failure.message.data(), text.size());
  world.broadcast(stream, vector_view(text.data(), head[1]), root);
  stream.synchronize();
  const std::string message(text.begin(), text.end());
  if (head[0] != 0) throw InputError(message);
  throw AgreedError(message);
}

}  // namespace

void agree(Communicator& world, Stream& stream, const std::function<void()>& work) {
  Failure failure = attempt(work);
  // The maximum selects the lowest rank that failed. Every rank throws the failure of that rank.
  std::int64_t speaker = failure.happened != 0 ? world.size() - world.rank() : 0;
  world.all_reduce(stream, vector_view(&speaker, 1), Reduction::max);
  stream.synchronize();
  if (speaker != 0) throw_from(world, stream, world.size() - static_cast<int>(speaker), std::move(failure));
}

void agree(Session& session, const std::function<void()>& work) {
  const auto world = make_world(session);
  const auto stream = cpu::make_inline_stream();
  agree(*world, *stream, work);
}

void on_root(Communicator& world, Stream& stream, const std::function<void()>& work) {
  agree(world, stream, [&] {
    if (world.rank() == 0) work();
  });
}

}  // namespace recombine
