"""What the CPUs did: crates/trace/src/layout.rs says what lies where, crates/trace/src/event.rs what it means."""

import struct

import gdb

from . import memory

HEADER, RING_HEADER, EVENT, EVENTS = 128, 64, 16, 128
RING = RING_HEADER + EVENTS * EVENT
MOST_CPUS = 0x7FFF
PHASES = [
    "first code", "machine", "page tables", "firmware tables", "CPU numbers", "per-CPU areas", "memory", "scheduler",
    "interrupts", "time", "other CPUs", "first thread", "ready",
]
KINDS = {
    1: lambda small, _: "boot: " + PHASES[small] if small < len(PHASES) else None,
    2: lambda by, attempt: "started by CPU %d" % by + (" again, attempt %d" % (attempt + 1) if attempt else ""),
    3: lambda *_: "first code",
    4: lambda *_: "online",
    5: lambda by, _: "given up by CPU %d" % by,
    6: lambda *_: "on its way off",
    7: lambda *_: "off",
    8: lambda rung, _: "stop signal %d to all that have not answered" % rung,
    9: lambda to, _: "interrupts CPU %d" % to,
    10: lambda *_: "interrupted by another CPU",
    11: lambda _, thread: "switches to thread %d" % thread,
    12: lambda _, ns: "interrupts were off for %d.%03d us" % (ns // 1000, ns % 1000),
}


class Trace:
    """Header and rings."""

    def __init__(self):
        self.start = memory.symbol("kernel::trace::TRACE")
        header = memory.read(self.start, HEADER)
        version, _, ring_len, events = struct.unpack_from("<4I", header, 8)
        if header[:8] != b"STNDTRAC":
            raise gdb.GdbError("the kernel has no trace yet: it has not booted")
        if (version, ring_len, events) != (1, RING, EVENTS):
            raise gdb.GdbError("a trace of version %d with %d events in %d bytes is not known here" % (version, events, ring_len))
        count, self.rings, self.entry, self.mult, self.shift = struct.unpack_from("<IQQII", header, 28)
        self.count = min(count, MOST_CPUS) if self.rings else 0

    def ns(self, cycles):
        """Since the kernel's first instruction; cycles where nobody knows how long one is."""
        since = max(0, cycles - self.entry)
        return since * self.mult >> min(self.shift, 32) if self.mult else since

    def lines(self, only):
        """The events of the CPU `only`, or of all, by time, and how many were recorded."""
        if only is not None and only >= max(1, self.count):
            raise gdb.GdbError("there is no CPU %d: the trace is of %d" % (only, max(1, self.count)))
        rings = [(0, memory.read(self.start + HEADER, RING))]
        if self.count:
            area = memory.read(self.rings, self.count * RING)
            rings += [(cpu, area[cpu * RING :][:RING]) for cpu in range(self.count)]
        told = [event for cpu, ring in rings if only in (None, cpu) for event in events(cpu, ring)]
        told.sort(key=lambda event: event[0])
        recorded = sum(struct.unpack_from("<I", ring)[0] for _, ring in rings)
        lines = [self.line(*event) for event in told]
        return lines + ["%d events shown, %d recorded by all CPUs" % (len(told), recorded)]

    def line(self, cycles, cpu, text):
        return "%s CPU %-3d %s" % (stamp(self.ns(cycles), 9), cpu, text)


def stamp(ns, digits):
    return "[%5d.%0*d]" % (ns // 10**9, digits, ns % 10**9 // 10 ** (9 - digits))


def events(cpu, ring):
    """The whole events of a ring, oldest first: those of the lap they should be of."""
    head = struct.unpack_from("<I", ring)[0]
    for number in range(head - min(head, EVENTS), head):
        cycles, what, large = struct.unpack_from("<QII", ring, RING_HEADER + number % EVENTS * EVENT)
        kind, lap, small = what & 0xFF, what >> 8 & 0xFF, what >> 16
        text = KINDS[kind](small, large) if kind in KINDS else None
        if lap == number // EVENTS & 0xFF and text is not None:
            yield cycles, cpu, text
