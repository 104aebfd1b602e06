"""A container's /dev/shm has 64 MB: larger data train there, and as in a large one.

usage: small_shm_test.py TRAIN; exit code 77 (skipped) if this machine allows no mounts.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

from mounts import NAMESPACE, require_mount
from program import SETTINGS, Checks, run_test

MOUNT = "mount -t tmpfs -o size=64m none /dev/shm"
DATA = "synthetic:100000,256,2"  # 102 MB
JOB = ["--data", DATA, "--hidden", "16", "--batch-size", "5000", "--steps", "10", "--quiet", "--summary"]


def run(train, folder, name, *before):
    script = " && ".join([*before, 'exec mpirun --oversubscribe --bind-to none -np 2 "$@"'])
    done = subprocess.run([*NAMESPACE, "bash", "-c", script, "bash", str(train), *JOB, name], cwd=folder,
                          env={**os.environ, **SETTINGS}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=300)
    path = pathlib.Path(folder) / name
    return done, json.loads(path.read_text()) if path.exists() else {}


def main():
    require_mount("bash", "-c", MOUNT)
    train = pathlib.Path(sys.argv[1]).resolve()
    checks = Checks()
    with tempfile.TemporaryDirectory() as folder:
        done, small = run(train, folder, "small.json", MOUNT)
        checks.expect(done.returncode == 0, f"a /dev/shm of 64 MB: exit {done.returncode}: {done.stderr}")
        done, large = run(train, folder, "large.json")
        checks.expect(done.returncode == 0, f"exit {done.returncode}: {done.stderr}")
        for key in ["train_loss", "weights_sha256"]:
            checks.expect(small.get(key) == large.get(key) is not None, f"{key}: {small.get(key)}, {large.get(key)}")
    checks.finish()


run_test(main)
