/// Speed of ScaLAPACK's pdgemm on C[m,n] = A[m,k] B[k,n] in f64, at the best settings that a search finds.
///
///     apt install libscalapack-openmpi-dev libopenblas-openmp-dev
///     cmake --build build --target pdgemm_bench          # not part of the default build
///     mpirun --bind-to none -np 2 build/pdgemm_bench --shapes 4096x4096x4096,1024x1024x65536 --rounds 3
///
/// For every shape it tries all combinations of
///   grid   every P x Q of the ranks
///   block  square blocks of 64, 128, 256, 512; and one per rank (k in lcm(P, Q) blocks: A and B align)
///   panel  columns of A and rows of B that pdgemm sends and multiplies at a time. ScaLAPACK calls pilaenv for this
///          number. Users may replace pilaenv; as shipped it returns 32. Here: 32, 128, 256, 512 (--panels 32: as
///          shipped)
/// Each combination is timed once. The best four also run in the other rounds, in turn. Before every timed product an
/// untimed one runs on the same operands. A timed product starts after a barrier, and its time is that of the slowest
/// rank. Each combination's product is checked: C x compared with A (B x) for a random x (Freivalds, "Probabilistic
/// machines can use less running time", 1977). Prints a line of JSON per shape. best_gflops is from the smallest median
/// of those four.
///
/// A rank has one thread, and its own core if there are enough cores. Memory: the operands once.

#include <cmath>
#include <cstdio>
#include <numeric>
#include <string>

#include <nlohmann/json.hpp>
#include <sched.h>

#include "src/program/parse.hpp"
#include "tests/bench/peers/scalapack.hpp"

namespace {

using scalapack::Grid, scalapack::Matrix, scalapack::random_value;

int panel_of_pdgemm = 32;  // returned by pilaenv_ below

struct Shape {
  int m, n, k;
};

struct BenchOptions {
  std::vector<Shape> shapes = {{4096, 4096, 4096}};
  std::vector<int> panels = {32, 128, 256, 512};
  int rounds = 3;
};

struct Setting {
  int p, q;
  int block;  ///< 0: one per rank
  int panel;
};

struct Timed {
  Setting setting;
  std::vector<double> seconds;
  double median() const {
    std::vector<double> sorted = seconds;
    std::ranges::sort(sorted);
    return (sorted[(sorted.size() - 1) / 2] + sorted[sorted.size() / 2]) / 2;
  }
};

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts(1);
  for (const char letter : text) {
    if (letter == separator) {
      parts.emplace_back();
    } else {
      parts.back() += letter;
    }
  }
  return parts;
}

int parse_size(std::string_view option, const std::string& text) {
  return static_cast<int>(recombine::parse_whole(option, text, {1, 1 << 30}));
}

BenchOptions parse(int argc, char** argv) {
  BenchOptions options;
  for (int i = 1; i < argc; i += 2) {
    const std::string name = argv[i];
    recombine::require_input(i + 1 < argc, "{} needs a value", name);
    const std::string value = argv[i + 1];
    if (name == "--shapes") {
      options.shapes.clear();
      for (const std::string& shape : split(value, ',')) {
        const std::vector<std::string> sizes = split(shape, 'x');
        recombine::require_input(sizes.size() == 3, "--shapes '{}': expected MxNxK", shape);
        options.shapes.push_back(
            {parse_size("shapes", sizes[0]), parse_size("shapes", sizes[1]), parse_size("shapes", sizes[2])});
      }
    } else if (name == "--panels") {
      options.panels.clear();
      for (const std::string& panel : split(value, ',')) options.panels.push_back(parse_size("panels", panel));
    } else if (name == "--rounds") {
      options.rounds = parse_size("rounds", value);
    } else {
      throw recombine::InputError(name + ": expected --shapes, --panels or --rounds");
    }
  }
  return options;
}

/// Binds local rank r to the r-th core that it may use, if there is a core for every rank of the host.
void bind_to_core() {
  MPI_Comm host;
  MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &host);
  int local_rank = 0, local_size = 0;
  MPI_Comm_rank(host, &local_rank);
  MPI_Comm_size(host, &local_size);
  MPI_Comm_free(&host);
  cpu_set_t allowed;
  sched_getaffinity(0, sizeof allowed, &allowed);
  if (CPU_COUNT(&allowed) < local_size) return;
  int core = 0;
  for (int before = local_rank; before > 0 || !CPU_ISSET(core, &allowed); ++core) {
    if (CPU_ISSET(core, &allowed)) --before;
  }
  CPU_ZERO(&allowed);
  CPU_SET(core, &allowed);
  sched_setaffinity(0, sizeof allowed, &allowed);
}

/// Throws unless C x = A (B x) within the rounding of a sum of k products.
void check(const Shape& s, Matrix& a, Matrix& b, Matrix& c) {
  std::vector<double> x(static_cast<std::size_t>(s.n));
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = random_value(3, i);
  const std::vector<double> expected = a.times(b.times(x));
  const std::vector<double> actual = c.times(x);
  const double size = std::sqrt(static_cast<double>(s.n) * s.k);  // the elements are of this order of magnitude
  for (std::size_t i = 0; i < actual.size(); ++i) {
    if (!(std::abs(actual[i] - expected[i]) <= 1e-11 * size)) {
      throw recombine::Error(fmt::format("wrong product {}x{}x{}: row {} of C x is {}, of A (B x) {}", s.m, s.n, s.k, i,
                                         actual[i], expected[i]));
    }
  }
}

enum class Check { no, yes };

double seconds_of(const Shape& s, const Setting& setting, Check wanted) {
  const Grid grid(setting.p, setting.q);
  const auto block = [&](int extent, int parts) {
    return setting.block ? setting.block : (extent + parts - 1) / parts;
  };
  const int mb = block(s.m, grid.p), nb = block(s.n, grid.q), kb = block(s.k, std::lcm(grid.p, grid.q));
  Matrix a(grid, s.m, s.k, mb, kb), b(grid, s.k, s.n, kb, nb), c(grid, s.m, s.n, mb, nb);
  a.fill(1);
  b.fill(2);
  panel_of_pdgemm = setting.panel;
  double seconds = 0;
  for (int run = 0; run < 2; ++run) {  // the first is the warm-up
    const int one = 1;
    const double alpha = 1, beta = 0;
    MPI_Barrier(MPI_COMM_WORLD);
    const double start = MPI_Wtime();
    pdgemm_("N", "N", &s.m, &s.n, &s.k, &alpha, a.data(), &one, &one, a.desc(), b.data(), &one, &one, b.desc(), &beta,
            c.data(), &one, &one, c.desc());
    seconds = MPI_Wtime() - start;
  }
  MPI_Allreduce(MPI_IN_PLACE, &seconds, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
  if (wanted == Check::yes) check(s, a, b, c);
  return seconds;
}

nlohmann::ordered_json bench(const Shape& s, const BenchOptions& options, int np) {
  std::vector<Timed> all;
  for (int p = 1; p <= np; ++p) {
    if (np % p != 0) continue;
    for (const int block : {64, 128, 256, 512, 0}) {
      for (const int panel : options.panels) {
        const Setting setting{p, np / p, block, panel};
        all.push_back({setting, {seconds_of(s, setting, Check::yes)}});
      }
    }
  }
  const auto by_median = [](const Timed& x, const Timed& y) { return x.median() < y.median(); };
  std::ranges::sort(all, by_median);
  const auto finalists = all.begin() + std::min<std::ptrdiff_t>(4, std::ssize(all));
  for (int round = 1; round < options.rounds; ++round) {
    for (auto timed = all.begin(); timed != finalists; ++timed) {
      timed->seconds.push_back(seconds_of(s, timed->setting, Check::no));
    }
  }
  std::sort(all.begin(), finalists, by_median);

  auto table = nlohmann::ordered_json::array();
  for (const Timed& timed : all) {
    nlohmann::ordered_json row = {{"grid", fmt::format("{}x{}", timed.setting.p, timed.setting.q)}};
    row["block"] = timed.setting.block ? nlohmann::ordered_json(timed.setting.block) : "one per rank";
    row["panel"] = timed.setting.panel;
    row["seconds_median"] = timed.median();
    row["seconds_min"] = *std::ranges::min_element(timed.seconds);
    row["rounds"] = timed.seconds.size();
    table.push_back(row);
  }
  return {{"m", s.m},
          {"n", s.n},
          {"k", s.k},
          {"np", np},
          {"best_gflops", 2e-9 * s.m * s.n * s.k / all.front().median()},
          {"best_grid", table[0]["grid"]},
          {"best_block", table[0]["block"]},
          {"best_panel", table[0]["panel"]},
          {"blas", fmt::format("OpenBLAS {}", openblas_get_corename())},
          {"all", table}};
}

}  // namespace

int pilaenv_(const int*, const char*) { return panel_of_pdgemm; }

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int rank = 0, np = 1;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &np);
  try {
    const BenchOptions options = parse(argc, argv);
    bind_to_core();
    openblas_set_num_threads(1);
    for (const Shape& shape : options.shapes) {
      const auto line = bench(shape, options, np);
      if (rank == 0) fmt::print("{}\n", line.dump());
      std::fflush(stdout);
    }
  } catch (const recombine::InputError& error) {
    if (rank == 0) fmt::print(stderr, "pdgemm_bench: {}\n", error.what());
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Abort(MPI_COMM_WORLD, recombine::kExitBadInput);
  } catch (const std::exception& error) {
    fmt::print(stderr, "pdgemm_bench: {}\n", error.what());
    MPI_Abort(MPI_COMM_WORLD, recombine::kExitFailure);
  }
  Cblacs_exit(1);
  MPI_Finalize();
}
