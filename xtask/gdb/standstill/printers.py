"""Rust's own printers, which come with the toolchain, for optimised code: they fail on values that are not there, and gdb
prints the failure into the middle of a backtrace."""

import os.path
import sys

import gdb

ABSENT = "<optimized out>"


class Guarded:
    """A printer that never fails. gdb asks which methods there are, so that there must not be more than the printer has."""

    def __init__(self, printer):
        self.printer, self.failed = printer, False
        for name, method in (("children", self.all_children), ("display_hint", self.hint)):
            if hasattr(printer, name):
                setattr(self, name, method)

    def to_string(self):
        try:
            return self.printer.to_string() if hasattr(self.printer, "to_string") else None
        except Exception:
            self.failed = True
            return ABSENT

    def all_children(self):
        try:
            yield from self.printer.children()
        except Exception:
            yield "?", ABSENT

    def hint(self):
        try:
            return None if self.failed else self.printer.display_hint()
        except Exception:
            return None


def load(folder):
    """Registers the printers in `folder`, the toolchain's lib/rustlib/etc."""
    if not os.path.isfile(os.path.join(folder, "gdb_lookup.py")):
        raise gdb.GdbError("there are no printers of Rust in %s" % folder)
    sys.path.append(folder)
    import gdb_lookup

    # By whatever name the toolchain's version has for it: it is what it registers.
    class Registry:
        pretty_printers = []

    gdb_lookup.register_printers(Registry)

    def guarded(lookup):
        def look(value):
            try:
                found = lookup(value)
            except Exception:
                return None
            return found and Guarded(found)

        return look

    space = gdb.current_progspace()
    space.pretty_printers = [guarded(lookup) for lookup in Registry.pretty_printers]
