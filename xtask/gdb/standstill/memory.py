"""The kernel's variables and its memory, in a machine that runs or in a core."""

import re
import struct

import gdb


def word_size():
    return gdb.lookup_type("usize").sizeof


def variable(name):
    """A static of the kernel by its path; None if there is none."""
    found = gdb.lookup_static_symbol(name) or gdb.lookup_global_symbol(name)
    if found is not None:
        return found.value() if found.is_variable else None
    # From the root: where the CPU stands, a crate's name may mean something else.
    for path in ("::" + name, name):
        gdb.execute("set language rust", to_string=True)
        try:
            return gdb.parse_and_eval(path)
        except gdb.error:
            continue
        finally:
            gdb.execute("set language auto", to_string=True)
    return None


def symbol(name):
    """The address of a variable, or of a symbol of the linker script."""
    found = variable(name)
    if found is not None and found.address is not None:
        return int(found.address)
    try:
        text = gdb.execute("info address " + name, to_string=True)
    except gdb.error as error:
        raise gdb.GdbError("the kernel has no %s (%s)" % (name, error))
    digits = [word for word in text.replace(".", " ").split() if word.startswith("0x")]
    if not digits:
        raise gdb.GdbError("the kernel has no %s" % name)
    return int(digits[0], 16)


def read(address, length):
    """Memory as the first CPU sees it that sees it at all: one that is off has no page tables."""
    inferior = gdb.selected_inferior()
    before = gdb.selected_thread()
    try:
        for thread in [before] + list(inferior.threads()):
            if thread is None or not thread.is_valid():
                continue
            thread.switch()
            try:
                return bytes(inferior.read_memory(address, length))
            except gdb.MemoryError:
                continue
    finally:
        if before is not None and before.is_valid():
            before.switch()
    raise gdb.GdbError("no CPU can read %d bytes at %#x" % (length, address))


def words(address, count=1):
    size = word_size()
    return struct.unpack("<%d%s" % (count, "Q" if size == 8 else "I"), read(address, count * size))


def field(value, name, depth=8):
    """The struct somewhere inside `value`, locks and cells around it, that has a field of this name; None if there is none."""
    try:
        fields = value.type.fields()
    except TypeError:
        return None
    if any(one.name == name for one in fields):
        return value
    for one in fields if depth else []:
        found = field(value[one], name, depth - 1)
        if found is not None:
            return found
    return None


def core(value):
    """`value` without the cells and wrappers that hold it alone."""
    while value.type.code == gdb.TYPE_CODE_STRUCT:
        fields = [one for one in value.type.fields() if one.type.sizeof]
        if len(fields) != 1 or value.type.fields()[0].artificial:
            break
        value = value[fields[0]]
    return value


def plain(name):
    """A function's name without the architecture that all of the kernel is generic over, and without hashes."""
    name = re.sub(r"\[[0-9a-f]{6,}\]", "", name)
    return re.sub(r"(::)?<standstill_\w+::\w+>", "", name)


def place(pc):
    """Function and line at `pc`, the innermost; empty where neither is known."""
    try:
        block = gdb.block_for_pc(pc)
    except RuntimeError:
        block = None
    while block is not None and block.function is None:
        block = block.superblock
    if block is None:
        text = gdb.execute("info symbol %#x" % pc, to_string=True).strip()
        return "" if text.startswith("No symbol") else plain(text.split(" in section")[0])
    line = gdb.find_pc_line(pc)
    if line.symtab is None:
        return plain(block.function.name)
    # Below the standard library or the registry, as in the backtraces of xtask.
    file = re.sub(r".*(/library/|/registry/src/[^/]*/)", "", line.symtab.filename)
    return "%s (%s:%d)" % (plain(block.function.name), file, line.line)
