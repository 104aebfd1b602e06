#!/usr/bin/env python3
"""Builds small CUDA programs and runs them on the CPU, without and with sanitizers. Instructions must give the host's
results. Each planted fault must be reported."""
import argparse
import os
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "ptx"))
import module as ptx_module  # noqa: E402
import translate  # noqa: E402

SANITIZERS = {"plain": [], "thread": ["-fsanitize=thread"], "address": ["-fsanitize=address"]}
TESTS = "cuda_on_cpu/tests/"
RACE = "ThreadSanitizer: data race"
# fault: {build: regular expression for its report}
FAULTS = {
    "no wait of communication": {"thread": RACE},
    "no wait of compute": {"thread": RACE},
    "buffer reused before its event": {"thread": RACE},
    "host reads early": {"thread": RACE},
    "freed early": {"thread": RACE + "|which is no memory of the GPU"},
    "no barrier": {"thread": RACE},
    "blocks race": {"thread": RACE},
    "out of bounds": {"address": "AddressSanitizer: heap-buffer-overflow", "plain": "out of bounds"},
    "misaligned": {"plain": "misaligned address"},
    "divergent barrier": {"plain": "divergent barrier", "thread": "divergent barrier"},
    "partial collective": {"plain": "deadlock"},
    "no wait of copies": {"plain": "without having waited for its cp.async copies"},
    "host pointer": {"plain": "which is no memory of the GPU"},
    "host function calls": {"plain": "cudaLaunchHostFunc calls CUDA"},
    "host function queries": {"plain": "cudaLaunchHostFunc calls CUDA"},
    "word before data": {"thread": RACE},
    "wait for pageable memory": {"plain": "cuStreamWaitValue32: 1"},
    "shared memory": {"plain": "cudaErrorInvalidConfiguration"},
}
# The same for captures.cpp.
CAPTURE_FAULTS = {
    "missing edge to the fork": {"thread": RACE, "plain": "wrong result"},
    "missing edge to the join": {"thread": RACE, "plain": "wrong result"},
    "missing join": {"plain": "cudaErrorStreamCaptureUnjoined"},
    "replay that reads a host scalar": {"plain": "wrong result"},
    "fed again too early": {"thread": RACE},
    "host reads early": {"thread": RACE},
    "no wait for the replay": {"thread": RACE},
    "freed before the replay": {"plain": "which is no memory of the GPU"},
}
# Programs that use the kernels of another program.
KERNELS_OF = {"captures": "faults", "capture_rules": "faults"}


class Build:
    """Builds programs in the folder `tests`, next to the stand-ins."""

    def __init__(self, options):
        self.options = options
        self.folder = os.path.join(options.libraries, "tests")
        self.cudart = os.path.join(options.libraries, "libcudart.so.13")
        self.compiler = ([options.launcher] if options.launcher else []) + [options.compiler]
        self.include = ["-I" + options.source, "-isystem", options.cuda_include]
        os.makedirs(self.folder, exist_ok=True)

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def source(self, name):
        return os.path.join(self.options.source, "tests", "cuda_on_cpu", name)

    def call(self, *command):
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(" ".join(command) + "\n" + done.stdout + done.stderr)

    def cuda(self, name, *flags):
        """Compiles tests/NAME.cu. The host code that nvcc writes is not instrumented."""
        self.call(self.options.nvcc, "-std=c++20", "-O2", "-lineinfo", "-I" + self.options.source, *flags,
                  "-c", self.source(f"tests/{name}.cu"), "-o", self.path(name + ".o"))

    def link(self, name, sanitizer, cuda, sources=()):
        """Links a program as the product is linked. Sources are in the folder tests."""
        folder = self.path(f"{name}_{sanitizer}")
        os.makedirs(folder, exist_ok=True)
        flags = SANITIZERS[sanitizer]
        objects = [self.path(one + ".o") for one in cuda]
        for source in sources:
            objects.append(os.path.join(folder, os.path.basename(source) + ".o"))
            self.call(*self.compiler, "-std=c++20", "-O1", "-g1", *flags, *self.include, "-c",
                      os.path.join(self.options.source, "tests", source), "-o", objects[-1])
        self.call(self.options.compiler, *flags, *objects, self.cudart, "-o", os.path.join(folder, name))

    def program(self, name, sanitizer, cuda, sources=()):
        """Links a program, and translates its kernels into the same folder."""
        self.link(name, sanitizer, cuda, sources)
        flags = SANITIZERS[sanitizer]
        folder = self.path(f"{name}_{sanitizer}")
        kernels = os.path.join(folder, "kernels.cpp")
        self.call(sys.executable, "-B", self.source("ptx/translate.py"), os.path.join(folder, name), kernels)
        self.call(*self.compiler, *self.options.flags.split(";"), *flags, *self.include, "-c", kernels,
                  "-o", kernels + ".o")
        self.call(self.options.compiler, "-shared", *flags, kernels + ".o", self.cudart,
                  "-o", os.path.join(folder, "libemulated_kernels.so"))

    def run(self, name, sanitizer, *arguments):
        folder = self.path(f"{name}_{sanitizer}")
        kernels = self.path(f"{KERNELS_OF.get(name, name)}_{sanitizer}", "libemulated_kernels.so")
        environment = dict(os.environ, LD_LIBRARY_PATH=self.options.libraries, RECOMBINE_EMULATED_KERNELS=kernels,
                           TSAN_OPTIONS="halt_on_error=1:ignore_noninstrumented_modules=1",
                           ASAN_OPTIONS="detect_stack_use_after_return=0")
        return subprocess.run([os.path.join(folder, name), *arguments], capture_output=True, text=True,
                              env=environment, timeout=60)


class EmulationTest(unittest.TestCase):
    build = None

    def test_instructions(self):
        done = self.build.run("instructions", "plain")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("all right", done.stdout)

    def test_a_correct_program_is_not_reported(self):
        correct = [*(("faults", one) for one in SANITIZERS), ("captures", "plain"), ("captures", "thread")]
        for program, sanitizer in correct:
            with self.subTest(f"{program}, {sanitizer}"):
                done = self.build.run(program, sanitizer, "none")
                self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "right\n", ""))

    def check_reports(self, program, faults):
        for fault, reports in faults.items():
            for sanitizer, report in reports.items():
                with self.subTest(f"{fault}, {sanitizer}"):
                    done = self.build.run(program, sanitizer, fault)
                    self.assertNotEqual(done.returncode, 0, "the fault was not reported")
                    self.assertRegex(done.stderr, report)

    def test_faults_are_reported(self):
        self.check_reports("faults", FAULTS)

    def test_faults_of_captures_are_reported(self):
        self.check_reports("captures", CAPTURE_FAULTS)

    def test_a_capture_refuses_what_cuda_refuses(self):
        done = self.build.run("capture_rules", "plain")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("all right", done.stdout)

    def test_an_unknown_instruction_ends_the_translation_and_is_named(self):
        refused = {
            "nanosleep.u32 20;": "kernel k: instruction is not known: nanosleep.u32 20",
            "add.rn.f32.x %f1, %f1, %f1;": "instruction is not known: add.rn.f32.x",
            "add.s32 %r1, %r1;": "instruction with these operands is not known",
            "bar.sync 1;": "barrier 1 is not known",
            "mov.u32 %r1, %clock;": "operand is not known: %clock",
            ".local .align 4 .b8 depot[16];": "an array in local memory",
            ".reg .f128 %q;": "type .f128 is not known",
        }
        for text, message in refused.items():
            with self.subTest(text), self.assertRaises(SystemExit) as ended:
                module = ptx_module.parse(".visible .entry k() { .reg .b32 %r<2>; .reg .f32 %f<2>; " + text + " ret; }")
                translate.write_module(module, 0)
            self.assertIn(message, str(ended.exception))

    def test_a_kernel_that_was_not_translated_is_named(self):
        environment = dict(os.environ, LD_LIBRARY_PATH=self.build.options.libraries,
                           RECOMBINE_EMULATED_KERNELS=self.build.path("instructions_plain", "libemulated_kernels.so"))
        done = subprocess.run([self.build.path("faults_plain", "faults"), "none"], capture_output=True, text=True,
                              env=environment)
        self.assertNotEqual(done.returncode, 0)
        self.assertRegex(done.stderr, "kernel .*produce_kernel.* has not been translated")


def main():
    parser = argparse.ArgumentParser()
    for name in ("source", "libraries", "nvcc", "compiler", "launcher", "cuda-include", "flags"):
        parser.add_argument("--" + name, required=True)
    options, rest = parser.parse_known_args()
    EmulationTest.build = build = Build(options)
    build.cuda("faults", "-arch=compute_90")
    build.cuda("instructions", "-arch=compute_90", "-fmad=false")
    build.cuda("instructions_block", "-gencode", "arch=compute_80,code=[sm_80,compute_80]",
               "-gencode", "arch=compute_90,code=[sm_90,compute_90]")
    build.program("instructions", "plain", ["instructions", "instructions_block"])
    for sanitizer in SANITIZERS:
        build.program("faults", sanitizer, ["faults"], [TESTS + "faults.cpp"])
    for program, sanitizer in [("captures", "plain"), ("captures", "thread"), ("capture_rules", "plain")]:
        build.link(program, sanitizer, ["faults"], [TESTS + program + ".cpp", "support/cuda_counts.cpp"])
    unittest.main(argv=sys.argv[:1] + rest, verbosity=2)


if __name__ == "__main__":
    main()
