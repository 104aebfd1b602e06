#include "src/nn/checkpoint/bands.hpp"

#include <algorithm>
#include <utility>

#include "kernels/error.hpp"

namespace recombine {

namespace {

constexpr std::int64_t kBandElements = std::int64_t{1} << 20;  // 4 MiB; more if a row is longer
constexpr int kRoot = 0;

}  // namespace

/// A part of a band: rows of one block, which lie together in its holder's memory.
struct BandReader::Part {
  int holder = 0;
  Block block;
  Range rows;  ///< of the whole matrix
  std::int64_t size() const { return rows.size() * block.cols.size(); }
};

BandReader::BandReader(RankContext& context, Communicator& group, const char* name, Visit visit)
    : context_(context), group_(group), name_(name), visit_(std::move(visit)) {
  require(group.size() == context.mesh().size(), "matrices are read from the {} ranks of mesh {}, not from {}",
          context.mesh().size(), context.mesh().to_string(), group.size());
}

void BandReader::read(const DistMatrix& matrix) {
  const std::int64_t rows = std::max<std::int64_t>(1, kBandElements / std::max<std::int64_t>(matrix.cols(), 1));
  for (std::int64_t begin = 0; begin < matrix.rows(); begin += rows) {
    const Range band{begin, std::min(begin + rows, matrix.rows())};
    const std::vector<Part> parts = parts_of(matrix, band);
    exchange(matrix, parts);
    if (group_.rank() != kRoot || failure_) continue;
    const std::span<const float> elements = in_rows(parts, band, matrix.cols());
    try {
      visit_(elements);
    } catch (...) {
      failure_ = std::current_exception();
    }
  }
}

void BandReader::finish() const {
  if (failure_) std::rethrow_exception(failure_);
}

/// The parts cover each element once. If several ranks hold copies, the rank in the replica of rank 0 sends.
std::vector<BandReader::Part> BandReader::parts_of(const DistMatrix& matrix, Range rows) const {
  const Mesh& mesh = context_.mesh();
  std::vector<Part> parts;
  for (int rank = 0; rank < mesh.size(); ++rank) {
    const Coord coord = mesh.coord_of(rank);
    if (!in_one_replica(matrix.placement(), coord, mesh.coord_of(kRoot))) continue;
    for (const Block& block : DistMatrix::blocks_of(mesh, coord, {matrix.rows(), matrix.cols()}, matrix.placement())) {
      const Range common = overlap(block.rows, rows);
      if (common.begin < common.end && block.cols.size() > 0) parts.push_back({rank, block, common});
    }
  }
  return parts;
}

/// Sends the parts to rank 0, which stores them one after the other in packed_.
void BandReader::exchange(const DistMatrix& matrix, const std::vector<Part>& parts) {
  std::vector<Piece> out, in;
  if (group_.rank() == kRoot) reserve(parts);
  std::int64_t at = 0;
  for (const Part& part : parts) {
    const VectorView place = group_.rank() == kRoot ? packed_.view().range(at, at + part.size()) : VectorView{};
    at += part.size();
    if (part.holder == group_.rank()) {
      const Block& block = *matrix.find(part.block.row_part, part.block.col_part);
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
  // Every rank knows all parts. So all ranks skip the exchange if it moves nothing.
  if (std::ranges::all_of(parts, [](const Part& part) { return part.holder == kRoot; })) return;
  Stream& communication = context_.after_compute(Axis::i, RankContext::Next::waits);
  group_.named({.name = name_}).exchange(communication, out, in);
  context_.compute_waits(communication.record());
}

void BandReader::reserve(const std::vector<Part>& parts) {
  std::int64_t size = 0;
  for (const Part& part : parts) size += part.size();
  if (size <= packed_.view().size) return;
  packed_ = Buffer();
  packed_ = Buffer(context_.device(), DataType::f32, size);
  host_ = Buffer::on_host(context_.device(), DataType::f32, size);
}

/// Returns the elements of all parts, row by row.
std::span<const float> BandReader::in_rows(const std::vector<Part>& parts, Range rows, std::int64_t cols) {
  const std::int64_t size = rows.size() * cols;
  context_.device().copy(context_.compute(), host_.view().range(0, size), packed_.view().range(0, size));
  context_.compute().synchronize();
  const auto* from = host_.view().as<float>();
  if (parts.size() == 1) return {from, static_cast<std::size_t>(size)};
  band_.resize(static_cast<std::size_t>(size));
  for (const Part& part : parts) {
    for (std::int64_t row = part.rows.begin; row < part.rows.end; ++row) {
      std::copy_n(from, part.block.cols.size(), band_.data() + (row - rows.begin) * cols + part.block.cols.begin);
      from += part.block.cols.size();
    }
  }
  return band_;
}

void for_each_band(RankContext& context, Communicator& group, const Model& model, const BandReader::Visit& visit) {
  BandReader reader(context, group, "bring weights", visit);
  for (std::size_t t = 0; t < model.layout().tensors().size(); ++t) {
    reader.read(model.layout().matrix(t, model.weights()));
  }
  reader.finish();
}

}  // namespace recombine
