#pragma once

#include <cstdint>

namespace recombine {

/// Statistics of one row of logits, over the columns of one part.
struct SoftmaxRowStats {
  float largest;      ///< the maximum; -infinity if the part has no columns
  float sum;          ///< of exp(x - largest); NaN if the part has a NaN
  std::int32_t at;    ///< global column of the first maximum; INT32_MAX if the maximum is -infinity
  float label_logit;  ///< -infinity if the label lies in another part
};

}  // namespace recombine
