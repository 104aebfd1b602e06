"""Reads checkpoints, and the folder that holds them, as `train` leaves them."""
import hashlib
import json
import math
import pathlib
import re

from program import wait_for

NAME = re.compile(r"step-(\d{8,})\.safetensors")
UNFINISHED = re.compile(r"\.recombine-[0-9a-f]{16}\.tmp")


def header_of(path):
    """The header of a checkpoint. ValueError if the file is not whole: its length and the checksum of its header."""
    data = pathlib.Path(path).read_bytes()
    length = int.from_bytes(data[:8], "little")
    if len(data) < 8 or length > len(data) - 8:
        raise ValueError(f"{path}: {len(data)} bytes, with a header of {length}")
    text = data[8:8 + length]
    header = json.loads(text)
    digest = header["__metadata__"]["header_sha256"]
    zeroed = text.replace(digest.encode(), b"0" * len(digest))
    if hashlib.sha256(zeroed).hexdigest() != digest:
        raise ValueError(f"{path}: the checksum of the header is wrong")
    tensors = [tensor for name, tensor in header.items() if name != "__metadata__"]
    ends = max(tensor["data_offsets"][1] for tensor in tensors)
    sizes = sum(4 * math.prod(tensor["shape"]) for tensor in tensors)
    if not ends == sizes == len(data) - 8 - length:
        raise ValueError(f"{path}: {len(data) - 8 - length} bytes of tensors, not {ends}")
    return header


class Folder:
    """A folder of checkpoints."""

    def __init__(self, path):
        self.path = pathlib.Path(path)

    def names(self):
        return {path.name for path in self.path.iterdir()} if self.path.exists() else set()

    def steps(self):
        return sorted(int(NAME.fullmatch(name)[1]) for name in self.names() if NAME.fullmatch(name))

    def file(self, step):
        return self.path / f"step-{step:08}.safetensors"

    def latest(self):
        """The step that the file `latest` names; None without that file."""
        path = self.path / "latest"
        return int(NAME.fullmatch(path.read_text().rstrip("\n"))[1]) if path.exists() else None

    def unfinished(self):
        return [name for name in self.names() if UNFINISHED.fullmatch(name)]

    def faults(self, unfinished=0, timeout=10):
        """What is wrong with the folder after the end of a job; "" if nothing. Waits until unfinished files are
        removed."""
        wait_for(lambda: len(self.unfinished()) <= unfinished, timeout=timeout)
        strange = [name for name in self.names() - {"latest", "lock"}
                   if not NAME.fullmatch(name) and not UNFINISHED.fullmatch(name)]
        found = [f"there is {name}" for name in strange]
        if len(self.unfinished()) > unfinished:
            found.append(f"there are {self.unfinished()}")
        for step in self.steps():
            try:
                header_of(self.file(step))
            except ValueError as error:
                found.append(str(error))
        latest = self.latest() if not found else None
        if latest is not None and latest not in self.steps():
            found.append(f"latest names step {latest}, there are {self.steps()}")
        return "; ".join(found)
