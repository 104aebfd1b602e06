#include "src/command_line.hpp"

#include <fstream>

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

void parse_config_file(const std::string& path, const po::options_description& options, po::variables_map& values) {
  std::ifstream file(path);
  require_input(file.good(), "--config {}: cannot read it; a file of name = value lines is right", path);
  try {
    po::store(po::parse_config_file(file, options), values);
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

po::variables_map read_options(int argc, const char* const* argv, const po::options_description& options) {
  po::variables_map values;
  try {
    parse_command_line(argc, argv, options, values);
  } catch (const po::error& error) {
    throw InputError(explain(error));
  }
  if (values.count("config") != 0) parse_config_file(values["config"].as<std::string>(), options, values);
  return values;
}

std::string version() { return "recombine " RECOMBINE_VERSION; }

}  // namespace recombine
