"""gdb commands for Standstill: `ss cpus`, `ss log`, `ss stop-report`, `ss percpu VAR CPU`, `ss boot`.

`cargo xtask gdb` loads this. All that is shown is read from the kernel's memory, through the page tables of whichever CPU has
them; the layouts are those of crates/smp-stop/src/report/layout.rs, crates/kernel/src/console/ring.rs and
crates/kernel/src/phase.rs. A kernel that has not booted yet is first run up to its monitor, whose address xtask leaves in
$ss_monitor.
"""

import struct

import gdb

STATES = [
    "off", "starting", "online", "stop-requested", "saving", "parked", "lost", "dying", "saved",
]
REASONS = {1: "reboot", 2: "panic", 3: "crash"}
VERDICTS = {1: "stopped", 2: "partial", 3: "unavailable"}
WHYS = [
    "-", "STARTING_LOST", "LOST", "OFFLINE_LOST", "IRQ_OFF", "NMI_DEAF", "HARDWARE_DEAF", "STUCK",
    "NO_SIGNAL", "OWNER_DIED", "STILL_ON", "LATE", "NO_REGS",
]
VIAS = {
    0: "-", 1: "gate", 2: "second", 3: "hand-over", 4: "poll", 5: "offline path", 6: "owner",
    0x11: "interrupt", 0x12: "non-maskable", 0x13: "hardware",
}
HEADER, SLOT = 128, 384
NO_CPU = 0xFFFF


def word_size():
    return gdb.lookup_type("usize").sizeof


def variable(name):
    """A static of the kernel by its path; None if there is none."""
    found = gdb.lookup_static_symbol(name) or gdb.lookup_global_symbol(name)
    if found is not None:
        return found.value()
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


def phase(cpu):
    """What a CPU says it is doing; None before it says anything."""
    sentence = words(symbol("kernel::phase::PHASE") + cpu * word_size())[0]
    if sentence == 0:
        return None
    text, length = words(sentence, 2)
    return read(text, min(length, 200)).decode("utf-8", "replace")


def report():
    """The header of the stop report, and its slots in use."""
    start = symbol("kernel::stop::STOP")
    header = read(start, HEADER)
    fields = struct.unpack_from("<10IQQI", header, 8)
    _, _, header_len, slot_len, slots, used = fields[:6]
    if (header_len, slot_len) != (HEADER, SLOT):
        # Written when the first CPU comes online; before that there are no slots to speak of.
        raise gdb.GdbError("the kernel has no CPUs yet: it has not booted")
    used = min(used or slots, slots)
    return fields, [read(start + HEADER + n * SLOT, SLOT) for n in range(used)]


def has_booted():
    try:
        latch = report()[0][6]
        return latch & 3 != 0 or phase(0) == "running threads"
    except (gdb.GdbError, gdb.error):
        return False


def boot():
    """Runs up to the monitor, unless the kernel has been there, or has stopped."""
    if has_booted():
        return
    main = gdb.convenience_variable("ss_monitor")
    if main is None:
        raise gdb.GdbError("the kernel has not booted yet, and $ss_monitor does not say up to where to run")
    stop = gdb.Breakpoint("*%#x" % int(main), type=gdb.BP_HARDWARE_BREAKPOINT, temporary=True, internal=True)
    stop.silent = True
    gdb.execute("continue", to_string=True)
    if not has_booted():
        raise gdb.GdbError("the kernel did not boot")


def function_at(pc):
    block = gdb.execute("info symbol %#x" % pc, to_string=True).strip()
    return "" if block.startswith("No symbol") else block.split(" in section")[0]


class Ss(gdb.Command):
    """Standstill's own commands. `help ss` lists them."""

    def __init__(self):
        super().__init__("ss", gdb.COMMAND_USER, gdb.COMPLETE_NONE, True)


class Boot(gdb.Command):
    """Run the kernel up to its monitor."""

    def __init__(self):
        super().__init__("ss boot", gdb.COMMAND_RUNNING)

    def invoke(self, _argument, _tty):
        boot()


class Cpus(gdb.Command):
    """All CPUs: state, what each is doing, where it stands."""

    def __init__(self):
        super().__init__("ss cpus", gdb.COMMAND_STATUS)

    def invoke(self, _argument, _tty):
        boot()
        _, slots = report()
        places = {}
        before = gdb.selected_thread()
        for thread in gdb.selected_inferior().threads():
            thread.switch()
            places[thread.num - 1] = int(gdb.newest_frame().pc())
        if before is not None:
            before.switch()
        print("  cpu  hardware id  state           phase, place")
        for cpu, slot in enumerate(slots):
            raw, hw = struct.unpack_from("<I", slot, 0)[0], struct.unpack_from("<Q", slot, 32)[0]
            state = STATES[raw & 0xF] if raw & 0xF < len(STATES) else "nonsense"
            pc = places.get(cpu)
            place = "" if pc is None else "; pc=%#x %s" % (pc, function_at(pc))
            print("%5d  %11s  %-14s  %s%s" % (cpu, hex(hw), state, phase(cpu) or "-", place))


class StopReport(gdb.Command):
    """What came of the last stop, CPU by CPU."""

    def __init__(self):
        super().__init__("ss stop-report", gdb.COMMAND_STATUS)

    def invoke(self, _argument, _tty):
        boot()
        fields, slots = report()
        latch, verdict, reentries = fields[6:9]
        began, took = fields[10], fields[11]
        if latch & 3 == 0:
            print("nothing has been stopped")
            return
        owner = latch >> 16
        print(
            "%s by CPU %s: %s after %d ns, owner came again %d times"
            % (
                REASONS[latch & 3],
                "?" if owner & 0x8000 else owner,
                VERDICTS.get(verdict & 0xFF, "not over"),
                took,
                reentries,
            )
        )
        print("  cpu  state           stopped by      why             pc")
        for cpu, slot in enumerate(slots):
            raw, via, note, _, saved = struct.unpack_from("<5I", slot, 0)
            pc = struct.unpack_from("<Q", slot, 72)[0] if saved == 2 else None
            state = STATES[raw & 0xF] if raw & 0xF < len(STATES) else "nonsense"
            why = note & 0xFF
            print(
                "%5d  %-14s  %-14s  %-14s  %s"
                % (
                    cpu,
                    state,
                    VIAS.get(via, "?"),
                    WHYS[why] if why < len(WHYS) and cpu != owner else "-",
                    "-" if pc is None else "%#x %s" % (pc, function_at(pc)),
                )
            )


class Log(gdb.Command):
    """The kernel's log ring: what it said, also where the console is dead."""

    def __init__(self):
        super().__init__("ss log", gdb.COMMAND_STATUS)

    def invoke(self, _argument, _tty):
        lock = variable("kernel::console::RING")
        if lock is None:
            raise gdb.GdbError("the kernel has no log ring")
        ring = find_field(lock, "slots")
        if ring is None:
            raise gdb.GdbError("the log ring is not what it was")
        slots, following = ring["slots"], int(ring["next"])
        first, last = slots.type.range()
        count = last - first + 1
        size = slots.type.target().sizeof
        start = int(slots.address)
        record = slots.type.target()
        at = {field.name: field.bitpos // 8 for field in record.fields()}
        for number in range(max(0, following - count), following):
            raw = read(start + number % count * size, size)
            length = raw[at["len"]]
            print(raw[at["text"] : at["text"] + length].decode("utf-8", "replace"))


def find_field(value, name, depth=8):
    """The struct somewhere inside `value`, locks and cells around it, that has a field of this name."""
    try:
        fields = value.type.fields()
    except TypeError:
        return None
    if any(field.name == name for field in fields):
        return value
    for field in fields if depth else []:
        found = find_field(value[field], name, depth - 1)
        if found is not None:
            return found
    return None


class PerCpu(gdb.Command):
    """ss percpu VAR CPU: a CPU's copy of a per-CPU variable, by its path, as in kernel::cpu::CPU_NUMBER."""

    def __init__(self):
        super().__init__("ss percpu", gdb.COMMAND_DATA)

    def invoke(self, argument, _tty):
        arguments = gdb.string_to_argv(argument)
        if len(arguments) != 2 or not arguments[1].isdigit():
            raise gdb.GdbError("usage: ss percpu VAR CPU")
        name, cpu = arguments[0], int(arguments[1])
        boot()
        template = variable(name)
        if template is None or template.address is None:
            raise gdb.GdbError("no variable is called %s" % name)
        address = int(template.address)
        areas = variable("percpu::area::AREAS")
        if areas is not None:
            base = words(int(areas.address) + cpu * word_size())[0]
            if base == 0:
                raise gdb.GdbError("CPU %d has no area" % cpu)
            address += base - symbol("__per_cpu_start")
        elif cpu != 0:
            raise gdb.GdbError("a UP kernel has CPU 0 alone")
        value = gdb.Value(read(address, template.type.sizeof), template.type)
        print("%#x: %s" % (address, value.format_string(pretty_structs=True)))


for command in (Ss, Boot, Cpus, StopReport, Log, PerCpu):
    command()
