"""Bad input of `train`.

usage: bad_input_test.py TRAIN NP
"""
import gzip
import os
import pathlib
import socket
import struct

from bad_input import main
from gpu import NO_GPU

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "launch" / "examples"


def images(count, magic=0x803):
    return struct.pack(">IIII", magic, count, 2, 2) + bytes(4 * count)


def labels(count):
    return struct.pack(">II", 0x801, count) + bytes(i % 3 for i in range(count))


def idx_folder(root, name, image_bytes, label_bytes, suffix=""):
    folder = root / name
    folder.mkdir()
    (folder / f"train-images-idx3-ubyte{suffix}").write_bytes(image_bytes)
    (folder / "train-labels-idx1-ubyte").write_bytes(label_bytes)
    return str(folder)


def bomb_folder(root, count):
    """A valid pair of files: `count` images of 28 x 28, all zeros, compressed to 1/1000, and their labels."""
    header = struct.pack(">IIII", 0x803, count, 28, 28)
    return idx_folder(root, f"bomb{count}", gzip.compress(header + bytes(784 * count), 9), labels(count), ".gz")


def make_cases(root, np):
    """Cases: (arguments, texts that the line must contain)."""
    def csv(name, text):
        (root / name).write_text(text)
        return ["--data", str(root / name), "--target", "y"]

    def config(name, text):
        (root / name).write_text(text)
        return ["--config", str(root / name)]

    good = csv("good.csv", "a,y\n1,2\n3,4\n")
    pipe = root / "pipe.csv"  # no process ever writes to it
    bare_pipe = root / "pipe"
    piped = idx_folder(root, "piped", images(9), labels(9))
    os.remove(f"{piped}/train-labels-idx1-ubyte")
    for path in [pipe, bare_pipe, f"{piped}/train-labels-idx1-ubyte"]:
        os.mkfifo(path)
    socket_path = root / "socket"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(socket_path))  # the file stays after the socket is closed
    zipped = str(root / "table.zip")
    (root / "table.zip").write_bytes(b"PK")
    configs = [
        (["--config", str(pipe)], [f"--config {pipe}", "is a FIFO; expected a regular file"]),
        (config("open.cfg", 'save = "a#b"\n'), ["line 1", "quotation"]),
        (config("zero.cfg", "lr = 1\n\0 = 1\n"), "line 2: has a zero byte"),
        (config("unknown.cfg", "\nlearning-rate = 3\n"), ["line 2", "learning-rate"]),
        (config("bare.cfg", "lr = 1\nquiet\n"), ["line 2", "'quiet'"]),
        (config("section.cfg", "[data]\n"), ["line 1", "'[data]'"]),
        (config("nested.cfg", "config = x\n"), ["line 1", "config"]),
        (config("twice.cfg", "lr = 1\nlr = 2\n"), ["twice.cfg", "lr"]), (config("value.cfg", "lr = x\n"), "--lr 'x'"),
        (config("bytes.cfg", "\1\x1b = 3"), "\\x01\\x1b"), (["--config", str(root)], [f"--config {root}", "lines"]),
        (["--config", "/dev/zero"], "--config /dev/zero: is a character device; expected"),
        (["--config", ""], "--config ''"),
        ([*good, *config("own.cfg", "lr = 0.1"), "--save", str(root / "own.cfg")], ["--save", "--config"]),
    ]
    # Boost.Program_options would replace placeholders inside the user's text, and never return.
    placeholders = [(config("loop.cfg", "lr = 1\nquiet = %value%"), ["loop.cfg, line 2", "quiet", "true or false"]),
                    (["--%canonical_option%="], "--%canonical_option%")]
    most = 2**63 - 1
    few = ["--data", "synthetic:100,2,2", "--batch-size", "25", "--save", "w.safetensors"]
    numbers = [
        ([*few, "--epochs", str(most)], [f"--epochs {most}", f"at most {most // 4}"]),
        ([*few, "--epochs", str(2**62)], [f"--epochs {2**62}", f"at most {most // 4}"]),
        (["--data", "synthetic:1,17179869184,17179869184", "--hidden", ""], ["--data synthetic", "GiB"]),
        (config("layers.cfg", "hidden = " + ",".join(["16777216"] * 100000)), "--hidden"),  # 2^64.6 weights
        ([*few, "--memory-limit", "1K"],
         ["--data synthetic", "takes at least 4032 bytes (3.94 KiB)", "--memory-limit 1K allows 1 KiB"], {"np": 1}),
        ([*few, "--memory-limit", "10"], ["--memory-limit 10 for each of its 2 ranks allows 20 B"], {"np": 2}),
        ([*few, "--memory-limit", "2M"], ["--hidden '1024,1024'", " bytes (", "--memory-limit 2M allows 2 MiB"]),
        *((few + ["--memory-limit", size], [f"--memory-limit '{size}'", "2^63 bytes"])
          for size in ["99999999999G", str(2**63), "8388608TiB", "1e300T"]),
        ([*few, "--memory-limit", "8E"], "--memory-limit '8E'"),  # no such unit
    ]
    libgomp = ("libgomp: ", "Invalid value for environment variable")  # libgomp prints this before the program starts
    for threads in ["100000", "4294967296", "-5", "2,x"]:
        numbers.append((few, f"OMP_NUM_THREADS '{threads}': expected a whole number from 1 to 4096",
                        {"environment": {"OMP_NUM_THREADS": threads}, "ignored": libgomp}))
    options = [
        (["--no-such-option"], "no-such-option"), (["--epoch", "3"], "epoch"), (["word"], "'word'"),
        (["--batch-size", "0"], "--batch-size"), (["--batch-size", "1.5"], "--batch-size"),
        (["--lr", "nan"], "--lr"), (["--lr", "-1"], "--lr"), (["--hidden", "10,-3"], "--hidden"),
        (["--mesh", "2x2x3"], ["--mesh 2x2x3: has 12 ranks", f"expected {np}, as the job has"]),
        (["--mesh", "0x1x1"], "--mesh '0x1x1'"), (["--mesh", "1x1"], "--mesh '1x1'"), (["--mesh", ""], "--mesh ''"),
        (["--seed", "-1"], "--seed"), (["--epochs", "-1"], "--epochs"),
        (["--epochs", "99999999999999999999"], "to 9223372036854775807"), (["--threads", "0"], "--threads"),
        (["--activation", "softmax"], "--activation"), (["--optimizer", "adam2"], "--optimizer"),
        (["--loss", "hinge"], "--loss"), (["--clip-norm", "-1"], "--clip-norm"), (["--device", "tpu"], "--device"),
        (["--lr", "1", "--lr", "2"], "lr"), (["--config", "missing.cfg"], "missing.cfg"),
        (["--patience", "2"], "--validation"),
        (["--metrics-every", "10"], "--metrics-every 10: expected with --metrics FILE"),
        (config("every.cfg", "metrics-every = 1\n"), "--metrics-every 1: expected with"),
        (["--save", ""], "--save ''"), (["--hidden", "99999999"], "16777216"),
        (["--collectives", "mpi"], "--collectives"), (["--precision", "f16"], "--precision"),
        (["--device", "cpu", "--collectives", "staged"], "--collectives"),
        (["--device", "cpu", "--precision", "tf32"], "--precision tf32"),
        (["--device", "cuda"], ["--device cuda", "expected --device cpu"], {"environment": NO_GPU}),
    ]
    worked = ["--data", str(EXAMPLES / "ad_spend.csv"), "--config", str(EXAMPLES / "ad_spend.cfg")]
    flowers = ["--explain", "--data", str(EXAMPLES / "flowers.csv")]
    init = [
        ([*worked, "--init", "0.5"], "--init: has 1 number; expected 2, the weights of 2-1"),
        ([*worked, "--init", "1,2,3"], "--init: has 3 numbers; expected 2"),
        ([*good, "--hidden", "2", "--init", "1,2"], "expected 7, the weights and biases of 1-2-1"),
        *((["--init", text], [f"--init '{text}': '{part}' is not a finite number", "such as 0.5,0.7"])
          for text, part in [("0.5,x", "x"), ("", ""), ("1,,2", ""), ("1,", ""), ("inf,1", "inf"), ("1e39,1", "1e39"),
                             ("nan", "nan"), ("1 2", "1 2")]),
        ([*worked, "--load", "w.safetensors"], "--init: gives the weights, and so does --load w.safetensors"),
        ([*worked, "--checkpoint", "c", "--resume", "auto"], "--init: gives the weights, and so does --resume auto"),
    ]
    explain = [
        (["--explain"], ["--explain: expected --data with a small table", "ad_spend.cfg"]),
        *(([*worked, "--explain", *more], f"{more[0]}: expected without --explain")
          for more in [["--save", "w"], ["--predictions", "p"], ["--metrics", "m"], ["--summary", "s"], ["--quiet"],
                       ["--checkpoint", "c"], ["--validation", "0.2"], ["--test", "0.2"]]),
        ([*worked, "--explain", "--steps", "6"], "--steps 6: expected at most 5 with --explain"),
        ([*worked, "--explain", "--accumulate", "2"], "--accumulate 2: expected 1 with --explain"),
        ([*worked, "--explain", "--precision", "bf16"], "--precision bf16: expected f32 with --explain"),
        (flowers, "--hidden 128: expected at most 2 layers of at most 5 with --explain, such as --hidden 3"),
        ([*flowers, "--hidden", "1,1,1"], "--hidden 1,1,1: expected at most 2 layers"),
        ([*flowers, "--hidden", "3"], "--batch-size 16: expected at most 5 rows with --explain, such as"),
        (["--explain", "--data", "synthetic:9,6,1"],
         ["--explain: the data have 6 inputs; expected at most 5", "--features"]),
        (["--explain", "--data", "synthetic:9,2,6"], "--explain: the data have 6 outputs; expected at most 5"),
    ]
    data = [
        (["--data", "missing"], "missing"), (["--data", "missing.csv", "--target", "y"], "missing.csv"),
        (["--data", idx_folder(root, "cut", gzip.compress(images(9))[:-6], labels(9), ".gz")], "truncated"),
        (["--data", idx_folder(root, "magic", images(9, 0x999), labels(9))], "0x00000999"),
        (["--data", idx_folder(root, "count", images(9), labels(8))], "8 labels"),
        (csv("ragged.csv", "a,y\n1,2\n1\n"), "line 3"),
        (csv("text.csv", "a,y\n" + "1,2\n3,4\n" * 5 + "1,two\n"), "line 12, column 'y': 'two'"),
        (csv("target.csv", "a,b\n1,2\n"), "--target y"), (csv("empty.csv", ""), "empty.csv"),
        (csv("blank.csv", "a,y\n1,2\n\n3\n"), "line 4"), (csv("bytes.csv", "a,y\n1,\x02\n"), "\\x02"),
        (["--data", str(pipe), "--target", "y"], [f"--data {pipe}: is a FIFO; expected a regular file"]),
        (["--data", str(bare_pipe), "--target", "y"], [f"--data {bare_pipe}: is a FIFO; expected a regular file"]),
        (["--data", str(bare_pipe)], [f"--data {bare_pipe}: is a FIFO; expected a regular file"]),
        (["--data", "/dev/null"], "--data /dev/null: is a character device; expected a regular file"),
        (["--data", str(socket_path)], f"--data {socket_path}: is a socket; expected a regular file"),
        (["--data", __file__], __file__), (["--data", zipped], f"--data {zipped}: is an archive; expected"),
        (["--data", piped], f"{piped}/train-labels-idx1-ubyte: is a FIFO; expected a regular file"),
        (good + ["--validation", str(pipe)], f"{pipe}: is a FIFO; expected a regular file"),
        (csv("zero.csv", "a,y\n1,\0\n"), "zero.csv"),
        (csv("header.csv", "a,y\n"), "header.csv"), (good + ["--validation", "1.5"], "--validation"),
        (csv("ids.csv", "id,name\n1,Ann\n2,Bob\n")[:2], ["--target", "'id' and 'name'"]),
        (good + ["--loss", "cross-entropy", "--validation", "x"], "--validation x"),
    ]
    outputs = [(good + [option, "/nonexistent/file"], option) for option in ("--summary", "--metrics", "--save")]
    for option in ("--summary", "--metrics", "--save"):
        outputs += [(good + [option, "x" * 256], [option, "File name too long; expected a name of at most 255 bytes"]),
                    (good + [option, "./" * 2050 + "x"], [option, "expected a path of at most 4000 bytes"]),
                    (good + [option, str(pipe)], f"{option} {pipe}: is a FIFO; expected a regular file or a new name"),
                    (good + [option, str(root)],
                     f"{option} {root}: is a folder; expected a regular file or a new name")]
    # If one output cannot be opened, no other output may be left.
    outputs.append((good + ["--save", "w.safetensors", "--metrics", "/nonexistent/m"], "--metrics"))
    outputs.append((good + ["--save", "x", "--summary", "./x"], "--summary ./x"))
    outputs.append((good + ["--summary", good[1]], "--data"))
    whole = idx_folder(root, "whole", images(9), labels(9))
    outputs.append((["--data", whole, "--save", f"{whole}/train-labels-idx1-ubyte"], ["--save", "--data"]))
    diverging = ["--loss", "mse", "--hidden", "8", "--optimizer", "sgd", "--lr", "1e50", "--save", "w.safetensors",
                 "--quiet"]
    outputs.append((good + diverging, ["--lr 1e+50", "step 1"]))
    outputs.append((good + [*diverging, "--steps", "1"], ["--lr 1e+50", "step 1"]))
    outputs.append((good + ["--hidden", "1000000,1000000", "--save", "x", "--metrics", "y"],
                    ["--hidden '1000000", "GiB"]))
    large = ["--data", "synthetic:3000000,1,1", "--hidden", "1000000", "--batch-size", "all"]
    outputs.append((large, ["--batch-size 3000000", "GiB"]))
    bombs = [(["--data", bomb_folder(root, 30000)], ["train-images-idx3-ubyte.gz", "1000 times", "--memory-limit"]),
             (["--data", bomb_folder(root, 30001), "--memory-limit", "8M"],
              ["train-images-idx3-ubyte.gz", "--memory-limit 8M"])]
    return options + configs + placeholders + numbers + init + explain + data + bombs + outputs


main(make_cases)
