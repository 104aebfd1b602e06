"""Makes something happen at one point of a run of `train`: a signal, a failed call, or a stall.

The library of points.cpp is preloaded into the ranks. A plan is "POINT RANK COUNT DELAY ACTION NUMBER TARGET":
- POINT, at its COUNT-th time, in RANK (-1: any):
    product, evaluation   at the beginning of a product of matrices, in a step or in an evaluation
    snapshot              a rank has opened the unfinished file of a checkpoint, and has written nothing into it
    write                 half of one range is written into it
    reserve, fsync, fsynced, rename, renamed, latest, committed, delete   before or after these calls
- ACTION:
    signal   sends signal NUMBER to TARGET (self, other, all, mpirun), after DELAY us; if that is not 0, from another
             thread
    stall    the rank stands still for DELAY us; at the end it sends signal NUMBER (0: none) to TARGET
    error    from then on, the call fails with errno NUMBER
"""
import mmap
import os
import pathlib
import re
import struct
import subprocess

RANKS = 16
HEADER = ["fired", "rank", "products", "snapshot", "stalled", "waited"]
RANK = ["process", "products", "evaluated", "snapshot", "published"]
CLASSES = ["computing", "summing", "snapshot", "writing", "fsync to rename", "rename to latest", "evaluation"]


def plan(point, action, number=0, target="self", rank=-1, count=1, delay=0):
    return f"{point} {rank} {count} {delay} {action} {number:d} {target}"


def addresses(program):
    """The beginning and the size of the functions in which a rank trains a step or evaluates."""
    lines = subprocess.run(["nm", "-CS", program], stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
    found = {}
    for line in lines:
        match = re.fullmatch(r"([0-9a-f]{16}) ([0-9a-f]{16}) [tTW] recombine::Trainer::(step|sum_scores)\([^()]*\)",
                             line)
        if match:
            found[match[3]] = f"{match[1]} {match[2]}"
    assert len(found) == 2, f"{program} has no symbols of Trainer::step and Trainer::sum_scores: {found}"
    return found


class Points:
    """The page that the ranks of one job share with this process."""

    def __init__(self, library, program, folder):
        self.library, self.program = pathlib.Path(library).resolve(), pathlib.Path(program).resolve()
        self.found = addresses(self.program)
        self.path = pathlib.Path(folder) / "points.page"
        self.path.write_bytes(bytes(4096))
        with open(self.path, "r+b") as file:
            self.page = mmap.mmap(file.fileno(), 4096)

    def environment(self, checkpoints, what=None):
        """For the next job, whose checkpoints are in the folder `checkpoints`, as the job names it."""
        self.page[:] = bytes(4096)
        added = {"LD_PRELOAD": str(self.library), "POINTS_PAGE": str(self.path), "POINTS_PROGRAM": str(self.program),
                 "POINTS_STEP": self.found["step"], "POINTS_SCORES": self.found["sum_scores"],
                 "POINTS_FOLDER": str(checkpoints)}
        return {**added, "POINTS_PLAN": what} if what else added

    def __getattr__(self, name):
        if name not in HEADER:
            raise AttributeError(name)
        return struct.unpack_from("i", self.page, 4 * HEADER.index(name))[0]

    def of_rank(self, rank, name):
        return struct.unpack_from("i", self.page, 4 * (len(HEADER) + len(RANK) * rank + RANK.index(name)))[0]

    def processes(self):
        return [process for process in (self.of_rank(rank, "process") for rank in range(RANKS)) if process]

    def running(self):
        return [process for process in self.processes() if os.path.exists(f"/proc/{process}")]
