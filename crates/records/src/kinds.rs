//! The kinds of record, each with its fields in the order of the line.

use core::fmt;

use crate::cpu_list::CpuList;
use crate::line::{Damage, Field, Lookup, Record};
use crate::value::{MaybeCpu, OutOf, Put, Quoted, Take};

/// A record's type, how it is printed, how it is read, and what the documentation says of it, all from one list.
macro_rules! record {
    (
        $(#[doc = $doc:literal])*
        $name:ident $(<$($param:ident: $what:literal),*>)? = $kind:literal {
            $($(#[doc = $field_doc:literal])* $field:ident: $ty:ty = $key:literal,)*
            $(? $(#[doc = $last_doc:literal])* $last:ident: $last_ty:ty = $last_key:literal,)?
        }
    ) => {
        $(#[doc = $doc])*
        $($(#[doc = concat!("\n\n`", stringify!($param), "` is ", $what, ".")])*)?
        #[derive(Clone, Copy, Debug)]
        pub struct $name $(<$($param),*>)? {
            $($(#[doc = $field_doc])* pub $field: $ty,)*
            $($(#[doc = $last_doc])* #[doc = "\n\nMay be absent."] pub $last: Option<$last_ty>,)?
        }

        impl $(<$($param: Put),*>)? fmt::Display for $name $(<$($param),*>)? {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!("@", $kind))?;
                $(
                    f.write_str(concat!(" ", $key, "="))?;
                    self.$field.put(f)?;
                )*
                $(
                    if let Some(value) = &self.$last {
                        f.write_str(concat!(" ", $last_key, "="))?;
                        value.put(f)?;
                    }
                )?
                Ok(())
            }
        }

        impl<'a $($(, $param: Take<'a>)*)?> Record<'a> for $name $(<$($param),*>)? {
            const KIND: &'static str = $kind;
            const FIELDS: &'static [Field] = &[
                $(Field { name: $key, doc: concat!($($field_doc),*) },)*
                $(Field { name: $last_key, doc: concat!($($last_doc),*, " May be absent.") },)?
            ];
            const DOC: &'static str = concat!($($doc),*);

            fn read(line: &'a impl Lookup) -> Result<Self, Damage> {
                if line.kind() != $kind {
                    return Err(Damage::Kind($kind));
                }
                Ok(Self {
                    $($field: take(line, $key)?,)*
                    $($last: take_last(line, $last_key)?,)?
                })
            }
        }
    };
}

fn take<'a, T: Take<'a>>(line: &'a impl Lookup, key: &'static str) -> Result<T, Damage> {
    let value = line.get(key).ok_or(Damage::Missing(key))?;
    T::take(value).ok_or(Damage::Value(key))
}

fn take_last<'a, T: Take<'a>>(line: &'a impl Lookup, key: &'static str) -> Result<Option<T>, Damage> {
    let read = |value| T::take(value).ok_or(Damage::Value(key));
    line.get(key).map(read).transpose()
}

record! {
    /// This machine has been reset by this kernel before.
    Boot<W: "a word"> = "boot" {
        /// Which boot this is since the machine was turned on, from 2.
        n: u32 = "n",
        /// The way by which it was reset, as `@way` has it.
        by: W = "by",
    }
}

record! {
    /// What came of starting all CPUs.
    Cpus<S: "a set of CPUs"> = "cpus" {
        /// Those that this boot wanted, the boot CPU among them.
        expected: S = "expected",
        /// Those whose start the hardware did not refuse.
        started: S = "started",
        /// Those that are there.
        online: S = "online",
        /// Those that are not, for whatever reason.
        missing: S = "missing",
        /// Nanoseconds from the first release to the last arrival, or to the deadline.
        ns: u64 = "ns",
    }
}

record! {
    /// Firmware's list of CPUs is not all there: there may be CPUs that no table names.
    List<W: "a word"> = "list" {
        /// Whose list it is: `MADT`, `FDT`.
        source: W = "source",
        /// `no`.
        whole: W = "whole",
    }
}

impl Cpus<CpuList<'_>> {
    /// The boot CPU had no other to start.
    pub const fn alone() -> Self {
        let (boot, none) = (CpuList::BOOT, CpuList::EMPTY);
        Self {
            expected: boot,
            started: boot,
            online: boot,
            missing: none,
            ns: 0,
        }
    }
}

record! {
    /// The kernel is ready: the line that ends the boot.
    Ready<W: "a word", B: "hexadecimal digits"> = "ready" {
        /// As `--arch` names it.
        arch: W = "arch",
        /// `up` or `smp`.
        build: W = "build",
        /// CPUs online, out of those that this boot wanted.
        cpus: OutOf = "cpus",
        /// Nanoseconds since the kernel's first instruction.
        ns: u64 = "ns",
        /// RAM that the kernel can use, in KiB.
        mem_kib: u64 = "mem_kib",
        /// RAM in use, in KiB.
        mem_used_kib: u64 = "mem_used_kib",
        /// RAM beyond the kernel's reach, which is left alone, in KiB.
        mem_left_kib: u64 = "mem_left_kib",
        /// Bytes of each CPU's area.
        percpu_bytes: usize = "percpu_bytes",
        /// The id that the linker computed over the image.
        build_id: B = "build_id",
    }
}

record! {
    /// A CPU tells why the kernel ends; a second line is a failure while telling it.
    Panic<W: "a word", B: "hexadecimal digits", T: "text"> = "panic" {
        /// The CPU that tells.
        cpu: MaybeCpu = "cpu",
        /// For what reason the CPUs stand still: `panic` or `crash`, or a planned end that went wrong.
        reason: W = "reason",
        /// The id that the linker computed over the image whose addresses follow.
        build_id: B = "build_id",
        /// What happened.
        why: T = "why",
    }
}

record! {
    /// What became of one CPU in a stop: one line for each that is not off.
    Cpu<W: "a word", T: "text"> = "cpu" {
        /// Its logical number.
        n: u32 = "n",
        /// What its state word says: `parked`, `owner`, `stop-requested`, ...
        state: W = "state",
        /// How it came to stop: `interrupt`, `non-maskable`, `gate`, ..., or `-`.
        via: T = "via",
        /// What is wrong with it: `IRQ_OFF`, `NMI_DEAF`, ..., or `-`.
        why: W = "why",
        /// 1 if its registers were saved, else 0.
        regs: u32 = "regs",
    }
}

record! {
    /// What a stop came to. Each CPU that was ever released is in one of the sets, or the owner.
    Stop<S: "a set of CPUs", W: "a word", T: "text"> = "stop" {
        /// `stopped`, `partial` or `unavailable`.
        state: W = "state",
        /// Why the machine was stopped: `reboot`, `panic` or `crash`.
        reason: W = "reason",
        /// The CPU that stopped the others.
        owner: MaybeCpu = "owner",
        /// Those that stand still.
        stopped: S = "stopped",
        /// Those that are off.
        off: S = "off",
        /// Those that do not stand still, as far as the kernel knows.
        silent: S = "silent",
        /// Nanoseconds from the election of the owner to the verdict.
        took_ns: u64 = "took_ns",
        ?
        /// Why nothing could be done.
        why: T = "why",
    }
}

record! {
    /// How the run ends. Nothing but `@way` comes after it.
    End<W: "a word"> = "end" {
        /// `poweroff`, `reboot`, `panic` or `halt`.
        how: W = "how",
    }
}

record! {
    /// The way to reset or to turn off the machine that is tried next.
    Way<W: "a word"> = "way" {
        /// Its name: `acpi`, `kbd`, `psci`, ...
        name: W = "name",
    }
}

record! {
    /// What came of the monitor's `selftest`.
    Selftest = "selftest" {
        /// Checks that held.
        passed: u32 = "passed",
        /// Checks that did not.
        failed: u32 = "failed",
    }
}

record! {
    /// What came of taking CPUs off and bringing them back, again and again.
    Hotplug<S: "a set of CPUs"> = "hotplug" {
        /// Which.
        cpus: S = "cpus",
        /// How often each, at most.
        cycles: u32 = "cycles",
        /// How many went off.
        off: u64 = "off",
        /// How many came back.
        on: u64 = "on",
        /// Mean time to go off, in nanoseconds.
        off_ns: u64 = "off_ns",
        /// The longest of them.
        off_max_ns: u64 = "off_max_ns",
        /// Mean time to come back, in nanoseconds.
        on_ns: u64 = "on_ns",
        /// The longest of them.
        on_max_ns: u64 = "on_max_ns",
        /// Bytes of RAM in use before.
        pages_before: u64 = "pages_before",
        /// Bytes of RAM in use after.
        pages_after: u64 = "pages_after",
        /// Bytes of the heap in use before.
        heap_before: usize = "heap_before",
        /// Bytes of the heap in use after.
        heap_after: usize = "heap_after",
    }
}

record! {
    /// The owner of a stop started the others again, as a next kernel would.
    Next<S: "a set of CPUs", T: "text"> = "next" {
        /// Those that came.
        started: S = "started",
        /// Those that did not, or could not be asked.
        lost: S = "lost",
        /// Those that are not started: the boot CPU of a PC.
        left: S = "left",
        ?
        /// Why none could be started.
        why: T = "why",
    }
}

impl<'a> Next<CpuList<'a>, Quoted<'a>> {
    /// There is none to start.
    pub const fn none() -> Self {
        let none = CpuList::EMPTY;
        Self {
            started: none,
            lost: none,
            left: none,
            why: None,
        }
    }
}

record! {
    /// How many variables firmware has.
    EfiVars = "efivars" {
        /// How many.
        count: u32 = "count",
    }
}

/// Every kind: its word, what it says, and its fields.
pub fn catalogue() -> [(&'static str, &'static str, &'static [Field]); 13] {
    use crate::{Digits, Text};

    fn of<'a, R: Record<'a>>() -> (&'static str, &'static str, &'static [Field]) {
        (R::KIND, R::DOC, R::FIELDS)
    }

    [
        of::<Boot<&str>>(),
        of::<List<&str>>(),
        of::<Cpus<CpuList<'_>>>(),
        of::<Ready<&str, Digits<'_>>>(),
        of::<Selftest>(),
        of::<Hotplug<CpuList<'_>>>(),
        of::<EfiVars>(),
        of::<Panic<&str, Digits<'_>, Text<'_>>>(),
        of::<Cpu<&str, Text<'_>>>(),
        of::<Stop<CpuList<'_>, &str, Text<'_>>>(),
        of::<Next<CpuList<'_>, Text<'_>>>(),
        of::<End<&str>>(),
        of::<Way<&str>>(),
    ]
}
