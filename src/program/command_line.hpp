#pragma once

#include <string>

#include <boost/program_options.hpp>

#include "distributed/mesh.hpp"
#include "src/program/parse.hpp"

namespace recombine {

namespace po = boost::program_options;

/// An option whose value is a text. OptionReader checks the text: Boost would wrap -1 and accept nan.
po::typed_value<std::string>* text_option(const char* placeholder);
po::typed_value<std::string>* text_option(const char* placeholder, const char* standard);

/// --config, --help and --version, which every program has.
void add_common_options(po::options_description& group);

/// Reads the command line, then the file of --config, if given; the command line takes precedence. Refuses abbreviated
/// names of options, and words that are not options. @throws InputError: one line
po::variables_map read_options(int argc, const char* const* argv, const po::options_description& options);

/// The message for an option that is not among `options`; offers the one that was probably meant.
/// @param shown  as the user wrote it: "--epoch", "--epoch=3", or "epoch" in a file
std::string unknown_option(const std::string& shown, const po::options_description& options);

/// Turns the texts of options into numbers and choices. The functions throw InputError that names the option.
class OptionReader {
 public:
  explicit OptionReader(const po::variables_map& values) : values_(values) {}

  bool has(const char* name) const { return values_.count(name) != 0; }
  /// True if the user gave the option; has() is also true for a default.
  bool given(const char* name) const { return has(name) && !values_[name].defaulted(); }
  bool flag(const char* name) const { return values_[name].as<bool>(); }
  std::string string(const char* name) const { return has(name) ? values_[name].as<std::string>() : ""; }
  std::string path(const char* name) const;  ///< of a file; "" only if the option is absent
  /// "2x1x2"; none if the option has no value or is "auto". @throws InputError
  std::optional<Mesh> mesh(const char* name) const;
  std::int64_t whole(const char* name, Whole bounds, std::int64_t absent = 0) const {
    return has(name) ? parse_whole(name, string(name), bounds) : absent;
  }
  double real(const char* name, double absent, double least = 0) const {
    return has(name) ? parse_real(name, string(name), least) : absent;
  }
  template <class T>
  T word(const char* name, std::initializer_list<std::pair<std::string_view, T>> words) const {
    return parse_word(name, string(name), words);
  }

 private:
  const po::variables_map& values_;
};

std::string version();

}  // namespace recombine
