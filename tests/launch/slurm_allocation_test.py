"""train.sbatch with a stand-in for train: ranks, threads and cores fit the allocation, exit codes reach Slurm, a
cancelled job is not requeued, and bad settings end with one line and code 2. The same outside of Slurm, also for
scaling.sbatch.

usage: slurm_allocation_test.py REPOSITORY; exit code 77 (skipped) if Slurm or hosts of namespaces cannot run here.
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

from slurm import Slurm  # first: it finds the modules of tests/cli

from program import Checks, run_test, wait_for
from slurm_scripts import LAUNCHERS, Scripts

STAND_IN = """#!/usr/bin/env bash
case ${@: -1} in
  place) echo "rank ${OMPI_COMM_WORLD_RANK:-$SLURM_PROCID} on $(hostname) cores $(taskset -pc $$ | sed 's/.* //')," \\
    "threads $OMP_NUM_THREADS" ;;
  wait) echo started; exec sleep 600 ;;                                         # USR1 ends it
  stop) trap 'exit 75' TERM; echo started; while :; do sleep 0.1; done ;;       # like train with --checkpoint
  *) exit "${@: -1}" ;;
esac
"""
PLACE = re.compile(r"rank (\d+) on (\S+) cores (\S+), threads (\d+)")
# name: options of sbatch, variables, ranks per node, threads per rank, whether each rank has its own cores
PLACES = {
    "gpu": ([], {}, 2, 1, True),
    "socket": ([], {"RANK_PER": "socket"}, 1, 2, True),
    "core": ([], {"RANK_PER": "core"}, 2, 1, True),
    "task": (["--ntasks-per-node=2", "--cpus-per-task=1"], {"RANK_PER": "task"}, 2, 1, True),
    "more than cores": (["--ntasks=6", "--overcommit"], {"RANK_PER": "task"}, 3, 1, False),
    "free": ([], {"RANK_PER": "core", "BIND": "none"}, 2, 1, False),
}
# name: options of sbatch, variables, text of the line
BAD = {
    "tree": ([], {"RECOMBINE": "/none"}, "/none/build/train: no such program; submit from the checkout, or"),
    "launcher": ([], {"LAUNCH": "x"}, "LAUNCH=x BIND=none: expected LAUNCH=mpirun or srun"),
    "rank": ([], {"RANK_PER": "x"}, "RANK_PER=x: expected auto, gpu"),
    "gpu": (["--ntasks=1", "--exclusive=user"], {"RANK_PER": "gpu"}, "RANK_PER=gpu: the job has no GPUs; expected"),
    "uneven": (["--nodes=2", "--ntasks=3"], {"RANK_PER": "task"}, "the nodes have 2,1 tasks; expected the same number"),
}

TASKS = {"SLURM_SUBMIT_DIR": ".", "SLURMD_NODENAME": "n0", "SLURM_JOB_ID": "7", "SLURM_JOB_NUM_NODES": "4",
         "SLURM_CPUS_ON_NODE": "4", "SLURM_JOB_CPUS_PER_NODE": "4(x4)", "RANK_PER": "task"}
ARRAY = {"SLURM_SUBMIT_DIR": ".", "SLURM_ARRAY_JOB_ID": "7", "SLURM_ARRAY_TASK_ID": "0", "SLURM_ARRAY_TASK_MIN": "0"}
SIZES = 'expected different whole numbers >= 1, such as NP="1 2 4"'
# name of the script, arguments, variables, text of the line
BAD_OUTSIDE = [
    ("train", [], {}, "not started by Slurm; submit it with sbatch"),
    ("train", [], {**TASKS, "SLURM_TASKS_PER_NODE": "2(x3),1"}, "the nodes have 2(x3),1 tasks; expected the same"),
    ("train", [], TASKS, "RANK_PER=task: SLURM_TASKS_PER_NODE is not set; expected --ntasks"),
    ("scaling", ["train"], {}, "not started by Slurm as an array; submit it with sbatch"),
    ("scaling", [], ARRAY, "no program; expected train or matmul"),
    ("scaling", ["report"], ARRAY, "'report': expected train or matmul"),
    ("scaling", ["train", "--np", "2"], ARRAY, "--np: this script sets --np; expected the numbers of ranks in"),
    ("scaling", ["matmul", "--np=2"], ARRAY, "--np=2: this script sets --np; expected the numbers of ranks in"),
    ("scaling", ["train", "--out", "x"], ARRAY, "--out: this script sets --out; expected the folder in"),
    *(("scaling", ["train"], {**ARRAY, "NP": np}, f"NP='{np}': {SIZES}") for np in ["1;2", "1,,2", "0", "1 *", "2 2"]),
    ("scaling", ["train"], {**ARRAY, "NP": "1, 2,4 8", "SLURM_ARRAY_TASK_ID": "4"}, "task 4, but NP has 4 numbers"),
]


def check_places(scripts, launcher, checks, bind):
    """On two nodes with two cores and two GPUs each: where the ranks are, and how many threads and cores they have."""
    jobs = {}
    for name, (options, settings, *_) in PLACES.items():
        jobs[name] = scripts.submit(f"{launcher} {name}", "train.sbatch", ["place"], ["--nodes=2", *options],
                                    **{"BIND": "core" if bind else "none", "LAUNCH": launcher, **settings})
    for name, (_, _, ranks, threads, own_cores) in PLACES.items():
        scripts.expect_end(f"{launcher} {name}", jobs[name])
        log = scripts.log(f"{launcher} {name}")
        found = sorted((int(rank), host, int(count), cores) for rank, host, cores, count in PLACE.findall(log))
        expected = [(rank, f"h{rank // ranks}", threads) for rank in range(2 * ranks)]
        checks.expect([place[:3] for place in found] == expected, f"{launcher} {name}: {found}, not {expected}: {log}")
        sets = len({cores for _, host, _, cores in found if host == "h0"})
        checks.expect(sets == (ranks if own_cores and bind else 1), f"{launcher} {name}: cores of ranks: {found}")


def check_bad_settings(scripts, checks):
    jobs = {name: scripts.submit(f"bad {name}", "train.sbatch", ["place"], options, **settings)
            for name, (options, settings, _) in BAD.items()}
    for name, (_, _, expected) in BAD.items():
        scripts.expect_end(f"bad {name}", jobs[name], "FAILED", 2)
        lines = scripts.log(f"bad {name}").splitlines()
        checks.expect(len(lines) == 1 and f"train.sbatch: {expected}" in lines[0], f"bad {name}: {lines}")


def check_outside(scripts, checks):
    """Faults that Slurm cannot make here. No report may be submitted before they are found."""
    tools = scripts.folder / "tools"
    tools.mkdir()
    for name, text in {"scontrol": "echo n0 CPUTot=4 CoresPerSocket=4 Sockets=1 ", "sbatch": "echo submitted"}.items():
        (tools / name).write_text(f"#!/bin/sh\n{text}\n")
        (tools / name).chmod(0o755)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SLURM")}
    clean.update(PATH=f"{tools}:{os.environ['PATH']}", RECOMBINE=str(scripts.tree))
    for script, arguments, settings, expected in BAD_OUTSIDE:
        done = subprocess.run(["bash", scripts.scripts / f"{script}.sbatch", *arguments], env={**clean, **settings},
                              cwd=scripts.folder, capture_output=True, text=True, timeout=60)
        lines = (done.stdout + done.stderr).splitlines()
        checks.expect(done.returncode == 2 and len(lines) == 1 and f"{script}.sbatch: {expected}" in lines[0],
                      f"{script} {arguments} {settings}: {done.returncode}: {lines}")


def check_quoting(scripts, checks):
    """The script of the report gets paths with an apostrophe and a space as one word each."""
    tree, out = scripts.folder / "it's a tree", scripts.folder / "it's out"
    (tree / "launch").mkdir(parents=True)
    (out / "np1").mkdir(parents=True)
    (out / "np1/results.jsonl").touch()
    (tree / "launch/scaling").write_text("#!/bin/sh\nprintf '<%s>' \"$@\"\n")
    (tree / "launch/scaling").chmod(0o755)
    (scripts.folder / "tools/sbatch").write_text("#!/bin/sh\nexec bash\n")
    settings = {**ARRAY, "SLURM_JOB_PARTITION": "main", "SLURM_JOB_NUM_NODES": "1", "SLURM_CPUS_ON_NODE": "4"}
    done = subprocess.run(["bash", scripts.scripts / "scaling.sbatch", "train"], capture_output=True, text=True,
                          env={**os.environ, **settings, "PATH": f"{scripts.folder}/tools:{os.environ['PATH']}",
                               "RECOMBINE": str(tree), "OUT": str(out), "NP": "1,2"})
    checks.expect(done.stdout.startswith(f"<report><{out}/np1/results.jsonl><--out><{out}><train><--np><1>"),
                  f"report: {done.stdout}{done.stderr}")


def check_codes(scripts, launcher):
    """Exit codes reach Slurm. 75 means: requeue."""
    for code in [1, 2, 75]:
        name = f"{launcher} code {code}"
        job = scripts.submit(name, "train.sbatch", [code], ["--ntasks=2"], LAUNCH=launcher)
        if code == 75:
            scripts.expect_requeued(name, job, 1)
            scripts.slurm.call("scancel", job)
        else:
            scripts.expect_end(name, job, "FAILED", code)


def check_signals(scripts, launcher):
    """A cancelled job is not requeued, even if its ranks end with 75. If USR1 ends the ranks, the job is requeued."""
    def start(what):
        name = f"{launcher} {what}"
        job = scripts.submit(name, "train.sbatch", [what], ["--ntasks=2"], LAUNCH=launcher)
        wait_for(lambda: "started" in scripts.log(name))
        return name, job

    name, job = start("stop")
    scripts.slurm.call("scancel", job)
    wait_for(lambda: scripts.slurm.job(job)["JobState"] not in ["RUNNING", "COMPLETING"])
    shown = scripts.slurm.job(job)
    scripts.checks.expect((shown["JobState"], shown["Restarts"]) == ("CANCELLED", "0"),
                          f"{name}: {shown} after scancel: {scripts.log(name)}")
    name, job = start("wait")
    scripts.slurm.call("scancel", "--signal=USR1", "--batch", job)
    scripts.expect_requeued(name, job, 1)
    scripts.slurm.call("scancel", job)


def main():
    repository = pathlib.Path(sys.argv[1]).resolve()
    checks, bind = Checks(), len(os.sched_getaffinity(0)) > 1
    with tempfile.TemporaryDirectory() as folder, Slurm(nodes=2, cpus=2, gpus=2, bind=bind) as slurm:
        programs = pathlib.Path(folder) / "programs"
        programs.mkdir()
        (programs / "train").write_text(STAND_IN)
        (programs / "train").chmod(0o755)
        scripts = Scripts(slurm, repository, programs, folder, checks)
        check_bad_settings(scripts, checks)
        check_outside(scripts, checks)
        check_quoting(scripts, checks)
        for launcher in LAUNCHERS:
            check_places(scripts, launcher, checks, bind)
            check_codes(scripts, launcher)
            check_signals(scripts, launcher)
    checks.finish()


run_test(main)
