"""The PTX that a linked program carries in its .nv_fatbin section."""
import ctypes
import struct

_MAGIC = 0xBA55ED50
_CONTAINER = struct.Struct("<IHHQ")  # magic, version, bytes of this header, bytes of the entries
_ENTRY = struct.Struct("<HHIQIIHHIIIQQQ")
_PTX = 1
_LZ4 = 0x2000
_ZSTD = 0x8000
_ONE_ARCHITECTURE = 0x100000  # sm_90a: its instructions exist on no other GPU, and are not translated


def section(program, name):
    """The bytes of a section of an ELF64 file, or None if the file has no such section."""
    with open(program, "rb") as file:
        data = file.read()
    table, = struct.unpack_from("<Q", data, 0x28)
    entry_size, count, names = struct.unpack_from("<HHH", data, 0x3A)
    headers = [struct.unpack_from("<IIQQQQ", data, table + i * entry_size) for i in range(count)]
    strings = headers[names][4]
    for header in headers:
        start = strings + header[0]
        if data[start:data.index(b"\0", start)].decode() == name:
            return data[header[4]:header[4] + header[5]]
    return None


def _decompress(body, size):
    zstd = ctypes.CDLL("libzstd.so.1")
    zstd.ZSTD_decompress.restype = ctypes.c_size_t
    zstd.ZSTD_decompress.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t]
    result = ctypes.create_string_buffer(size)
    if zstd.ZSTD_decompress(result, size, body, len(body)) != size:
        raise SystemExit("fat binary: its zstd data is damaged")
    return result.raw


def _entries(data, start, end):
    """(kind, architecture, text) of each entry of a container that is not for one architecture only. text is None
    unless the entry is PTX."""
    while start < end:
        (kind, _, header, padded, compressed, _, _, _, arch, _, _, flags, _, size) = _ENTRY.unpack_from(data, start)
        if flags & _ONE_ARCHITECTURE:
            start += header + padded
            continue
        text = None
        if kind == _PTX:
            body = data[start + header:start + header + (compressed or padded)]
            if flags & _LZ4:
                raise SystemExit("fat binary: compressed by LZ4, which is not known here: nvcc 13 takes zstd")
            body = _decompress(body, size) if flags & _ZSTD else body
            text = body.split(b"\0")[0].decode()
        yield kind, arch, text
        start += header + padded


def ptx_of(program):
    """One text for each linked object file with kernels for every architecture: its PTX for the newest one."""
    data = section(program, ".nv_fatbin")
    if data is None:
        raise SystemExit(f"fat binary: {program} carries no kernels")
    texts, at = [], 0
    while at + _CONTAINER.size <= len(data):
        magic, _, header, size = _CONTAINER.unpack_from(data, at)
        if magic != _MAGIC:
            at += 8
            continue
        entries = list(_entries(data, at + header, at + header + size))
        images = [(arch, text) for _, arch, text in entries if text is not None]
        if entries and not images:
            raise SystemExit(f"fat binary: {program} has an object without PTX: build it with code=compute_NN as well")
        if images:
            texts.append(max(images)[1])
        at += header + size
    return texts
