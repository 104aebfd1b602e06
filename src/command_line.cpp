#include "src/command_line.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>

namespace recombine {

namespace {

/// Boost's messages in our words.
std::string explain(const po::error& error) {
  if (const auto* unknown = dynamic_cast<const po::unknown_option*>(&error)) {
    return fmt::format("unknown option '{}': see --help", unknown->get_option_name());
  }
  std::string message = error.what();
  for (char& c : message) c = c == '\n' ? ' ' : c;
  return message + ": see --help";
}

void parse_command_line(int argc, const char* const* argv, const po::options_description& options,
                        po::variables_map& values) {
  using namespace po::command_line_style;  // neither guessing nor short options: "-1" is a value
  const auto parsed = po::command_line_parser(argc, argv)
                          .options(options)
                          .style(allow_long | long_allow_adjacent | long_allow_next)
                          .run();
  for (const auto& option : parsed.options) {
    require_input(option.position_key == -1, "'{}': options begin with --; see --help",
                  option.value.empty() ? "" : option.value.front());
  }
  po::store(parsed, values);
}

/// A line of a configuration file as options; none for a comment.
po::parsed_options parse_config_line(const std::string& line, const po::options_description& options) {
  require_input(line.find('\0') == std::string::npos, "is no text");
  std::istringstream text(line);
  po::parsed_options parsed = po::parse_config_file(text, options);
  const std::size_t first = line.find_first_not_of(" \t\r");
  require_input(!parsed.options.empty() || first == std::string::npos || line[first] == '#',
                "'{}': name = value is right", line);
  for (po::option& option : parsed.options) {
    require_input(option.string_key != "config", "config: is for the command line alone");
    std::string& value = option.value.front();
    const bool quoted = value.size() >= 2 && value.starts_with('"') && value.ends_with('"');
    require_input(quoted || !value.starts_with('"'),
                  "'{}': has one quotation mark; two are right, and # begins a comment inside them too", line);
    if (quoted) value = value.substr(1, value.size() - 2);
  }
  return parsed;
}

void parse_config_file(const std::string& path, const po::options_description& options, po::variables_map& values) {
  static constexpr std::uintmax_t kLargest = 1 << 20;
  std::error_code unreadable;
  const bool plain = std::filesystem::is_regular_file(path, unreadable) &&
                     std::filesystem::file_size(path, unreadable) <= kLargest && !unreadable;
  std::ifstream file;
  if (plain) file.open(path);  // a pipe might have no end
  require_input(file.is_open(), "--config {}: cannot read it; a plain file of name = value lines is right", path);
  po::parsed_options all(&options);
  std::string line;
  for (std::int64_t number = 1; std::getline(file, line); ++number) {
    try {
      const po::parsed_options parsed = parse_config_line(line, options);
      all.options.insert(all.options.end(), parsed.options.begin(), parsed.options.end());
    } catch (const po::invalid_syntax&) {
      throw InputError(fmt::format("--config {}, line {}: '{}': name = value is right", path, number, line));
    } catch (const po::error& error) {
      throw InputError(fmt::format("--config {}, line {}: {}", path, number, explain(error)));
    } catch (const InputError& error) {
      throw InputError(fmt::format("--config {}, line {}: {}", path, number, error.what()));
    }
  }
  try {
    po::store(all, values);
  } catch (const po::error& error) {
    throw InputError(fmt::format("--config {}: {}", path, explain(error)));
  }
}

}  // namespace

po::typed_value<std::string>* text_option(const char* placeholder) {
  return po::value<std::string>()->value_name(placeholder);
}
po::typed_value<std::string>* text_option(const char* placeholder, const char* standard) {
  return text_option(placeholder)->default_value(standard);
}

void add_common_options(po::options_description& group) {
  group.add_options()("config", text_option("FILE"),
                      "read options from FILE, as lines of name = value; the command line goes first")(
      "help", po::bool_switch(), "print this")("version", po::bool_switch(), "print the version");
}

std::string OptionReader::path(const char* name) const {
  require_input(!has(name) || !string(name).empty(), "--{} '': the name of a file is right", name);
  return string(name);
}

po::variables_map read_options(int argc, const char* const* argv, const po::options_description& options) {
  po::variables_map values;
  try {
    parse_command_line(argc, argv, options, values);
  } catch (const po::error& error) {
    throw InputError(explain(error));
  }
  if (values.count("config") != 0) parse_config_file(OptionReader(values).path("config"), options, values);
  return values;
}

std::string version() { return "recombine " RECOMBINE_VERSION; }

}  // namespace recombine
