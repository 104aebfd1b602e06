"""A control group for one test, of version 1 or 2, as this machine has it. Programs that `script` starts run in it."""
import os
import pathlib
import time

from program import Skip

ROOT = pathlib.Path("/sys/fs/cgroup")


class Cgroup:
    """with Cgroup(folder, memory=400 << 20) as group: run(group.script, 2, train, ...) runs the ranks in the group.
    Raises Skip if no group can be made here. `memory` is in bytes, `cpus` in cores."""

    def __init__(self, folder, memory=None, cpus=None):
        self.script = folder / "in_group.sh"
        controller = "memory" if memory else "cpu"
        period = 100_000
        if (ROOT / "cgroup.controllers").exists():
            top, limits = ROOT, {"memory.max": memory, "cpu.max": cpus and f"{int(cpus * period)} {period}"}
        else:
            top, limits = ROOT / controller, {"memory.limit_in_bytes": memory,
                                              "cpu.cfs_quota_us": cpus and int(cpus * period)}
        self.group = top / f"recombine-test-{os.getpid()}"
        self.controller, self.limits = controller, {name: value for name, value in limits.items() if value}

    def __enter__(self):
        try:
            if self.group.parent == ROOT:
                (ROOT / "cgroup.subtree_control").write_text(f"+{self.controller}")
            self.group.mkdir()
            for name, value in self.limits.items():
                (self.group / name).write_text(str(value))
        except OSError as error:
            self.__exit__()
            raise Skip(f"no control group can be made here: {error}") from error
        self.script.write_text(f'#!/bin/bash\necho $$ >{self.group}/cgroup.procs && exec "$@"\n')
        self.script.chmod(0o755)
        return self

    def __exit__(self, *_):
        self.script.unlink(missing_ok=True)
        for _ in range(500):
            try:
                self.group.rmdir()
                return
            except FileNotFoundError:
                return
            except OSError:  # busy: its last process has not ended yet
                time.sleep(0.01)
