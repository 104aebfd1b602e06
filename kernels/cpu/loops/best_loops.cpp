#include "kernels/cpu/loops/loops.hpp"

namespace recombine::cpu {

const Loops& loops() {
  static const Loops& best = []() -> const Loops& {
    __builtin_cpu_init();
    const bool v4 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                    __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                    __builtin_cpu_supports("avx512vl");
    if (v4) return loops_v4();
    const bool v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
    return v3 ? loops_v3() : loops_v2();
  }();
  return best;
}

}  // namespace recombine::cpu
