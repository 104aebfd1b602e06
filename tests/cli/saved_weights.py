"""Reads a file that --save wrote, in the safetensors format."""
import json
import struct


def read(path):
    """(header without its metadata, bytes of the tensors)"""
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8:8 + length])
    header.pop("__metadata__", None)
    return header, content[8 + length:]


def values(path):
    """{name: values}"""
    header, data = read(path)
    return {name: struct.unpack(f"<{(end - begin) // 4}f", data[begin:end])
            for name, (begin, end) in ((name, tensor["data_offsets"]) for name, tensor in header.items())}
