// Input: a text, read as a number, a list of numbers, an amount of memory, a mesh, and a size of synthetic data.

#include <cmath>

#include "distributed/mesh.hpp"
#include "src/data/load_data.hpp"
#include "src/program/parse.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace recombine;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(fuzz::text_of(data, size));
  fuzz::accepts([&] {
    const std::int64_t value = parse_whole("n", text, {1, 4096});
    fuzz::insist(value >= 1 && value <= 4096, "a whole number out of its bounds");
  });
  fuzz::accepts([&] {
    const double value = parse_real("x", text, 0);
    fuzz::insist(std::isfinite(value) && value >= 0, "a real number out of its bounds");
  });
  fuzz::accepts([&] {
    const double bytes = parse_bytes("memory-limit", text);
    fuzz::insist(bytes >= 1 && bytes < 0x1p63, "an amount of memory out of its bounds");
  });
  fuzz::accepts([&] {
    const double seconds = parse_duration("time-limit", text);
    fuzz::insist(seconds >= 1 && seconds <= 3650 * 86400.0, "a duration out of its bounds");
  });
  fuzz::accepts([&] {
    for (const std::int64_t width : parse_widths("hidden", text)) fuzz::insist(width >= 1, "a width below 1");
  });
  fuzz::accepts([&] {
    const Mesh mesh = Mesh::parse(text);
    std::int64_t ranks = 1;
    for (const Axis axis : kAxes) ranks *= mesh.extent(axis);
    fuzz::insist(mesh.size() == ranks, "the mesh's size is not the product of its extents");
  });
  fuzz::accepts([&] { load_data({.data = "synthetic:" + text, .memory = {.host_bytes = 1 << 20}}); });
  return 0;
}
