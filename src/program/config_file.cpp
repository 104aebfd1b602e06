#include "src/program/config_file.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <map>
#include <string_view>

#include "distributed/io/file_kind.hpp"

namespace recombine {

namespace {

std::string_view unquoted(std::string_view line, std::string_view value) {
  const bool quoted = value.size() >= 2 && value.front() == '"' && value.back() == '"';
  require_input(quoted || !value.starts_with('"'),
                "'{}': has one quotation mark, expected two; # begins a comment between quotation marks too", line);
  return quoted ? value.substr(1, value.size() - 2) : value;
}

/// Accepts the words that Boost accepts for a flag. An empty value means true.
void check_flag(const std::string& name, std::string_view value) {
  static constexpr std::array<std::string_view, 9> kWords = {"", "true", "yes", "on", "1", "false", "no", "off", "0"};
  require_input(std::ranges::find(kWords, in_small_letters(value)) != kWords.end(), "{} = '{}': expected true or false",
                name, value);
}

/// Reads a file as options, line by line. Boost.Program_options can read files too, but its error messages replace
/// %value% also inside the value itself, and then never end.
class ConfigReader {
 public:
  explicit ConfigReader(const po::options_description& options) : options_(options), parsed_(&options) {}

  void read(const std::string& line) {
    ++line_;
    require_input(line.find('\0') == std::string::npos, "has a zero byte, expected text");
    const std::string_view text = trimmed(std::string_view(line).substr(0, line.find('#')));
    if (text.empty()) return;
    const std::size_t equals = text.find('=');
    require_input(equals != std::string_view::npos && equals > 0, "'{}': expected name = value", text);
    const std::string name(trimmed(text.substr(0, equals)));
    const std::string_view value = unquoted(text, trimmed(text.substr(equals + 1)));
    const po::option_description* const known = options_.find_nothrow(name, false);
    require_input(known != nullptr && known->long_name() == name, "{}", unknown_option(name, options_));
    require_input(name != "config", "config: expected on the command line only");
    const auto [first, is_new] = lines_.emplace(name, line_);
    require_input(is_new, "{}: is set twice, expected once; line {} sets it too", name, first->second);
    if (known->semantic()->max_tokens() == 0) check_flag(name, value);
    po::option option(name, {std::string(value)});
    parsed_.options.push_back(std::move(option));
  }

  std::int64_t line() const { return line_; }
  const po::parsed_options& parsed() const { return parsed_; }

 private:
  const po::options_description& options_;
  po::parsed_options parsed_;
  std::map<std::string, std::int64_t> lines_;  ///< where each option is set
  std::int64_t line_ = 0;
};

}  // namespace

po::parsed_options read_config_file(const std::string& path, const po::options_description& options) {
  static constexpr std::uintmax_t kLargest = 1 << 20;
  require_regular(fmt::format("--config {}", path), path, "a regular file of name = value lines");
  std::error_code unreadable;
  const bool small = std::filesystem::file_size(path, unreadable) <= kLargest && !unreadable;
  std::ifstream file;
  if (small) file.open(path);
  require_input(file.is_open(),
                "--config {}: cannot read it; expected a regular file of name = value lines, at most 1 MiB", path);
  ConfigReader reader(options);
  for (std::string line; std::getline(file, line);) {
    try {
      reader.read(line);
    } catch (const InputError& error) {
      throw InputError(fmt::format("--config {}, line {}: {}", path, reader.line(), error.what()));
    }
  }
  return reader.parsed();
}

}  // namespace recombine
