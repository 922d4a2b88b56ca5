"""The machine as a whole: whether its kernel has booted, what its CPUs do, what it said."""

import re

import gdb

from . import build, memory
from .report import Report
from .trace import Trace, stamp


def phase(cpu):
    """What a CPU says it is doing; None before it says anything."""
    phases = memory.variable("kernel::phase::PHASE")
    if phases is None:
        raise gdb.GdbError("the kernel has no kernel::phase::PHASE")
    sentence = memory.words(int(phases.address) + cpu * memory.word_size())[0]
    if sentence == 0:
        return None
    text, length = memory.words(sentence, 2)
    return memory.read(text, min(length, 200)).decode("utf-8", "replace")


def has_booted():
    try:
        return Report().has_stopped() or phase(0) == "running threads"
    except (gdb.GdbError, gdb.error):
        return False


def boot():
    """Runs up to the monitor, unless the kernel has been there, or has stopped. A core stays what it is."""
    if build.core_file() is None and not has_booted():
        run()
    build.check()


def monitor():
    """Where the monitor begins: the kernel has booted when it comes there. Its name depends on the architecture."""
    text = gdb.execute("info functions -q -n kernel::monitor::main", to_string=True)
    names = re.findall(r"fn (kernel::monitor::main<[^(]*>)\(", text)
    found = gdb.lookup_static_symbol(names[0], gdb.SYMBOL_VAR_DOMAIN) if names else None
    if found is None:
        raise gdb.GdbError("the kernel has not booted yet, and has no monitor to run up to")
    return int(found.value().address)


def run():
    stop = gdb.Breakpoint("*%#x" % monitor(), type=gdb.BP_HARDWARE_BREAKPOINT, temporary=True, internal=True)
    stop.silent = True
    gdb.execute("continue", to_string=True)
    if not has_booted():
        raise gdb.GdbError("the kernel did not boot")


def cpus():
    """A line for each CPU."""
    places = {}
    before = gdb.selected_thread()
    for thread in gdb.selected_inferior().threads():
        thread.switch()
        places[thread.num - 1] = int(gdb.newest_frame().pc())
    if before is not None:
        before.switch()
    yield "  cpu  hardware id  state           phase, place"
    for slot in Report().slots:
        pc = places.get(slot.cpu)
        place = "; no registers" if pc is None else "; pc=%#x %s" % (pc, memory.place(pc))
        yield "%5d  %11s  %-14s  %s%s" % (slot.cpu, hex(slot.hw), slot.state(), phase(slot.cpu) or "-", place)


def log():
    """The lines in the log ring, the oldest first."""
    lock = memory.variable("kernel::console::RING")
    if lock is None:
        raise gdb.GdbError("the kernel has no log ring")
    ring = memory.field(lock, "slots")
    if ring is None:
        raise gdb.GdbError("the log ring is not what it was")
    slots, following = ring["slots"], int(ring["next"])
    first, last = slots.type.range()
    count = last - first + 1
    record = slots.type.target()
    at = {field.name: field.bitpos // 8 for field in record.fields()}
    trace = Trace()
    area = memory.read(int(slots.address), count * record.sizeof)
    for number in range(max(0, following - count), following):
        raw = area[number % count * record.sizeof :][: record.sizeof]
        cycles = int.from_bytes(raw[at["cycles"] :][:8], "little")
        text = raw[at["text"] :][: raw[at["len"]]].decode("utf-8", "replace")
        yield "%s %s" % (stamp(trace.ns(cycles), 6), text)


def percpu(name, cpu):
    """A CPU's copy of a variable."""
    template = memory.variable(name)
    if template is None or template.address is None:
        raise gdb.GdbError("no variable is called %s" % name)
    if not str(template.type.strip_typedefs()).startswith("percpu::PerCpu<"):
        raise gdb.GdbError("%s is one for all CPUs" % name)
    address = int(template.address)
    areas = memory.variable("percpu::area::AREAS")
    if areas is not None:
        most = areas.type.range()[1] + 1
        base = memory.words(int(areas.address) + cpu * memory.word_size())[0] if cpu < most else 0
        if base == 0:
            raise gdb.GdbError("CPU %d has no area: there is no such CPU" % cpu)
        address += base - memory.symbol("__per_cpu_start")
    elif cpu != 0:
        raise gdb.GdbError("a UP kernel has CPU 0 alone, not CPU %d" % cpu)
    value = memory.core(gdb.Value(memory.read(address, template.type.sizeof), template.type))
    return "%s of CPU %d at %#x: %s" % (name, cpu, address, value.format_string())
