"""launch/hosts/check passes on healthy hosts, and finds each planted fault on its host. Training by mpirun over the
hostfile gives the weights of one host.

usage: hosts_test.py TRAIN REPOSITORY; exit code 77 (skipped) if hosts of namespaces cannot be made.
"""
import contextlib
import os
import pathlib
import shlex
import shutil
import signal
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "cli"))
from four_hosts import FourHosts
from hosts import Hosts
from program import Checks, run_test, wait_for

SILENT = """#!/bin/sh
# An agent to which h3 never answers.
[ "$1" != h3 ] || exec sleep 98765
exec {agent} "$@"
"""


def executable(path, text):
    path.write_text(text)
    path.chmod(0o755)
    return path


def check_files(four):
    older = four.folder / "older"
    older.write_bytes(four.program.read_bytes() + b"older")
    older.chmod(0o755)
    os.utime(older, (0, 1.6e9))
    with four.mounted("h1", "--bind", older, four.program):
        four.expect_fault("an older program", "h1",
                          [f"{four.program} is older than that of this machine: ", "; expected sha256 ", "copy it"])
    wrong = executable(four.folder / "wrong", "#!/bin/sh\necho 'libdnnl.so.2: cannot open' >&2\nexit 127\n")
    with four.mounted("h0", "--bind", wrong, four.program):
        four.expect_fault("a missing library", "h0", ["--version fails: libdnnl.so.2: cannot open", "LD_LIBRARY_PATH"])
    changed = four.folder / "changed.csv"
    changed.write_text(four.data.read_text().replace("999,1998", "999,1997"))
    with four.mounted("h3", "--bind", changed, four.data):
        four.expect_fault("other data", "h3",
                          [f"{four.data} differs from that of this machine: ", "; expected ", "copy it again"])
    data, part = four.folder / "data", four.folder / "part"
    for folder, names in [(data, ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"]),
                          (part, ["train-images-idx3-ubyte"])]:
        folder.mkdir()
        for name in names:
            (folder / name).write_text(name)
    with four.mounted("h2", "--bind", part, data):
        four.expect_fault("a missing file", "h2", [f"{data}/train-labels-idx1-ubyte is missing", "copy it from"],
                          "--data", data)


def check_versions(four):
    """Programs of h2 whose output differs from that on the other hosts."""
    fakes = four.folder / "fakes"
    fakes.mkdir()
    agent = executable(four.folder / "agent", f"""#!/bin/sh
[ "$1" != h2 ] || export PATH={fakes}:$PATH
exec {four.hosts.folder / 'agent'} "$@"
""")
    environment = {"OMPI_MCA_plm_rsh_agent": str(agent)}
    for name, body, texts in [("mpirun", "echo 'mpirun (Open MPI) 5.0.1'", ["Open MPI is 5.0.1; expected "]),
                              ("getconf", "echo glibc 2.17", ["glibc is 2.17; expected "]),
                              ("date", "exec /bin/date -d '+100 seconds' \"$@\"", ["clock differs", "by +100 s"])]:
        fake = executable(fakes / name, f"#!/bin/sh\n{body}\n")
        four.expect_fault(f"another {name}", "h2", texts, environment=environment)
        fake.unlink()
    executable(fakes / "nvidia-smi", "#!/bin/sh\necho 'GPU 0: NVIDIA H100'\n")
    done = four.run(*four.words, "--device", "cuda", environment=environment)
    texts = ["\nh0, h1, h3: nvidia-smi lists no GPU; expected ", "\nh2: slots in the hostfile: 2, GPUs: 1; expected "]
    four.checks.expect(done.returncode == 1 and all(text in done.stdout for text in texts), f"GPUs: {done.stdout}")


def check_environment(four):
    """A program that needs a variable, and Open MPI in another folder."""
    needs = executable(four.folder / "needs", "#!/bin/sh\necho ${NEEDED?libx.so is missing}\n")
    words = [*four.words, "--program", needs]
    for more, code in [([], 1), (["-x", "NEEDED=1.0"], 0)]:
        done = four.run(*words, *more)
        four.checks.expect(done.returncode == code and ("libx.so is missing" in done.stdout) == bool(code),
                           f"{more}: {done.stdout}{done.stderr}")
    spaced, prefix = four.folder / "it's hosts.txt", pathlib.Path(shutil.which("mpirun")).resolve().parent.parent
    shutil.copy(four.hostfile, spaced)
    done = four.run(spaced, *words[1:], "-x", "NEEDED=1 2", "--prefix", prefix)
    expected = ["mpirun", "--hostfile", spaced, "-np", 8, "--prefix", prefix, "-x", "NEEDED=1 2", needs]
    four.checks.expect(done.stdout.endswith(f"for example: {shlex.join(map(str, expected))}\n"),
                       f"the suggested command: {done.stdout}{done.stderr}")
    nothing = four.folder / "nothing"
    nothing.write_text("")
    elsewhere = four.folder / "elsewhere/bin"
    elsewhere.mkdir(parents=True)
    for name in ["orted", "mpirun"]:
        shutil.copy2(shutil.which(name), elsewhere / name)
    with four.mounted("h1", "--bind", nothing, pathlib.Path(shutil.which("orted")).resolve()):
        four.expect_fault("no orted", "h1", ["orted is not in the PATH of a command over ssh", "--prefix DIR"])
        done = four.run(*four.words, "--prefix", elsewhere.parent)
        four.checks.expect("orted" not in done.stdout, f"--prefix: {done.stdout}{done.stderr}")


def check_space(four):
    with four.mounted("h2", "-t", "tmpfs", "-o", "size=1m", "tmpfs", four.work):
        four.hosts.run_on("h2", "sh", "-c", f"head -c 1M /dev/zero > {four.work}/full || true")
        four.expect_fault("a full disk", "h2", [f"{four.work} has 0 B free; expected 85.3 MiB", "checkpoints"])
    with four.mounted("h0", "-t", "tmpfs", "tmpfs", four.work):
        four.expect_fault("a folder that is not shared", "h0",
                          [f"{four.work} is not shared with this machine", "; expected "])
    four.hosts.run_on("h1", "mount", "-o", "remount,size=4m", "/dev/shm")
    four.hosts.run_on("h1", "sh", "-c", "head -c 4M /dev/zero > /dev/shm/full || true")
    four.expect_fault("a full /dev/shm", "h1", ["/dev/shm has 0 B free", "4 MiB for each of 2 ranks", "--shm-size"])
    four.hosts.run_on("h1", "rm", "/dev/shm/full")
    four.hosts.run_on("h1", "mount", "-o", "remount,size=1g", "/dev/shm")
    many = four.folder / "many.txt"
    many.write_text("h0 slots=1\nh1 slots=4096\n")
    done = four.run(many, *four.words[1:])
    four.checks.expect(done.returncode == 1 and "\nh1: slots in the hostfile: 4096, cores: " in done.stdout
                       and "h0: " not in done.stdout, f"slots: {done.stdout}{done.stderr}")


def waiting():
    """Processes of SILENT that wait for h3."""
    found = []
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (process / "cmdline").read_bytes() == b"sleep\00098765\0":
                found.append(process.name)
    return found


def check_unreachable(four):
    agent = executable(four.folder / "silent", SILENT.format(agent=four.hosts.folder / "agent"))
    environment = {"OMPI_MCA_plm_rsh_agent": str(agent)}
    four.expect_fault("a silent host", "h3", ["cannot be reached: no answer within 10 s", "silent h3 true"],
                      "--timeout", 10, environment=environment)
    four.checks.expect(not waiting(), "the agent of the silent host still runs")
    for number in [signal.SIGINT, signal.SIGTERM]:
        with four.hosts.start(four.check, *four.words, "--timeout", 100, cwd=four.folder,
                              environment=environment) as check:
            wait_for(waiting)
            check.send_signal(number)
            _, stderr = check.communicate(timeout=60)
        four.checks.expect(check.returncode == 130 and stderr == "launch/hosts/check: stopped\n", f"{number}: {stderr}")
        four.checks.expect(not waiting() and not list(four.work.iterdir()), f"{number!r}: something is left")
    four.hosts.power_off("h3")
    four.expect_fault("a host that is off", "h3", ["cannot be reached: ", "agent h3 true"])
    (four.folder / "off.txt").write_text("h0 slots=2\nh3\n")
    rows = [line.split() for line in four.run("off.txt", *four.words[1:]).stdout.splitlines()]
    four.checks.expect(["h3", "no", *["-"] * 11] in rows, f"h3 without slots: {rows}")


def check_bad_input(four):
    def file(text):
        (four.folder / "bad.txt").write_text(text)
        return ["bad.txt"]

    good = four.words
    number = "expected a whole number >= 1"
    for words, text in [(["none.txt"], "none.txt: No such file"), ([four.folder], "Is a directory"), ([], "hostfile"),
                        (lambda: file("# none\n\n"), "bad.txt: names no host"),
                        ([*good, "--color"], "unknown: --color"),
                        (lambda: file("h0 slots=0\n"), f"bad.txt:1: slots=0: {number}"),
                        (lambda: file("h0\nh1 slots = two\n"), f"bad.txt:2: slots=two: {number}"),
                        (lambda: file("h0 slots=-1\n"), f"slots=-1: {number}"),
                        (lambda: file("h0 4\n"), "bad.txt:1: '4': expected slots=N"),
                        (lambda: file("h0 slot=4\n"), "bad.txt:1: 'slot=4': expected slots=N"),
                        (lambda: file("\x1b[31mh0\n"), r"bad.txt:1: '\x1b[31mh0': expected the name of a host"),
                        (lambda: file("-oProxyCommand=x\n"), "'-oProxyCommand=x': expected the name of a host"),
                        ([*good, "--timeout", "0"], f"--timeout '0': {number}"),
                        ([*good, "--prog", "x"], "unknown: --prog"),
                        ([*good, "--keep", "x"], f"--keep 'x': {number}"), ([*good, "--data", ""], "--data ''"),
                        ([*good, "--device", "gpu"], "--device 'gpu': expected auto"),
                        ([*good, "-x", "NOT_SET"], "-x 'NOT_SET': not set; expected"),
                        ([*good, "-x", "A B"], "-x 'A B'")]:
        done = four.run(*(words() if callable(words) else words))
        four.checks.expect(done.returncode == 2 and not done.stdout and len(done.stderr.splitlines()) == 1
                           and done.stderr.startswith("launch/hosts/check: ") and text in done.stderr,
                           f"{text}: {done.returncode}: {done.stdout}{done.stderr}")
    done = four.run(*good, environment={"OMPI_MCA_plm_rsh_agent": "no-such-agent"})
    four.checks.expect(done.returncode == 2 and "'no-such-agent' is not installed" in done.stderr, done.stderr)


def main():
    checks = Checks()
    train, repository = (pathlib.Path(path).resolve() for path in sys.argv[1:3])
    with tempfile.TemporaryDirectory() as folder, Hosts(4) as hosts:
        four = FourHosts(hosts, pathlib.Path(folder), train, repository, checks)
        four.expect_healthy()
        four.expect_same_training()
        for check in [check_files, check_versions, check_environment, check_space, check_bad_input, check_unreachable]:
            check(four)
    checks.finish()


run_test(main)
