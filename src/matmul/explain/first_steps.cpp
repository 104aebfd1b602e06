#include "src/matmul/explain/first_steps.hpp"

#include <fmt/format.h>

#include "src/explain/recorder.hpp"
#include "src/explain/text_layout.hpp"
#include "src/matmul/explain/rank_equation.hpp"

namespace recombine {

namespace {

constexpr int kParts = 2;  // of m, n and k
constexpr std::string_view kIndent = "    ";

Range part_of(std::int64_t extent, int part) { return split_range(extent, kParts, part); }

/// The parts that have elements.
int parts_of(std::int64_t extent) { return extent > 1 ? kParts : 1; }

std::vector<std::int64_t> cut(std::int64_t extent) {
  return extent > 1 ? std::vector{part_of(extent, 1).begin} : std::vector<std::int64_t>();
}

/// "A12"; numbers begin at 1.
std::string name_of(char matrix, int row, int col) { return fmt::format("{}{}{}", matrix, row + 1, col + 1); }

/// One block of C, by the device of this rank.
class BlockProduct {
 public:
  BlockProduct(const ExplainJob& job, RankContext& context)
      : job_(job), context_(context), io_(job.device.make_stream(StreamUse::host)) {}

  std::vector<RecordedStep> run(const Area& area) {
    const auto& [rows, cols] = area;
    const MatmulShape& shape = job_.problem.shape;
    const Buffer c(job_.device, shape.result_type(), rows.size() * cols.size());
    Recorder recorder(context_);
    LocalProduct sum(context_, {.c = c.matrix(rows.size(), cols.size())});
    std::vector<Buffer> operands;
    for (int part = 0; part < kParts; ++part) {
      const Range k = part_of(shape.k, part);
      sum.add(read(operands, job_.problem.a, rows, k), read(operands, job_.problem.b, k, cols), {.k = k});
    }
    sum.finish(shape.type);
    context_.compute().synchronize();
    return recorder.finish();
  }

 private:
  ConstMatrixView read(std::vector<Buffer>& memory, const MatrixSource& source, Range rows, Range cols) {
    memory.emplace_back(job_.device, job_.problem.shape.type, rows.size() * cols.size());
    const MatrixView view = memory.back().matrix(rows.size(), cols.size());
    if (rows.size() * cols.size() > 0) source.read(context_, *io_, rows, cols, Transpose::no, view);
    io_->synchronize();
    return view;
  }

  const ExplainJob& job_;
  RankContext& context_;
  std::unique_ptr<Stream> io_;
};

/// "C11 = A11 B11 + A12 B21"
std::string sum_of_blocks(int row, int col, int parts_of_k) {
  std::string text = name_of('C', row, col) + " =";
  for (int k = 0; k < parts_of_k; ++k) {
    text += fmt::format("{} {} {}", k == 0 ? "" : " +", name_of('A', row, k), name_of('B', k, col));
  }
  return text;
}

}  // namespace

std::string element_text(const WholeProduct& product) {
  const auto& [shape, a, b, c] = product;
  std::string sum_text;
  double sum = 0;
  for (std::int64_t k = 0; k < shape.k; ++k) {
    sum_text += fmt::format("{}{} * {}", k == 0 ? "" : " + ", number_text(a.at(0, k)), number_text(b.at(k, 0)));
    sum += a.at(0, k) * b.at(k, 0);
  }
  require_same("c11", sum, c.at(0, 0), product.rounding());
  const std::vector<EquationPart> matrices = {
      {"A = ", a.grid().text()}, {"    B = ", b.grid().text()}, {"    C = ", c.grid().text()}};
  return equation(matrices, kIndent) + "\n" +
         paragraph("c11, the first element of C, is row 1 of A times column 1 of B:", "  ") +
         paragraph(fmt::format("c11 = {} = {}", sum_text, number_text(sum)), kIndent) +
         paragraph(fmt::format("The program's matrix C has c11 = {}: they agree.", number_text(c.at(0, 0))), "  ") +
         paragraph(fmt::format("No element of C needs another one. So its {} elements are {} tasks, each for its own "
                               "core, or its own thread of a GPU.",
                               shape.m * shape.n, shape.m * shape.n),
                   "  ");
}

std::string blocks_text(const ExplainJob& job, const WholeProduct& product) {
  const auto& [shape, a, b, c] = product;
  const std::vector<EquationPart> matrices = {{"A = ", a.grid(cut(shape.m), cut(shape.k)).text()},
                                              {"    B = ", b.grid(cut(shape.k), cut(shape.n)).text()},
                                              {"    C = ", c.grid(cut(shape.m), cut(shape.n)).text()}};
  std::string text =
      equation(matrices, kIndent) + "\n" +
      paragraph("Blocks multiply as numbers do: each block of C is a row of blocks of A times a column of blocks of B.",
                "  ");
  const auto alone = job.world.split(job.session.rank(), 0);
  RankContext context(Mesh(1, 1, 1), *alone, job.device, job.collectives);
  BlockProduct block(job, context);
  for (int row = 0; row < parts_of(shape.m); ++row) {
    for (int col = 0; col < parts_of(shape.n); ++col) {
      const Area area{part_of(shape.m, row), part_of(shape.n, col)};
      const std::vector<RecordedStep> products = block.run(area);
      const std::string names = sum_of_blocks(row, col, parts_of(shape.k));
      require_same(names, products.back().sum, c.part(area), product.rounding());
      text += fmt::format("\n{}{}", paragraph(names, kIndent), block_equation(products, "        "));
    }
  }
  return text + "\n" + paragraph("These blocks are those of C above: they agree.", "  ");
}

}  // namespace recombine
