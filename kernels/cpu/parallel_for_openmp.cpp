#include <omp.h>
#include <sched.h>

#include "kernels/cpu/parallel_for.hpp"

namespace recombine::cpu {

void set_threads(int threads) { omp_set_num_threads(threads); }
int threads() { return omp_get_max_threads(); }
int library_threads() { return threads(); }

void bind_threads(const std::vector<int>& cores) {
#pragma omp parallel num_threads(static_cast <int>(cores.size()))
  {
    cpu_set_t mask;
    CPU_ZERO(&mask);
    CPU_SET(static_cast<std::size_t>(cores[static_cast<std::size_t>(omp_get_thread_num())]), &mask);
    sched_setaffinity(0, sizeof mask, &mask);  // if it fails, the threads stay unbound
  }
}

void detail::run_parts(std::int64_t size, std::int64_t parts, RangeCall call, const void* work) {
#pragma omp parallel for schedule(static, 1) num_threads(static_cast <int>(parts))
  for (std::int64_t part = 0; part < parts; ++part) {
    call(work, size * part / parts, size * (part + 1) / parts);
  }
}

}  // namespace recombine::cpu
