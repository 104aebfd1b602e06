#include "src/matmul/explain/explain.hpp"

#include <algorithm>

#include "kernels/error.hpp"
#include "src/explain/text_layout.hpp"
#include "src/matmul/explain/explained_meshes.hpp"
#include "src/matmul/explain/first_steps.hpp"
#include "src/matmul/explain/mesh_text.hpp"
#include "src/report/standard_output.hpp"

namespace recombine {

namespace {

constexpr std::int64_t kLargest = 8;  // rows, columns and k of the matrices
constexpr int kMostRanks = 8;         // so that a name such as A18 has two digits

void require_small(const ExplainJob& job) {
  const MatmulShape& shape = job.problem.shape;
  require_input(
      std::max({shape.m, shape.n, shape.k}) <= kLargest && std::min({shape.m, shape.n, shape.k}) >= 1,
      "--explain: C [{},{}] with k = {}; expected m, n and k from 1 to {}, so that all numbers can be printed", shape.m,
      shape.n, shape.k, kLargest);
  require_input(job.session.size() <= kMostRanks, "--explain: {} ranks; expected at most {}, so that all can be shown",
                job.session.size(), kMostRanks);
}

std::string title(const ExplainJob& job) {
  const MatmulShape& shape = job.problem.shape;
  return fmt::format("C [{},{}] = A [{},{}] B [{},{}], {}", shape.m, shape.n, shape.m, shape.k, shape.k, shape.n,
                     name_of(shape.type));
}

/// Where the numbers come from, if from files.
std::string files_text(const MatmulProblem& problem) {
  if (!problem.a.file_type()) return {};
  return paragraph(fmt::format("A is {}, B is {}.", problem.a.name(), problem.b.name()), "  ") +
         paragraph(problem.conversions, "  ");
}

}  // namespace

void explain_matmul(const ExplainJob& job) {
  require_small(job);
  const TextStyle style = TextStyle::of_output();
  std::optional<MeshStory> first;
  std::string text = style.heading(title(job)) + '\n';
  for (const Mesh& mesh : explained_meshes(job.command, job.session.size(), job.problem.shape)) {
    const MeshStory story = run_on_mesh(job, mesh);
    if (!first) {
      first = story;
      text += files_text(job.problem);
      text += fmt::format("\n{}\n{}", style.heading("One element by one thread"), element_text(story.product));
      text += fmt::format("\n{}\n{}", style.heading("One block at a time"), blocks_text(job, story.product));
    }
    require_same("C on mesh " + mesh.to_string(), story.product.c, first->product.c, story.product.rounding());
    text += mesh_text(story, style);
  }
  if (job.session.rank() == 0) print("{}", text);
}

}  // namespace recombine
