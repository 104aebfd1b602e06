#include "src/report/plot_script.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <vector>

#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernels/error.hpp"
#include "kernels/file_descriptor.hpp"

namespace recombine {

namespace {

namespace fs = std::filesystem;

/// What a child process left.
struct Finished {
  int failure = 0;  ///< errno of its start; 0: it ran
  bool succeeded = false;
  std::string output, errors;
};

/// A file in memory, instead of a pipe: the child can read or write all of it while nobody serves the other end.
class MemoryFile {
 public:
  MemoryFile() : file_(memfd_create("recombine", MFD_CLOEXEC)) {
    require(file_.is_open(), "memfd_create: {}", std::strerror(errno));
  }
  int get() const { return file_.get(); }

  void write(std::string_view bytes) {
    for (std::size_t done = 0; done < bytes.size();) {
      const ssize_t count = pwrite(get(), bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
      require(count > 0 || errno == EINTR, "memory for --plot: {}", std::strerror(errno));
      if (count > 0) done += static_cast<std::size_t>(count);
    }
  }
  std::string read() const {
    std::string bytes;
    char piece[4096];
    for (ssize_t count = 0; (count = pread(get(), piece, sizeof piece, static_cast<off_t>(bytes.size()))) > 0;)
      bytes.append(piece, static_cast<std::size_t>(count));
    return bytes;
  }

 private:
  FileDescriptor file_;
};

/// This process's variables, except those by which Open MPI and PMIx would take the child for a rank.
std::vector<char*> environment_of_child() {
  std::vector<char*> kept;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    if (!text.starts_with("OMPI_") && !text.starts_with("PMIX_")) kept.push_back(*entry);
  }
  kept.push_back(nullptr);
  return kept;
}

/// The attributes and file actions of a child: default signals, and no file but its three streams.
class SpawnPlan {
 public:
  SpawnPlan(const MemoryFile& input, const MemoryFile& output, const MemoryFile& errors) {
    posix_spawn_file_actions_init(&files_);
    posix_spawn_file_actions_adddup2(&files_, input.get(), STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&files_, output.get(), STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files_, errors.get(), STDERR_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&files_, STDERR_FILENO + 1);
    posix_spawnattr_init(&attributes_);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~SpawnPlan() {
    posix_spawn_file_actions_destroy(&files_);
    posix_spawnattr_destroy(&attributes_);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;

  const posix_spawn_file_actions_t* files() const { return &files_; }
  const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t files_;
  posix_spawnattr_t attributes_;
};

/// Runs a program of the PATH to its end, with `input` as its standard input.
Finished run(std::vector<std::string> words, std::string_view input) {
  MemoryFile in;
  const MemoryFile out, errors;
  in.write(input);
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const std::vector<char*> environment = environment_of_child();
  const SpawnPlan plan(in, out, errors);
  Finished finished;
  pid_t child = 0;
  finished.failure =
      posix_spawnp(&child, arguments.front(), plan.files(), plan.attributes(), arguments.data(), environment.data());
  if (finished.failure != 0) return finished;
  int status = 0;
  while (waitpid(child, &status, 0) < 0) require(errno == EINTR, "waitpid: {}", std::strerror(errno));
  finished.succeeded = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  finished.output = out.read();
  finished.errors = errors.read();
  return finished;
}

/// The last line of a Python error, which says what is wrong.
std::string last_line(std::string text) {
  text.erase(text.find_last_not_of(" \n") + 1);
  return text.substr(text.rfind('\n') + 1);
}

std::string find_script(const std::string& plot) {
  std::error_code ignored;
  const fs::path beside = fs::read_symlink("/proc/self/exe", ignored).parent_path().parent_path();
  for (const char* const folder : {"launch/experiment", "share/recombine"}) {
    const fs::path script = beside / folder / "batching_plot.py";
    if (fs::exists(script, ignored)) return script.string();
  }
  throw InputError(
      fmt::format("--plot {}: no script batching_plot.py in {}/launch/experiment or {}/share/recombine; "
                  "expected it there, or no --plot",
                  plot, beside.string(), beside.string()));
}

/// Whether a Python can draw: "", or what is wrong.
std::string problem_of(const std::string& python, const std::string& script) {
  const Finished check = run({python, script, "--check"}, "");
  if (check.failure != 0) return std::strerror(check.failure);
  return check.succeeded ? "" : last_line(check.errors);
}

}  // namespace

PlotScript::PlotScript(const std::string& plot) : plot_(plot), script_(find_script(plot)) {
  const std::string first = problem_of(python_, script_);
  if (first.empty()) return;
  python_ = "/usr/bin/python3";  // Debian's packages are for this one; python3 may be another
  require_input(problem_of(python_, script_).empty(),
                "--plot {}: python3: {}; expected Python 3 with matplotlib (Debian: python3-matplotlib), or no --plot",
                plot, first);
}

std::string PlotScript::draw(const std::string& curves) const {
  const Finished drawn = run({python_, script_, "-", "-"}, curves);
  if (drawn.failure == 0 && drawn.succeeded && !drawn.output.empty()) return drawn.output;
  throw Error(fmt::format("--plot {}: {} failed: {}", plot_, script_,
                          drawn.failure != 0 ? std::strerror(drawn.failure) : last_line(drawn.errors)));
}

}  // namespace recombine
