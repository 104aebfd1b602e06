#pragma once

#include <vector>

#include "kernels/cpu/loops/loops.hpp"

namespace recombine::test {

/// The loops of every instruction set that this machine has. Each set contains the one before it.
inline std::vector<const cpu::Loops*> loops_here() {
  std::vector<const cpu::Loops*> sets = {&cpu::loops_v2()};
  for (const cpu::Loops* next : {&cpu::loops_v3(), &cpu::loops_v4()}) {
    if (sets.back() == &cpu::loops()) break;
    sets.push_back(next);
  }
  return sets;
}

}  // namespace recombine::test
