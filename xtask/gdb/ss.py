"""gdb commands for Standstill: `help ss` lists them. `cargo xtask gdb` and `cargo xtask open` load this.

All that is shown is read from the kernel's memory, through the page tables of whichever CPU has them, or from a core. An ELF file
of another build than the kernel's is refused. A kernel that has not booted yet is first run up to its monitor.
"""

import os.path
import struct
import sys

import gdb

sys.dont_write_bytecode, before = True, sys.dont_write_bytecode
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from standstill import machine, printers  # noqa: E402
from standstill.report import Report  # noqa: E402
from standstill.trace import Trace  # noqa: E402

sys.dont_write_bytecode = before


class Ss(gdb.Command):
    """Standstill's own commands. `help ss` lists them."""

    def __init__(self):
        super().__init__("ss", gdb.COMMAND_USER, gdb.COMPLETE_NONE, True)


class Command(gdb.Command):
    """A command that takes words, and answers in lines."""

    words = ""
    kind = gdb.COMMAND_STATUS
    needs_kernel = True

    def __init__(self, name):
        super().__init__("ss " + name, self.kind)
        self.usage = ("usage: ss %s %s" % (name, self.words)).rstrip()

    def invoke(self, argument, _tty):
        given = gdb.string_to_argv(argument)
        least = len([word for word in self.words.split() if not word.startswith("[")])
        if not least <= len(given) <= len(self.words.split()):
            raise gdb.GdbError(self.usage)
        arguments = [self.number(word) if "CPU" in name else word for word, name in zip(given, self.words.split())]
        try:
            if self.needs_kernel:
                machine.boot()
            for line in self.lines(*arguments):
                print(line)
        except (gdb.error, OSError, struct.error) as error:
            raise gdb.GdbError(str(error))

    def number(self, word):
        if not (word.isascii() and word.isdecimal()):
            raise gdb.GdbError("%s is no number of a CPU; %s" % (word, self.usage))
        return int(word)


class Boot(Command):
    """Run the kernel up to its monitor."""

    kind = gdb.COMMAND_RUNNING

    def lines(self):
        return []


class Cpus(Command):
    """All CPUs: state, what each is doing, where it stands."""

    def lines(self):
        return machine.cpus()


class StopReport(Command):
    """What came of the last stop, CPU by CPU."""

    def lines(self):
        return Report().lines()


class TraceOf(Command):
    """What the CPUs did, or one of them: ss trace [CPU]"""

    words = "[CPU]"

    def lines(self, cpu=None):
        return Trace().lines(cpu)


class Log(Command):
    """The kernel's log ring: what it said, also where the console is dead."""

    def lines(self):
        return machine.log()


class Printers(Command):
    """Show values as Rust writes them, by the printers of a toolchain: ss printers SYSROOT/lib/rustlib/etc"""

    words = "FOLDER"
    kind = gdb.COMMAND_DATA
    needs_kernel = False

    def lines(self, folder):
        printers.load(folder)
        return []


class PerCpu(Command):
    """A CPU's copy of a per-CPU variable, by its path: ss percpu kernel::cpu::CPU_NUMBER 1"""

    words = "VAR CPU"
    kind = gdb.COMMAND_DATA

    def lines(self, name, cpu):
        return [machine.percpu(name, cpu)]


Ss()
Boot("boot")
Cpus("cpus")
StopReport("stop-report")
TraceOf("trace")
Log("log")
PerCpu("percpu")
Printers("printers")
