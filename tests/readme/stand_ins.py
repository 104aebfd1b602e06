#!/usr/bin/env python3
"""Stands in for programs that commands of READMEs call. The real one still gets every option, but does less work.

usage: stand_ins.py NAME ARGUMENT...

- mpirun: train on Fashion-MNIST without --steps gets --steps 20; with --compare-batching, 200 images of the test
  instead. Below launch/scaling, train gets at most 4 steps and layers of 64, and m, n and k of matmul are at most 256.
- launch/scaling: runs each case once (--repeat 1), with the programs of the test's build folder.
- cmake: configures without CUDA. A build is only planned (ninja -n), because the test runs after the build. An
  installation takes the files of the test's build folder.
- apt-get, sudo: fail, because a test installs no packages.

Environment: README_TEST_PROGRAMS: PATH without this folder; README_TEST_BUILD: the test's build folder;
README_TEST_ROOT: the checkout; README_TEST_COPY: the folder that the commands see as the checkout.
"""
import os
import pathlib
import sys

STEPS = 20
SCALING_STEPS = 4
SCALING_SIDE = 256  # m, n and k
SCALING_WIDTH = 64  # of hidden layers
IMAGES = "folder/with/idx/files"  # of the test, in the copy of the checkout


def value_of(arguments, option):
    """The value of `--option value` or `--option=value`; None if it is not given."""
    for at, argument in enumerate(arguments):
        if argument == option and at + 1 < len(arguments):
            return arguments[at + 1]
        if argument.startswith(option + "="):
            return argument.partition("=")[2]
    return None


def at_most(arguments, option, most):
    """The arguments with numbers of at most `most` as value of the option, which may be a list such as 1024,1024."""
    result = list(arguments)
    for at in range(len(result) - 1):
        if result[at] == option:
            result[at + 1] = ",".join(str(min(most, int(value))) for value in result[at + 1].split(",") if value)
    return result


def without(arguments, option):
    """The arguments without `option value` and `option=value`."""
    return [word for at, word in enumerate(arguments)
            if word.partition("=")[0] != option and (at == 0 or arguments[at - 1] != option)]


def shorter(arguments, in_scaling):
    """The words of mpirun with less work for the program."""
    names = [pathlib.Path(word).name for word in arguments]
    if in_scaling and "matmul" in names:
        for side in ("--m", "--n", "--k"):
            arguments = at_most(arguments, side, SCALING_SIDE)
    if "train" not in names:
        return arguments
    if in_scaling:
        return at_most(at_most(arguments, "--steps", SCALING_STEPS), "--hidden", SCALING_WIDTH)
    options = arguments[names.index("train") + 1:]
    if value_of(options, "--data") not in (None, "fashion-mnist") or "--help" in options:
        return arguments
    if "--compare-batching" in options:
        return [*without(arguments, "--data"), "--data", f"{os.environ['README_TEST_COPY']}/{IMAGES}"]
    ends_itself = any(value_of(options, option) for option in ("--steps", "--config"))
    return arguments if ends_itself else [*arguments, "--steps", str(STEPS)]


def scaling(arguments):
    if arguments[:1] not in (["train"], ["matmul"]):
        return arguments
    repeat = [] if value_of(arguments, "--repeat") else ["--repeat", "1"]
    build = [] if value_of(arguments, "--build") else ["--build", f"{os.environ['README_TEST_COPY']}/build"]
    return [arguments[0], *repeat, *build, *arguments[1:]]


def cmake(arguments):
    if "--build" in arguments:
        return [*arguments, *([] if "--" in arguments else ["--"]), "-n"]
    if "--install" in arguments:
        at = arguments.index("--install") + 1
        return [*arguments[:at], os.environ["README_TEST_BUILD"], *arguments[at + 1:]]
    asks_cuda = any(argument.startswith("-DRECOMBINE_CUDA=") for argument in arguments)
    return arguments if asks_cuda else [*arguments, "-DRECOMBINE_CUDA=OFF"]


def main():
    name, arguments, program = sys.argv[1], sys.argv[2:], sys.argv[1]
    if name == "scaling":
        os.environ["README_TEST_SCALING"] = "1"
        program, arguments = f"{os.environ['README_TEST_ROOT']}/launch/scaling", scaling(arguments)
    elif name in ("mpirun", "cmake"):
        os.environ["PATH"] = os.environ["README_TEST_PROGRAMS"]  # so that execvp finds the real one
        arguments = cmake(arguments) if name == "cmake" else shorter(arguments, "README_TEST_SCALING" in os.environ)
    else:
        sys.exit(f"{name}: the test of the READMEs installs nothing; expected that all packages are installed")
    os.execvp(program, [program, *arguments])


if __name__ == "__main__":
    main()
