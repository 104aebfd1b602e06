#!/usr/bin/env python3
"""Reads the sources. Fails if an include goes against the order of folders, a file is too long, a class for all devices
has too many virtual functions, a backend is chosen by #if, or the top level has an unknown entry.

usage: layering_test.py REPOSITORY
First it checks itself: it must find one planted violation of each rule in a temporary tree.
"""
import pathlib
import re
import sys
import tempfile

CODE_FOLDERS = ("kernels", "distributed", "src", "tests")
LONGEST = 300  # lines of a file
SOURCE_SUFFIXES = {".cpp", ".hpp", ".h", ".cu", ".cuh", ".py", ".sh", ".cmake", ".txt"}
CODE_SUFFIXES = {".cpp", ".hpp", ".h", ".cu", ".cuh"}
TOP_LEVEL = {"src", "distributed", "kernels", "launch", "tests",
             "CMakeLists.txt", "CMakePresets.json", "README.md", "LICENSE"}
# Folder -> (pattern that its include lines must not match, reason). A rule also holds in the subfolders.
FORBIDDEN = {
    "kernels": [(r"(distributed|src|tests)/", "kernels know no ranks and no layers"),
                (r"mpi\w*\.h(pp)?$", "kernels have never heard of MPI")],
    "distributed": [(r"(src|tests)/", "distributed knows no layers"),
                    (r"(oneapi/)?dnnl", "oneDNN belongs under kernels")],
    "src": [(r"tests/", "programs know no tests"),
            (r"mpi\w*\.h(pp)?$", "programs speak to MPI through distributed"),
            (r"(oneapi/)?dnnl", "oneDNN belongs under kernels")],
    "src/nn": [(r"src/(?!nn/)", "the library knows no programs")],
}
# Only this folder includes the headers of ONNX and protobuf: they are large, and libraries would pass them on.
ONNX = re.compile(r"(onnx|google/protobuf)/")
WHO_KNOWS_ONNX = "src/onnx"
INCLUDE = re.compile(r'^\s*#\s*(?:include|import)\s*[<"]([^>"]+)[>"]')
# Interfaces that every device implements: file -> most virtual functions, without the destructor.
INTERFACES = {"kernels/device.hpp": 8, "kernels/math.hpp": 16}
VIRTUAL = re.compile(r"^\s*virtual\s+[^~]")
EMULATION = re.compile(r"cuda_on_cpu|emulat", re.IGNORECASE)
# A loop of sched_yield gets little CPU time next to a busy process. kernels/cpu/patience.hpp says how threads wait.
YIELD = re.compile(r"\bsched_yield\s*\(|this_thread::yield")
WHO_YIELDS = "kernels/cpu/sched_yield.cpp"  # defines sched_yield for libraries
BACKEND_SWITCH = re.compile(r"^\s*#\s*(?:el)?if.*(CUDA|NCCL)")


def find_violations(root):
    found = []
    for entry in sorted(root.iterdir()):
        if not (entry.name in TOP_LEVEL or entry.name.startswith((".", "build"))):
            found.append(f"{entry.name}: not among the top-level entries of the project")
    for folder in CODE_FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            is_data = path.is_relative_to(root / "tests" / "data")
            if path.is_file() and path.suffix in SOURCE_SUFFIXES and not is_data and "__pycache__" not in path.parts:
                found += violations_of(path, folder, path.relative_to(root))
    return found


def violations_of(path, folder, name):
    found = []
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    if len(lines) > LONGEST:
        found.append(f"{name}: {len(lines)} lines; {LONGEST} are the most")
    if path.suffix not in CODE_SUFFIXES:
        return found
    virtuals = sum(1 for line in lines if VIRTUAL.match(line))
    if virtuals > INTERFACES.get(str(name), virtuals):
        found.append(f"{name}: {virtuals} virtual functions; {INTERFACES[str(name)]} are the most")
    for number, line in enumerate(lines, 1):
        if folder != "tests" and BACKEND_SWITCH.match(line):
            found.append(f"{name}:{number}: a backend is a sibling file that CMake chooses, not an #if: {line.strip()}")
        if folder != "tests" and EMULATION.search(line):
            found.append(f"{name}:{number}: the emulation is the tests', the product does not know it: {line.strip()}")
        if folder != "tests" and str(name) != WHO_YIELDS and YIELD.search(line):
            found.append(f"{name}:{number}: a wait that yields; expected cpu::Patience or a doorbell: {line.strip()}")
        include = INCLUDE.match(line)
        if not include:
            continue
        target = include.group(1)
        if target.startswith("."):
            found.append(f"{name}:{number}: includes are full paths from the root: {target}")
        if folder != "tests" and ONNX.match(target) and str(name.parent) != WHO_KNOWS_ONNX:
            found.append(f"{name}:{number}: includes {target}: it belongs to {WHO_KNOWS_ONNX}")
        for place in map(str, name.parents):
            for pattern, reason in FORBIDDEN.get(place, []):
                if re.match(pattern, target):
                    found.append(f"{name}:{number}: includes {target}: {reason}")
    return found


PLANTED = {
    "kernels/a.hpp": '#include "distributed/mesh.hpp"\n',
    "kernels/b.cpp": "#  include <mpi.h>\n",
    "kernels/c.cpp": '#include "src/nn/model.hpp"\n',
    "kernels/device.hpp": "  virtual int f() = 0;\n" * 9,
    "kernels/e.cpp": "// when emulated\n",
    "kernels/d.cpp": "#ifdef RECOMBINE_CUDA\n#endif\n",
    "kernels/yield.cpp": "while (!done) sched_yield();\n",
    "distributed/yield.cpp": "while (!done) std::this_thread::yield();\n",
    "distributed/a.cpp": '#include "src/nn/model.hpp"\n',
    "distributed/b.cpp": "#include <oneapi/dnnl/dnnl.hpp>\n",
    "distributed/c.cpp": "#if defined(HAVE_NCCL)\n#endif\n",
    "src/a.cpp": "#include <mpi.h>\n",
    "src/b.cpp": "#include <dnnl.hpp>\n",
    "src/c.cpp": '#include "../kernels/device.hpp"\n',
    "src/nn/a.hpp": '#include "src/program/parse.hpp"\n',
    "src/nn/checkpoint/b.cpp": '#include <mpi.h>\n',
    "src/train/c.hpp": "#include <onnx/onnx_pb.h>\n",
    "src/nn/d.cpp": "#include <google/protobuf/message.h>\n",
    "tests/long.cpp": "\n" * (LONGEST + 1),
    "stray.txt": "",
}
ALLOWED = {
    "kernels/math.hpp": "  virtual ~Math() = default;\n" + "  virtual int f() = 0;\n" * 16,
    "kernels/cpu/sched_yield.cpp": 'extern "C" int sched_yield() noexcept {}\n',
    "kernels/ok.cpp": '#include <oneapi/dnnl/dnnl.hpp>\n#include "kernels/device.hpp"\n// #include <mpi.h>\n',
    "distributed/ok.cpp": '#include <mpi.h>\n#include "kernels/device.hpp"\n',
    "src/ok.cpp": '#include "distributed/mesh.hpp"\n#include "kernels/device.hpp"\n#include "src/nn/model.hpp"\n',
    "src/nn/ok.cpp": '#include "src/nn/model.hpp"\n#include "kernels/device.hpp"\n',
    "tests/ok.cpp": '#include <mpi.h>\n#include "src/nn/model.hpp"\n' + "\n" * (LONGEST - 2),
    "src/onnx/ok.cpp": "#include <onnx/onnx_pb.h>\n",
    "src/train/ok.cpp": '#include "src/onnx/write_onnx.hpp"\n',
    "build-x/any.cpp": "",
    ".hidden": "",
}


def check_the_check():
    """Every planted violation, and nothing else, is found."""
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for name, text in {**PLANTED, **ALLOWED}.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        found = find_violations(root)
    blamed = sorted(line.split(":")[0] for line in found)
    if blamed != sorted(PLANTED):
        sys.exit(f"layering_test.py is broken: of {sorted(PLANTED)} it found {found}")


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    check_the_check()
    found = find_violations(root)
    print("\n".join(found))
    checked = sum(1 for folder in CODE_FOLDERS for path in (root / folder).rglob("*") if path.suffix in CODE_SUFFIXES)
    if not checked:
        sys.exit(f"no sources under {root}")
    print(f"{checked} sources, {len(found)} violations")
    sys.exit(1 if found else 0)


main()
