#include "distributed/redistribute.hpp"

#include <algorithm>

#include "kernels/error.hpp"
#include "kernels/trace_range.hpp"

namespace recombine {

namespace {

Area overlap(const Area& a, const Area& b) { return {overlap(a.rows, b.rows), overlap(a.cols, b.cols)}; }

/// The elements of `part` in the block. @pre the block contains `part`
MatrixView view_of(const Block& block, const Area& part) {
  return block.view.block(part.rows.begin - block.rows.begin, part.cols.begin - block.cols.begin, part.rows.size(),
                          part.cols.size());
}

/// A part that is sent to another rank, or received from it.
struct Part {
  int peer = 0;
  MatrixView view;  ///< in this rank's block
};

/// The parts that this rank sends, receives and copies. Of the holders of a part, the one in the receiver's
/// replica sends it. Sender and receiver list the parts in the same order: by the receiver's blocks, then by the
/// sender's blocks.
struct Plan {
  struct Copy {
    ConstMatrixView from;
    MatrixView to;
  };
  std::vector<Part> out, in;
  std::vector<Copy> own;

  Plan(const Mesh& mesh, const Coord& own_coord, const DistMatrix& from, const DistMatrix& to) {
    const DistMatrix::Shape shape = {from.rows(), from.cols()};
    const int rank = mesh.rank_of(own_coord);
    const std::vector<Area> sources = held_areas(mesh, own_coord, shape, from.placement());
    const std::vector<Area> targets = held_areas(mesh, own_coord, shape, to.placement());
    for (int peer = 0; peer < mesh.size(); ++peer) {
      const Coord coord = mesh.coord_of(peer);
      if (peer != rank && in_one_replica(from.placement(), own_coord, coord)) {
        for (const Area& target : held_areas(mesh, coord, shape, to.placement())) {
          for (std::size_t s = 0; s < sources.size(); ++s) {
            const Area part = overlap(sources[s], target);
            if (!part.empty()) out.push_back({peer, view_of(from.blocks()[s], part)});
          }
        }
      }
      if (!in_one_replica(from.placement(), coord, own_coord)) continue;
      const std::vector<Area> theirs = held_areas(mesh, coord, shape, from.placement());
      for (std::size_t t = 0; t < targets.size(); ++t) {
        for (std::size_t s = 0; s < theirs.size(); ++s) {
          const Area part = overlap(theirs[s], targets[t]);
          if (part.empty()) continue;
          const MatrixView view = view_of(to.blocks()[t], part);
          if (peer == rank) {
            own.push_back({view_of(from.blocks()[s], part), view});
          } else {
            in.push_back({peer, view});
          }
        }
      }
    }
  }
};

void copy(RankContext& context, const ConstMatrixView& from, const MatrixView& to) {
  if (from.contiguous() && to.contiguous()) {
    context.device().copy(context.compute(), as_vector(to), as_vector(from));
  } else {
    context.math().cast(context.compute(), from, to);
  }
}

/// Parts as pieces of an exchange. A part that is not contiguous gets a place in `memory`.
class Packed {
 public:
  Packed(Device& device, DataType type, const std::vector<Part>& parts) : parts_(parts) {
    std::int64_t size = 0;
    for (const Part& part : parts) size += packed_size(part);
    if (size > 0) memory_ = Buffer(device, type, size);
    std::int64_t begin = 0;
    for (const Part& part : parts) {
      const std::int64_t end = begin + packed_size(part);
      pieces_.push_back({part.peer, end > begin ? memory_.view().range(begin, end) : as_vector(part.view)});
      begin = end;
    }
  }
  const std::vector<Piece>& pieces() const { return pieces_; }

  void pack(RankContext& context) const {
    for_each_packed([&](const MatrixView& part, const MatrixView& packed) { copy(context, part, packed); });
  }
  void unpack(RankContext& context) const {
    for_each_packed([&](const MatrixView& part, const MatrixView& packed) { copy(context, packed, part); });
  }

 private:
  static std::int64_t packed_size(const Part& part) {
    return part.view.contiguous() ? 0 : part.view.rows * part.view.cols;
  }
  template <class Visit>
  void for_each_packed(const Visit& visit) const {
    for (std::size_t p = 0; p < parts_.size(); ++p) {
      const MatrixView& view = parts_[p].view;
      if (!view.contiguous()) visit(view, as_matrix(pieces_[p].data, view.rows, view.cols));
    }
  }

  const std::vector<Part>& parts_;
  Buffer memory_;
  std::vector<Piece> pieces_;
};

void require_no_terms(const DistMatrix& matrix) {
  for (const Axis axis : kAxes) {
    require(matrix.placement().cuts(axis) || matrix.placement()[axis] != State::partial,
            "{} is partial along {}: expected a matrix that is recombined first", matrix.placement().to_string(),
            name_of(axis));
  }
}

}  // namespace

void redistribute(RankContext& context, Communicator& world, const DistMatrix& from, DistMatrix& to) {
  require(from.rows() == to.rows() && from.cols() == to.cols() && from.memory().type == to.memory().type,
          "[{},{}] {} into [{},{}] {}: expected the same shape and type", from.rows(), from.cols(),
          name_of(from.memory().type), to.rows(), to.cols(), name_of(to.memory().type));
  require(world.size() == context.mesh().size() && world.rank() == context.mesh().rank_of(context.coord()),
          "rank {} of a group of {} redistributes on mesh {}: expected rank {} of {}", world.rank(), world.size(),
          context.mesh().to_string(), context.mesh().rank_of(context.coord()), context.mesh().size());
  require_no_terms(from);
  require_no_terms(to);
  const TraceRange trace("redistribute");
  const Plan plan(context.mesh(), context.coord(), from, to);
  const Packed out(context.device(), from.memory().type, plan.out);
  const Packed in(context.device(), to.memory().type, plan.in);
  out.pack(context);
  Stream& communication = context.after_compute(Axis::i, RankContext::Next::waits);
  world.exchange(communication, out.pieces(), in.pieces());
  for (const auto& [source, target] : plan.own) copy(context, source, target);
  context.compute_waits(communication.record());
  in.unpack(context);
}

}  // namespace recombine
