"""The report of the last stop: crates/smp-stop/src/report/layout.rs says what lies where."""

import struct

import gdb

from . import memory

HEADER, SLOT = 128, 512
# In a slot: what the CPU said, where it lies if it was not copied, and the text.
MESSAGE, STATIC, TEXT, TEXT_BYTES, WIDTH = 40, 48, 384, 128, 80
# Of the registers' machine: they are those of the code that saved them.
OWN = 1 << 16
STATES = [
    "off", "starting", "online", "stop-requested", "saving", "parked", "lost", "dying", "saved",
]
ORIGINS = 6
REASONS = {1: "reboot", 2: "panic", 3: "crash"}
VERDICTS = {1: "stopped", 2: "partial", 3: "unavailable"}
WHYS = [
    "-", "STARTING_LOST", "LOST", "OFFLINE_LOST", "IRQ_OFF", "NMI_DEAF", "HARDWARE_DEAF", "STUCK",
    "NO_SIGNAL", "OWNER_DIED", "STILL_ON", "LATE", "NO_REGS",
    "UNASKED",
]
VIAS = {
    0: "-", 1: "gate", 2: "second", 3: "hand-over", 4: "poll", 5: "offline path", 6: "owner",
    0x11: "interrupt", 0x12: "non-maskable", 0x13: "hardware",
}


class Report:
    """What the kernel's memory says of the last stop, or of the CPUs before any."""

    def __init__(self):
        start = memory.symbol("kernel::account::STOP")
        header = memory.read(start, HEADER)
        fields = struct.unpack_from("<9I2QI", header, 12)
        _, header_len, slot_len, slots, used, self.latch, self.verdict, self.reentries = fields[:8]
        self.began, self.took, self.former = fields[9:12]
        if (header[:8], header_len, slot_len) != (b"STOPRPRT", HEADER, SLOT):
            # Written when the first CPU comes online; before that there are no slots to speak of.
            raise gdb.GdbError("the kernel has no CPUs yet: it has not booted")
        used = min(used or slots, slots)
        area = memory.read(start + HEADER, used * SLOT)
        self.slots = [Slot(self, cpu, area[cpu * SLOT :][:SLOT]) for cpu in range(used)]

    def has_stopped(self):
        return self.latch & 3 != 0

    def owner(self):
        """The CPU that owns the stop; None if it is not known, or there is none."""
        return self.cpu_of(self.latch)

    def cpu_of(self, latch):
        return None if latch & 3 == 0 or latch >> 31 else latch >> 16

    def round(self):
        return self.verdict >> 16

    def lines(self):
        """As the kernel prints it, and behind each program counter its function."""
        head = "%5s %12s %-14s %-12s %11s %-13s %-18s" % (
            "cpu", "hardware id", "state", "stopped by", "after us", "why", "pc",
        )
        rows = [slot.line() for slot in self.slots if slot.matters()]
        return [self.summary(), head] + rows + [line for slot in self.slots for line in slot.said()]

    def summary(self):
        if not self.has_stopped():
            return "stop: none"
        # Of an owner that was replaced since the verdict does not count.
        final = self.verdict >> 24 == self.latch >> 6 & 0xFF and self.verdict & 0xFF in VERDICTS
        text = "stop: %s by CPU %s: " % (REASONS[self.latch & 3], shown(self.owner()))
        if final:
            text += "%s after %s us" % (VERDICTS[self.verdict & 0xFF], micros(self.took))
        else:
            text += "not finished"
        if self.former & 3:
            text += ", taken from CPU %s" % shown(self.cpu_of(self.former))
        if self.reentries:
            text += ", %d failures on the way" % self.reentries
        return text


class Slot:
    """What a report says of a CPU."""

    def __init__(self, report, cpu, raw):
        self.report, self.cpu = report, cpu
        self.word, self.via, self.note, _, self.saved = struct.unpack_from("<5I", raw)
        self.answered, self.hw = struct.unpack_from("<2Q", raw, 24)
        self.pc = struct.unpack_from("<Q", raw, 72)[0] if self.saved == 2 else None
        self.owns = report.owner() == cpu
        self.is_own = struct.unpack_from("<I", raw, 64)[0] & OWN != 0
        is_whole, count = struct.unpack_from("<2I", raw, MESSAGE)
        self.message = raw[TEXT:][: min(count, TEXT_BYTES)] if is_whole == 2 else None
        self.message_place = struct.unpack_from("<QI", raw, STATIC)

    def is_sound(self):
        return self.word & 0xF < len(STATES) and self.word >> 4 & 0xF < ORIGINS

    def state(self):
        return STATES[self.word & 0xF] if self.is_sound() else "?"

    def silent(self):
        """The number of the reason why it was silent at the end; 0 if it was not."""
        why = self.note & 0xFF
        counts = self.note >> 16 >= self.report.round() and not self.owns
        return why if counts and why < len(WHYS) else 0

    def why(self):
        silent, is_parked = self.silent(), self.state() == "parked" and not self.owns
        if silent:
            return "LATE" if is_parked else WHYS[silent]
        return "NO_REGS" if is_parked and self.pc is None else "-"

    def matters(self):
        """Whether it was ever released."""
        return self.owns or self.silent() or not self.is_sound() or self.word >> 8 or self.word & 0xF

    def line(self):
        after = "-"
        if self.via in VIAS and self.via and not self.owns:
            ns = self.answered - self.report.began
            # Before the beginning: clocks differ by a little, or it answered an owner before.
            if ns >= 0 or self.report.latch >> 6 & 0xFF <= 1:
                ns = max(0, ns)
                after = "%7d.%03d" % (min(ns // 1000, 9999999), ns % 1000)
        text = "%5d %12s %-14s %-12s %11s %-13s " % (
            self.cpu, hex(self.hw), "owner" if self.owns else self.state(), VIAS.get(self.via, "-"), after, self.why(),
        )
        if self.pc is None or self.owns and self.is_own:
            return text + "-"
        return text + "%#018x %s" % (self.pc, memory.place(self.pc))

    def said(self):
        """What the CPU stopped for, in lines that are short enough."""
        if self.message is None:
            at, count = self.message_place
            return ["CPU %d said what lies at %#x, %d bytes" % (self.cpu, at, count)] if count else []
        text = "".join(c if c.isprintable() else " " for c in self.message.decode(errors="replace"))
        parts = [text[n : n + WIDTH] for n in range(0, len(text), WIDTH)] or [""]
        return ["CPU %d said: %s" % (self.cpu, parts[0])] + ["    " + part for part in parts[1:]]


def micros(ns):
    return "%d.%03d" % (ns // 1000, ns % 1000)


def shown(cpu):
    return "?" if cpu is None else str(cpu)
