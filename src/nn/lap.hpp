#pragma once

#include "distributed/session.hpp"

namespace recombine {

/// Measures laps: add_to() adds the time since the last add_to(), or since construction, to `sum`.
class Lap {
 public:
  void add_to(double& sum) {
    const double now = Session::now();
    sum += now - start_;
    start_ = now;
  }

 private:
  double start_ = Session::now();
};

}  // namespace recombine
