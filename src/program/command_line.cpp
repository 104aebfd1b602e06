#include "src/program/command_line.hpp"

#include <vector>

#include "src/data/nearest.hpp"
#include "src/program/config_file.hpp"

namespace recombine {

namespace {

/// Says why Boost refuses the command line. Does not call error.what(): that function replaces %option% also inside the
/// option's name, and then never returns.
std::string explain(const po::error& error, const po::options_description& options) {
  const auto* const named = dynamic_cast<const po::error_with_option_name*>(&error);
  const std::string name = named ? named->get_option_name() : "";
  if (dynamic_cast<const po::unknown_option*>(&error)) return unknown_option(name, options);
  if (dynamic_cast<const po::multiple_occurrences*>(&error)) {
    return fmt::format("{}: is given more than once; expected once", name);
  }
  const auto* const syntax = dynamic_cast<const po::invalid_syntax*>(&error);
  const bool is_flag = syntax && syntax->kind() == po::invalid_syntax::extra_parameter;
  return fmt::format("{}: expected {}; see --help", name, is_flag ? "no value, it is a flag" : "a value");
}

void parse_command_line(int argc, const char* const* argv, const po::options_description& options,
                        po::variables_map& values) {
  using namespace po::command_line_style;  // no abbreviations and no short options: "-1" is a value
  const auto parsed = po::command_line_parser(argc, argv)
                          .options(options)
                          .style(allow_long | long_allow_adjacent | long_allow_next)
                          .run();
  for (const auto& option : parsed.options) {
    require_input(option.position_key == -1, "'{}': expected options, which begin with --; see --help",
                  option.value.empty() ? "" : option.value.front());
  }
  po::store(parsed, values);
}

}  // namespace

std::string unknown_option(const std::string& shown, const po::options_description& options) {
  const std::size_t dashes = shown.starts_with("--") ? 2 : 0;
  const std::string name = shown.substr(dashes, shown.find('=') - dashes);
  std::vector<std::string> names, completed;
  for (const auto& option : options.options()) {
    names.push_back(option->long_name());
    if (!name.empty() && names.back().starts_with(name)) completed.push_back(names.back());
  }
  const std::string meant = completed.size() == 1 ? completed.front() : nearest(name, names);
  if (meant.empty()) return fmt::format("unknown option '{}': see --help", shown);
  return fmt::format("unknown option '{}'; did you mean {}{}?", shown, shown.substr(0, dashes), meant);
}

po::typed_value<std::string>* text_option(const char* placeholder) {
  return po::value<std::string>()->value_name(placeholder);
}
po::typed_value<std::string>* text_option(const char* placeholder, const char* standard) {
  return text_option(placeholder)->default_value(standard);
}

void add_common_options(po::options_description& group) {
  group.add_options()("config", text_option("FILE"),
                      "read options from FILE, as lines of name = value; the command line takes precedence")(
      "help", po::bool_switch(), "print this")("version", po::bool_switch(), "print the version");
}

std::string OptionReader::path(const char* name) const {
  require_input(!has(name) || !string(name).empty(), "--{} '': expected the name of a file", name);
  return string(name);
}

std::optional<Mesh> OptionReader::mesh(const char* name) const {
  if (!has(name) || string(name) == "auto") return {};
  try {
    return Mesh::parse(string(name));
  } catch (const InputError& error) {
    throw InputError(fmt::format("--{}", error.what()));
  }
}

po::variables_map read_options(int argc, const char* const* argv, const po::options_description& options) {
  po::variables_map values;
  try {
    parse_command_line(argc, argv, options, values);
  } catch (const po::error& error) {
    throw InputError(explain(error, options));
  }
  if (values.count("config") != 0) po::store(read_config_file(OptionReader(values).path("config"), options), values);
  return values;
}

std::string version() { return "recombine " RECOMBINE_VERSION; }

}  // namespace recombine
