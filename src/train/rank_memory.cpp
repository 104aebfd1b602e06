#include "src/train/rank_memory.hpp"

#include <algorithm>

#include <fmt/ranges.h>

#include "kernels/error.hpp"
#include "src/program/byte_text.hpp"
#include "src/program/rank_device.hpp"

namespace recombine {

RankMemory memory_for(const Session& session, const TrainCommand& command) {
  const double share = memory_share(session);
  if (command.memory_limit.value_or(share) >= share) return {share};
  return {*command.memory_limit, fmt::format("--memory-limit {}", command.memory_limit_text)};
}

void require_memory(const TrainerOptions& options, const MemoryBytes& bytes, const RankMemory& memory) {
  if (bytes.total() <= memory.bytes) return;
  const double parameters = bytes[MemoryUse::weights] + bytes[MemoryUse::gradients] + bytes[MemoryUse::moments];
  const double batch = bytes[MemoryUse::activations] + bytes[MemoryUse::buffers];
  const double data = bytes[MemoryUse::data];
  const std::string why =
      fmt::format("training takes {} on each rank, but {} allows {}", exact_byte_text(bytes.total()),
                  memory.limit.empty() ? "its share of the host's memory" : memory.limit, byte_text(memory.bytes));
  if (data > std::max(parameters, batch)) {
    throw InputError(
        fmt::format("--data: {}; the data takes {}; expected fewer rows or more memory", why, byte_text(data)));
  }
  if (batch >= parameters) {
    throw InputError(
        fmt::format("--batch-size {}: {}; expected a smaller batch or more memory", options.batch_size, why));
  }
  throw InputError(
      fmt::format("--hidden '{}': {}; expected narrower layers, more parts of them (--mesh), or more memory",
                  fmt::join(options.model.hidden, ","), why));
}

}  // namespace recombine
