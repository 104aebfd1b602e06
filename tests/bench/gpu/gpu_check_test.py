#!/usr/bin/env python3
"""tests/gpu_check.sh with stub programs: limits, rows that survive the end of the run, refused options, and a pack.

usage: gpu_check_test.py REPOSITORY [BUILD]; with BUILD (with RECOMBINE_CUDA=ON, and the emulation) it makes a pack of
it, and runs from the pack.
"""
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "cli"))
import ncu_steps  # noqa: E402
from program import Checks, wait_for  # noqa: E402

# `kernels` prints a row and then hangs. So does its child, which also keeps the pipe open.
STUB = """#!/bin/sh
row() { echo "{\\"part\\": \\"$1\\", \\"name\\": \\"$2\\", \\"size\\": \\"8^3\\", \\"seconds\\": 1, \\"value\\": 3,
  \\"unit\\": \\"TFLOP/s\\", \\"ceiling\\": null, \\"share\\": null, \\"note\\": \\"\\"}" | tr -d '\\n'; echo; }
case $1 in
  device) echo '{"device": "a stub", "gpus": 1}' ;;
  kernels) row kernels first; echo $$ >hanging; sleep 600 & sleep 600 ;;
  products) row products 'library f32'; row products 'library bf16' ;;
  all_reduce) echo 'a_test.cpp:7: Failure'; echo 'found 1, expected 2'; seq 100; exit 1 ;;
esac
"""

MPIRUN = """#!/bin/sh
while [ "$1" != -np ]; do shift; done
shift 2
exec "$@"
"""


class Stub:
    """A build folder whose gpu_bench is a shell script, and an mpirun that starts one rank at once."""

    def __init__(self, checks, script, folder):
        self.checks, self.script, self.folder = checks, script, folder
        self.rows = folder / "rows.jsonl"
        for name, content in (("gpu_bench", STUB), ("mpirun", MPIRUN)):
            (folder / name).write_text(content)
            (folder / name).chmod(0o755)

    def start(self, *arguments):
        command = [self.script, "--build", self.folder, "--emulated", "--json", self.rows, *map(str, arguments)]
        return subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                env=os.environ | {"PATH": f"{self.folder}:{os.environ['PATH']}"})

    def run(self, *arguments):
        with self.start(*arguments) as job:
            output, errors = job.communicate(timeout=60)
        return job.returncode, output, errors

    def lines(self, kind):
        found = map(json.loads, self.rows.read_text().splitlines())
        return [line.get("name", line.get("part")) for line in found if line["kind"] == kind]

    def hangs(self):
        """True if the stub that printed a row and then hung is still running."""
        try:
            os.kill(int((self.folder / "hanging").read_text()), 0)
        except (FileNotFoundError, ProcessLookupError, ValueError):
            return False
        return True


def check_limit(stub, checks):
    code, output, errors = stub.run("--parts", "kernels,products,torch", "--part-seconds", 2)
    checks.expect(code == 1, f"a part at its limit: exit status {code}: {errors}")
    checks.expect(stub.lines("row") == ["first", "library f32", "library bf16"], f"rows of both parts: {output}")
    checks.expect(stub.lines("failure") == ["kernels"], f"the failure: {output}")
    checks.expect("FAILED: kernels: ended after" in output and "library bf16" in output, f"the table: {output}")
    checks.expect(stub.lines("not_run") == ["torch"], f"PyTorch on the emulation: {output}")
    checks.expect(not stub.hangs(), "the program that hung is still there")


def check_cause(stub, checks):
    code, output, errors = stub.run("--parts", "all_reduce-staged")
    checks.expect(code == 1, f"a failure: exit status {code}: {errors}")
    checks.expect("a_test.cpp:7: Failure\nfound 1, expected 2\n" in output and "\n71\n72\n" in output,
                  f"the cause of a failure, and the end of its output: {output}")


def check_whole(stub, checks):
    code, output, errors = stub.run("--parts", "kernels,products", "--seconds", 3)
    checks.expect(code == 0, f"--seconds: exit status {code}: {errors}")
    checks.expect(stub.lines("row") == ["first"], f"--seconds, rows: {output}")
    checks.expect(stub.lines("not_run") == ["kernels", "products"], f"--seconds, what was not run: {output}")


def check_cut_off(stub, checks):
    (stub.folder / "hanging").unlink(missing_ok=True)
    with stub.start("--parts", "kernels,products") as job:
        row_is_there = lambda: stub.hangs() and "first" in stub.lines("row")  # noqa: E731
        checks.expect(wait_for(row_is_there), "the stub did not print its row")
        job.send_signal(signal.SIGTERM)
        output, _ = job.communicate(timeout=60)
    checks.expect(job.returncode == 128 + signal.SIGTERM, f"SIGTERM: exit status {job.returncode}")
    checks.expect("first" in output and "not run: products" in output, f"SIGTERM, the table: {output}")
    checks.expect(wait_for(lambda: not stub.hangs(), 10), "SIGTERM: the program that hung is still there")


def check_table(stub, checks):
    row = {"kind": "row", "part": "torch", "name": "product f32", "size": "8^3", "value": 2, "unit": "TFLOP/s",
           "ceiling": None, "share": None, "note": ""}
    with stub.rows.open("a") as file:  # a killed run may leave half a line
        file.write(json.dumps(row) + "\n" + json.dumps(row | {"name": "library f32", "part": "products", "value": 3}) +
                   '\n{"kind": "ro')
    done = subprocess.run([stub.script, "--table", stub.rows], text=True, capture_output=True, check=False)
    last = [line.split() for line in done.stdout.splitlines() if line.startswith("product f32")]
    checks.expect(last == [["product", "f32", "8^3", "3", "2", "TFLOP/s", "1.50"]], f"--table: {done}")


def check_refusals(stub, checks):
    here = ["--emulated", "--build", stub.folder]
    for arguments, expected in ([[*here, "--parts", "kernels,nosuch"], "--parts 'nosuch': expected one of"],
                                [[*here, "--seconds", "0"], "--seconds: '0': expected a number"],
                                [[*here, "--part-seconds", "x"], "--part-seconds: 'x': expected a number"],
                                [[*here, "--json", "/nowhere/rows"], "--json /nowhere/rows"],
                                [["--nosuch"], "--nosuch"], [["--from", stub.folder], "--from"],
                                [["--from", stub.folder / "none.tar"], "none.tar: cannot be read; expected a pack"],
                                [["--from", stub.folder / "mpirun"], "is not a tar archive; expected a pack"],
                                [["--table", stub.folder / "none"], "No such file or directory; expected a file of"],
                                [["--table", stub.folder / "mpirun"], "mpirun: has no line of a run; expected a file"],
                                [[*here, "--pack", stub.folder / "x.zip"], "--pack"],
                                [[*here, "--pack", stub.folder / "x.tar"], "has no train; expected a whole build"],
                                [[*here, "--pack", "/nowhere/x.tar"], "--pack /nowhere/x.tar: cannot write there"],
                                [[*here, "--pack", stub.folder / "x.tar", "--quick"], "--quick: is not for --pack"]):
        done = subprocess.run([stub.script, *map(str, arguments)], text=True, capture_output=True, check=False,
                              env=os.environ | {"PATH": f"{stub.folder}:{os.environ['PATH']}"})
        checks.expect(done.returncode == 2 and expected in done.stderr, f"{arguments}: {done}")
        checks.expect(done.stderr.startswith("gpu_check: ") and done.stderr.count("\n") == 1,
                      f"{arguments}: expected one line: {done.stderr}")


def check_profile(checks):
    """Seven steps of: gather inputs, gather targets, a product, the optimizer; after products that measure the peak."""
    step = ["recombine::elements_kernel<recombine::<unnamed>::GatherItem<float, 4>>(long)"] * 2
    step += ["nvjet_tst", "nvjet_tst", "recombine::<unnamed>::optimizer_kernel<2>(T1)"]
    kernels = ["nvjet_hsh"] * 3 + step * 7
    lines = ['==PROF== Connected', '"ID","Kernel Name","gpu__time_duration.sum"', '"","","ns"']
    lines += [f'"{number}","{name}","{"3,000" if "nvjet" in name else "500"}"' for number, name in enumerate(kernels)]
    found = ncu_steps.mean_step("\n".join(lines))
    checks.expect(found.launches == 5, f"profile: {found}")
    checks.expect(abs(found.seconds - 7500e-9) < 1e-12 and abs(found.products_seconds - 6000e-9) < 1e-12, f"{found}")
    checks.expect(found.longest == "GatherItem 13.3%, optimizer_kernel 6.7%", f"profile: {found}")


def check_pack(script, build, folder, checks):
    pack = folder / "pack.tar"
    subprocess.run([script, "--build", build, "--pack", pack, "--emulated"], check=True)
    done = subprocess.run([script, "--from", pack, "--emulated", "--parts", "train-small,all_reduce-staged", "--json",
                           folder / "rows.jsonl"], text=True, capture_output=True, check=False)
    checks.expect(done.returncode == 0, f"--from: {done.stdout}{done.stderr}")
    for what in ("small bf16, 1 GPU", "staged, 2 ranks"):
        checks.expect(what in done.stdout, f"--from: no row for {what}: {done.stdout}")
    loaded = subprocess.run(["tar", "tf", pack], text=True, capture_output=True, check=True).stdout
    for name in ("lib/libmpi.so", "lib/libdnnl.so", "openmpi/bin/mpirun", "build/tests.json"):
        checks.expect(f"gpu_pack/{name}" in loaded, f"the pack has no {name}")
    tests = subprocess.run(["tar", "xOf", pack, "gpu_pack/build/tests.json"], text=True, capture_output=True,
                           check=True)
    checks.expect('"@PACK@/tests/cli/train_gpu_test.py", "@PACK@/build/train", "@PACK@"' in tests.stdout,
                  f"paths in the list of tests: {tests.stdout[:1000]}")
    checks.expect("/libc.so" not in loaded and "/libcuda.so" not in loaded, "the pack has glibc or the driver")


def main():
    script, checks = pathlib.Path(sys.argv[1]).resolve() / "tests/gpu_check.sh", Checks()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        if len(sys.argv) > 2:
            check_pack(script, pathlib.Path(sys.argv[2]), folder, checks)
        else:
            stub = Stub(checks, script, folder)
            for check in (check_refusals, check_limit, check_cause, check_whole, check_cut_off, check_table):
                check(stub, checks)
            check_profile(checks)
    checks.finish()


main()
