"""Compares the hosts' answers. Every function yields pairs (host, what is wrong and what to do)."""
import collections
import os
import time

from units import bytes_text

CLOCK_LIMIT = 5               # s
SEGMENT = 4 << 20             # bytes in /dev/shm that Open MPI takes for each rank of a host (btl vader)
SESSION = 16 << 20            # bytes for Open MPI in the folder of temporary files; without them no program starts
NCCL_SHARE = 1 << 30          # bytes of /dev/shm that NVIDIA recommends for containers
BYTES_PER_PARAMETER = 12      # of a checkpoint: a weight and its two moments, in f32
REMEDIES = {"work": "run mpirun in a folder that each host has, or give -wdir", "tmp": "set TMPDIR on that host",
            "checkpoint": "choose another --checkpoint"}


def usual(values):
    """The most frequent value; of equally frequent ones the first. Empty if there are none."""
    counts = collections.Counter(value for value in values if value)
    return counts.most_common(1)[0][0] if counts else ""


def connection(answers, agent):
    for answer in answers:
        if not answer.reached:
            yield answer.host, (f"cannot be reached: {answer.problem}; expected that `{agent} {answer.host} true` "
                                "works without a password")
        elif answer.problem:
            yield answer.host, f"stopped answering: {answer.problem}; try a larger --timeout"


def program(here, answers, path):
    """The program must be this machine's file, or that of most hosts if this machine has none."""
    expected = here["program"] or usual(answer["program"] for answer in answers)
    model = next((answer for answer in [here, *answers] if answer["program"] == expected), here)
    holder = "this machine" if model is here else model.host
    for answer in answers:
        if answer["program_is"] == "missing":
            yield answer.host, f"{path} is missing; copy it to this path, or build in a folder that all hosts share"
        elif answer["program_is"] == "unusable":
            yield answer.host, f"{path} cannot be read and executed; expected a program (chmod 755)"
        elif answer["program"] and answer["program"] != expected:
            order = "is older than" if float(answer["program_time"]) < float(model["program_time"]) else "differs from"
            yield answer.host, (f"{path} {order} that of {holder}: {version_of(answer)}; expected "
                                f"{version_of(model)}; copy it again")
        if "version_error" in answer.facts and can_start_mpi(answer):
            yield answer.host, (f"{path} --version fails: {answer['version_error']}; expected that it starts; "
                                "pass the folder of a missing library by -x LD_LIBRARY_PATH (also to mpirun)")


def can_start_mpi(answer):
    """If it cannot, no program starts, and versions() or disk() reports the reason."""
    return "no_daemon" not in answer.facts and ("tmp" not in answer.space or answer.space["tmp"][0] >= SESSION)


def version_of(answer):
    changed = time.strftime("%Y-%m-%d %H:%M", time.localtime(float(answer["program_time"])))
    return f"sha256 {answer['program'][:8]}, {answer['version'] or 'no version'}, {changed}"


def versions(here, answers):
    """Open MPI must be the version of this machine's mpirun, and glibc that of most hosts."""
    expected = {"open_mpi": here["open_mpi"] or usual(answer["open_mpi"] for answer in answers),
                "glibc": usual(answer["glibc"] for answer in answers)}
    names = {"open_mpi": "Open MPI", "glibc": "glibc"}
    for answer in answers:
        if "no_daemon" in answer.facts:
            yield answer.host, ("Open MPI's orted is not in the PATH of a command over ssh; set PATH in ~/.bashrc, or "
                                "pass --prefix DIR (also to mpirun)")
        for key, name in names.items():
            if answer[key] and answer[key] != expected[key]:
                yield answer.host, f"{name} is {answer[key]}; expected {expected[key]}; install that version"


def data(here, answers, given):
    """All hosts must have the files of this machine, or of most hosts, with the same content."""
    everyone = [here, *answers]
    paths = list(dict.fromkeys(path for answer in everyone for path in answer.data))
    for path in given:
        if not any(found == path or found.startswith(path.rstrip("/") + "/") for found in paths):
            paths.append(path)
    for path in paths:
        expected = here.data.get(path) or usual(answer.data.get(path) for answer in answers)
        holder = next((a.host for a in answers if a.data.get(path) == expected), "this machine")
        holder = "this machine" if here.data.get(path) else holder
        for answer in answers:
            found = answer.data.get(path)
            if answer.reached and not answer.problem and not found:
                remedy = f"copy it from {holder}" if expected else "expected the data at the same path on each host"
                yield answer.host, f"{path} is missing; {remedy}"
            elif found and found[2] == "unreadable":
                yield answer.host, f"{path} cannot be read; expected permission for this user"
            elif found and found != expected:
                yield answer.host, (f"{path} differs from that of {holder}: {found[0]} bytes, sha256 {found[2][:8]}; "
                                    f"expected {expected[0]} bytes, sha256 {expected[2][:8]}; copy it again")


def disk(answers, options):
    checkpoint = BYTES_PER_PARAMETER * options.parameters
    needs = {"work": (100 << 20, "output files"), "tmp": (SESSION, "the files of Open MPI's session"),
             "checkpoint": (checkpoint * (options.keep + 1), f"{options.keep} checkpoints and an unfinished one, each "
                            f"with {BYTES_PER_PARAMETER} bytes for each of {options.parameters} parameters")}
    for answer in answers:
        for name, (need, why) in needs.items():
            if name not in answer.space:
                continue
            free, there, access, sign, path = answer.space[name]
            if there == "missing" or there == "new" and name != "checkpoint":
                yield answer.host, f"the folder {path} is missing; {REMEDIES[name]}"
            elif access != "writable":
                yield answer.host, f"the folder {path} cannot be written; {REMEDIES[name]}"
            elif free < need:
                yield answer.host, (f"the folder {path} has {bytes_text(free)} free; expected {bytes_text(need)} for "
                                    f"{why}; remove files, or {REMEDIES[name]}")
            if there != "missing" and sign != "shared":
                yield answer.host, (f"the folder {path} is not shared with this machine; expected a folder that all "
                                    "hosts share: each rank writes a part of a checkpoint")


def shared_memory(answers, slots, options):
    """/dev/shm holds Open MPI's segments."""
    for answer in answers:
        ranks = slots.get(answer.host, 0)
        need, why = ranks * SEGMENT, f"4 MiB for each of {ranks} ranks"
        if options.device == "cuda":
            need, why = need + NCCL_SHARE, why + f", and {bytes_text(NCCL_SHARE)} for NCCL"
        free = answer.space["shm"][0] if "shm" in answer.space else need
        if free < need:
            yield answer.host, (f"/dev/shm has {bytes_text(free)} free; expected {bytes_text(need)}: {why}; remove "
                                "files in it, or mount it larger (containers: --shm-size)")


def resources(answers, slots, options):
    gpus = {a.host: int(a["gpus"] or 0) for a in answers if a.reached}
    most = max(gpus.values(), default=0)
    for answer in answers:
        cores, ranks = int(answer["cores"] or 0), slots.get(answer.host, 0)
        if not answer.reached:
            continue
        if cores and ranks > cores:
            yield answer.host, f"slots in the hostfile: {ranks}, cores: {cores}; expected slots={cores} or fewer"
        if options.device == "cuda" and gpus[answer.host] == 0:
            yield answer.host, "nvidia-smi lists no GPU; expected a GPU and its driver for --device cuda"
        elif options.device == "cuda" and ranks > gpus[answer.host]:
            yield answer.host, (f"slots in the hostfile: {ranks}, GPUs: {gpus[answer.host]}; expected "
                                f"slots={gpus[answer.host]}: one rank per GPU")
        elif options.device == "auto" and gpus[answer.host] == 0 < most:
            yield answer.host, "nvidia-smi lists no GPU, but on other hosts it does; expected GPUs on all hosts or none"
        if abs(answer.clock_error) > CLOCK_LIMIT:
            yield answer.host, (f"its clock differs from this machine's by {answer.clock_error:+.0f} s; expected at "
                                f"most {CLOCK_LIMIT} s; start an NTP service such as chrony")


def find_all(here, answers, slots, options):
    checks = [connection(answers, os.path.basename(options.agent[0])), program(here, answers, options.program),
              versions(here, answers), data(here, answers, options.data), disk(answers, options),
              shared_memory(answers, slots, options), resources(answers, slots, options)]
    return [found for check in checks for found in check]
