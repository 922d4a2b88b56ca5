"""Whether the ELF file that gdb has open is that of the kernel in the machine or in the core."""

import re
import struct

import gdb

from . import memory

GNU, NT_GNU_BUILD_ID, PT_NOTE = b"GNU\0", 3, 4


def of_elf():
    """The build id of the ELF file."""
    name = gdb.current_progspace().filename
    if name is None:
        raise gdb.GdbError("no kernel is open: give gdb the ELF file with its symbols")
    ids = [one.build_id for one in gdb.objfiles() if one.filename == name]
    if not ids or ids[0] is None:
        raise gdb.GdbError("%s has no build id" % name)
    return ids[0]


def core_file():
    """The name of the core that is open; None if there is none."""
    text = gdb.execute("info files", to_string=True)
    found = re.search(r"^Local core dump file:\n\s*`(.*)', file type", text, re.MULTILINE)
    return found.group(1) if found else None


def segments(file):
    """The segments of a core: type, offset and length in the file."""
    head = file.read(64)
    wide = head[4] == 2
    form, at, count_at = ("<Q", 32, 54) if wide else ("<I", 28, 42)
    table = struct.unpack_from(form, head, at)[0]
    size, count = struct.unpack_from("<HH", head, count_at)
    for number in range(count):
        file.seek(table + number * size)
        header = file.read(size)
        offset = struct.unpack_from(form, header, 8 if wide else 4)[0]
        length = struct.unpack_from(form, header, 32 if wide else 16)[0]
        yield struct.unpack_from("<I", header)[0], offset, length


def of_core(name):
    """The build id in a core's notes; None if there is none."""
    with open(name, "rb") as file:
        for kind, offset, length in segments(file):
            if kind == PT_NOTE:
                file.seek(offset)
                found = in_notes(file.read(length))
                if found is not None:
                    return found
    return None


def missing(name):
    """How many bytes are missing at the end of a core. gdb reads them from the ELF file, as if the kernel had not run."""
    with open(name, "rb") as file:
        end = max((offset + length for _, offset, length in segments(file)), default=0)
        return max(0, end - file.seek(0, 2))


def in_notes(notes):
    """The build id among `notes`; None if there is none."""
    at = 0
    while at + 12 <= len(notes):
        name_len, len_, kind = struct.unpack_from("<3I", notes, at)
        name = notes[at + 12 : at + 12 + name_len]
        start = at + 12 + (name_len + 3 & ~3)
        if (name, kind) == (GNU, NT_GNU_BUILD_ID):
            return notes[start : start + len_].hex()
        at = start + (len_ + 3 & ~3)
    return None


def check():
    """Refuses an ELF file that is not the kernel's."""
    ours = of_elf()
    name = core_file()
    if name is not None:
        if missing(name):
            raise gdb.GdbError("%s is cut off: %d bytes are missing at its end" % (name, missing(name)))
        theirs, what = of_core(name), "the core"
        if theirs is None:
            raise gdb.GdbError("%s has no build id: cargo xtask core did not write it" % name)
    else:
        start = memory.symbol("__build_id_start")
        theirs = in_notes(memory.read(start, memory.symbol("__build_id_stop") - start))
        what = "the kernel in memory"
        if theirs is None:
            raise gdb.GdbError("this ELF file's kernel, build %s, is not in memory" % ours)
    if theirs != ours:
        raise gdb.GdbError(
            "%s is of build %s, the ELF file %s is build %s"
            % (what, theirs, gdb.current_progspace().filename, ours)
        )
