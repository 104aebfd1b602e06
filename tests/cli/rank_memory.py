"""Finds and changes numbers in the memory of a running rank, through /proc/PID/mem."""
import array
import pathlib
import struct

from program import Skip


def rank_pid(job, rank):
    """The process id of a rank that `job`, an mpirun, has started on this host."""
    for child in pathlib.Path(f"/proc/{job.pid}/task/{job.pid}/children").read_text().split():
        if f"OMPI_COMM_WORLD_RANK={rank}".encode() in pathlib.Path(f"/proc/{child}/environ").read_bytes().split(b"\0"):
            return int(child)
    return None


class RankMemory:
    """The writable memory of a process."""

    def __init__(self, pid):
        self.pid = pid
        try:
            self.memory = open(f"/proc/{pid}/mem", "r+b", buffering=0)
        except PermissionError as error:
            raise Skip(f"this machine does not let a process write to its child's memory: {error}") from error

    def regions(self):
        for line in pathlib.Path(f"/proc/{self.pid}/maps").read_text().splitlines():
            addresses, rights = line.split()[:2]
            begin, end = (int(address, 16) for address in addresses.split("-"))
            if rights.startswith("rw"):
                yield begin, end

    def runs(self, values, least):
        """The addresses of runs of `least` floats whose upper 16 bits are those of one of `values`."""
        found = []
        for begin, end in self.regions():
            try:
                self.memory.seek(begin)
                uppers = array.array("H", self.memory.read(end - begin))[1::2].tobytes()
            except OSError:  # for example a device's memory
                continue
            for value in values:
                at = uppers.find(struct.pack("<f", value)[2:] * least)
                if at >= 0 and at % 2 == 0:
                    found.append(begin + 2 * at)
        return found

    def flip(self, address, bit):
        """Flips one bit of the float at `address`."""
        self.memory.seek(address)
        (word,) = struct.unpack("<I", self.memory.read(4))
        self.memory.seek(address)
        self.memory.write(struct.pack("<I", word ^ (1 << bit)))
