#include "src/nn/checkpoint/bands.hpp"

#include <algorithm>

#include "kernels/error.hpp"

namespace recombine {

namespace {

constexpr std::int64_t kBandElements = std::int64_t{1} << 20;  // 4 MiB; more if a row is longer
constexpr int kRoot = 0;

/// A part of a band: rows of one block, which lie together in its holder's memory.
struct BandPart {
  int holder = 0;
  Block block;
  Range rows;  ///< of the whole tensor
  std::int64_t size() const { return rows.size() * block.cols.size(); }
};

/// One band after the other.
class BandReader {
 public:
  BandReader(RankContext& context, Communicator& group, const Model& model)
      : context_(context), group_(group), model_(model) {}

  /// On rank 0, the elements of these rows of a tensor; elsewhere nothing.
  std::span<const float> read(std::size_t tensor, Range rows) {
    parts_ = parts_of(model_.layout().tensors()[tensor], rows);
    exchange(model_.layout().matrix(tensor, model_.weights()));
    if (group_.rank() != kRoot) return {};
    return in_rows(rows, model_.layout().tensors()[tensor].matrix.cols);
  }

 private:
  /// Each element once: of the ranks that hold copies, the one in the replica of rank 0.
  std::vector<BandPart> parts_of(const ParameterTensor& tensor, Range rows) const {
    const Mesh& mesh = context_.mesh();
    std::vector<BandPart> parts;
    for (int rank = 0; rank < mesh.size(); ++rank) {
      const Coord coord = mesh.coord_of(rank);
      if (!in_one_replica(tensor.placement, coord, mesh.coord_of(kRoot))) continue;
      for (const Block& block : DistMatrix::blocks_of(mesh, coord, tensor.matrix, tensor.placement)) {
        const Range common = overlap(block.rows, rows);
        if (common.begin < common.end && block.cols.size() > 0) parts.push_back({rank, block, common});
      }
    }
    return parts;
  }

  /// Brings the parts to rank 0, one after the other in packed_.
  void exchange(const DistMatrix& weights) {
    std::vector<Piece> out, in;
    if (group_.rank() == kRoot) reserve();
    std::int64_t at = 0;
    for (const BandPart& part : parts_) {
      const VectorView place = group_.rank() == kRoot ? packed_.view().range(at, at + part.size()) : VectorView{};
      at += part.size();
      if (part.holder == group_.rank()) {
        const Block& block = *weights.find(part.block.row_part, part.block.col_part);
        const VectorView own =
            as_vector(block.view.block(part.rows.begin - block.rows.begin, 0, part.rows.size(), block.cols.size()));
        if (group_.rank() == kRoot) {
          context_.device().copy(context_.compute(), place, own);
        } else {
          out.push_back({kRoot, own});
        }
      } else if (group_.rank() == kRoot) {
        in.push_back({part.holder, place});
      }
    }
    // Every rank knows the parts, so all ranks leave out an exchange that moves nothing.
    if (std::ranges::all_of(parts_, [](const BandPart& part) { return part.holder == kRoot; })) return;
    Stream& communication = context_.after_compute(Axis::i, RankContext::Next::waits);
    group_.named({.name = "bring weights"}).exchange(communication, out, in);
    context_.compute_waits(communication.record());
  }

  void reserve() {
    std::int64_t size = 0;
    for (const BandPart& part : parts_) size += part.size();
    if (size <= packed_.view().size) return;
    packed_ = Buffer();
    packed_ = Buffer(context_.device(), DataType::f32, size);
    host_ = Buffer::on_host(context_.device(), DataType::f32, size);
  }

  /// The parts' elements row by row.
  std::span<const float> in_rows(Range rows, std::int64_t cols) {
    const std::int64_t size = rows.size() * cols;
    context_.device().copy(context_.compute(), host_.view().range(0, size), packed_.view().range(0, size));
    context_.compute().synchronize();
    const auto* from = host_.view().as<float>();
    if (parts_.size() == 1) return {from, static_cast<std::size_t>(size)};
    band_.resize(static_cast<std::size_t>(size));
    for (const BandPart& part : parts_) {
      for (std::int64_t row = part.rows.begin; row < part.rows.end; ++row) {
        std::copy_n(from, part.block.cols.size(), band_.data() + (row - rows.begin) * cols + part.block.cols.begin);
        from += part.block.cols.size();
      }
    }
    return band_;
  }

  RankContext& context_;
  Communicator& group_;
  const Model& model_;
  std::vector<BandPart> parts_;  ///< of the current band
  Buffer packed_, host_;         ///< on rank 0
  std::vector<float> band_;
};

}  // namespace

void for_each_band(RankContext& context, Communicator& group, const Model& model,
                   const std::function<void(std::span<const float>)>& visit) {
  require(group.size() == context.mesh().size(), "weights are read from the {} ranks of mesh {}, not from {}",
          context.mesh().size(), context.mesh().to_string(), group.size());
  BandReader reader(context, group, model);
  for (std::size_t t = 0; t < model.layout().tensors().size(); ++t) {
    const DistMatrix::Shape shape = model.layout().tensors()[t].matrix;
    const std::int64_t rows = std::max<std::int64_t>(1, kBandElements / std::max<std::int64_t>(shape.cols, 1));
    for (std::int64_t begin = 0; begin < shape.rows; begin += rows) {
      const std::span<const float> band = reader.read(t, {begin, std::min(begin + rows, shape.rows)});
      if (group.rank() == kRoot) visit(band);
    }
  }
}

}  // namespace recombine
