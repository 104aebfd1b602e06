#pragma once

#include <string>

namespace recombine {

/// launch/experiment/batching_plot.py, which draws --plot with matplotlib. A child process runs it, without
/// the variables by which MPI recognizes a rank.
class PlotScript {
 public:
  /// Finds the script next to this program: in ../launch/experiment, or installed in ../share/recombine.
  /// @param plot  the file of --plot, for messages
  /// @throws InputError if the script, Python 3 or matplotlib is missing. Takes about a second.
  explicit PlotScript(const std::string& plot);

  /// The picture of `curves`, the object of --summary, as SVG. @throws Error if the script fails
  std::string draw(const std::string& curves) const;

 private:
  std::string plot_, script_, python_ = "python3";
};

}  // namespace recombine
