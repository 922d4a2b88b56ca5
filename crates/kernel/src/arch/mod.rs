//! What the kernel asks of an architecture: small capability traits, and [`Arch`], their sum.
//!
//! The rule is that an algorithm never lives behind one of these. A method does one thing the hardware does, is as short
//! as the hardware allows, and says in which state it may be called. What a build lacks is absent from the type: the
//! traits for more than one CPU exist in the `smp` module only, and a UP build has no such module.

use core::fmt;
use core::ops::Range;

use boot_info::cmdline::Param;
use boot_info::{BootInfo, MemRegion};
use cpumask::CpuId;
use paging::{Cache, Prot, Space, TableMemory};
use smp_stop::Registers;

mod memory;
pub mod platform;
mod ram;
#[cfg(feature = "smp")]
mod smp;
#[cfg(not(feature = "smp"))]
mod up;

pub use memory::{InStep, OutOfMemory};
pub use platform::Platform;
pub use ram::{EarlyRam, InPhysmap};
#[cfg(feature = "smp")]
pub use smp::{
    BootBlock, Bound, Door, Ipi, Rung, RungKind, SignalError, SmpArch, SmpBringUpOps, SmpHotplugOps,
    SmpStopOps, StartError, Targets,
};
#[cfg(not(feature = "smp"))]
pub use up::SmpArch;

/// A CPU as the hardware names it: 32-bit APIC id, or the affinity fields of `MPIDR_EL1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HwId(pub u64);

impl fmt::Display for HwId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

/// All of an architecture.
pub trait Arch:
    BootOps
    + ConsoleOps
    + PerCpuOps
    + IrqOps
    + TimeOps
    + MmuOps
    + ThreadOps
    + StopOps
    + EfiOps
    + PowerOps
    + SmpArch
    + Send
    + Sync
    + 'static
{
    /// As in the banner, the readiness line and `--arch`.
    const NAME: &'static str;
}

/// From the first Rust instruction to the end of `setup_arch`. Boot CPU only, interrupts off.
pub trait BootOps {
    /// Words of the command line that only this architecture knows. They are read before memory is set up.
    const PARAMS: &'static [Param] = &[];

    /// Identifies the executing CPU by hardware. Called first of all: must need nothing that is set up later.
    fn smp_setup_processor_id() -> HwId;

    /// The cycle counter as it stood at the kernel's first instruction.
    fn entry_cycles() -> u64;

    /// Whatever randomness the hardware and the boot loader give, mixed with the cycle counter; never blocks.
    /// May be weak on machines without a source; is never constant.
    fn entropy() -> usize;

    /// Fills `info` from what the boot loader handed over. Damaged input leaves fields empty and is logged.
    ///
    /// # Errors
    /// A sentence, when there is nothing to boot from (no memory map at all).
    fn boot_info(info: &mut BootInfo) -> Result<(), &'static str>;

    /// Reads the loader's memory map once more: each of the regions that [`Self::boot_info`] put into `info`, or folded into
    /// others, goes to `each`, and each range of memory that was looked at for it to `seen`. Before the final page tables.
    ///
    /// # Errors
    /// A sentence, when it cannot be read to its end.
    fn memory_map(
        info: &BootInfo,
        seen: &mut dyn FnMut(Range<u64>),
        each: &mut dyn FnMut(MemRegion),
    ) -> Result<(), &'static str>;

    /// Reserves what only the architecture knows: firmware areas in use, the blob the device tree lies in, low memory
    /// the AP trampoline needs. RAM is already added; image and initrd are already reserved.
    fn reserve(info: &BootInfo, ram: &mut EarlyRam<'_>);

    /// Where the image lies: physical addresses of `_text` .. `_end`.
    fn image_phys() -> Range<u64>;

    /// Reads the CPU list and the devices the kernel itself needs from ACPI or the device tree. The final page tables
    /// are on; [`crate::mm::firmware_slice`] and [`crate::mm::ioremap`] work; there is no heap yet.
    ///
    /// # Errors
    /// A sentence. The kernel goes on with what `platform` holds then: at least the boot CPU.
    fn discover(info: &BootInfo, platform: &mut Platform) -> Result<(), &'static str>;
}

/// The serial console, polled and without a lock, from the first Rust instruction on and in a dying kernel.
pub trait ConsoleOps {
    /// Writes all of `bytes`; false while no console is known (the log ring keeps the text and replays it later).
    /// A transmitter that does not drain is given up after a bounded number of polls.
    fn console_write(bytes: &[u8]) -> bool;

    /// One received byte, if there is one.
    fn console_read() -> Option<u8>;

    /// `earlycon=VALUE` was on the command line, VALUE empty when it was bare.
    ///
    /// # Errors
    /// A sentence for the log when the value means nothing here.
    fn earlycon(value: &str) -> Result<(), &'static str>;

    /// Turns the receive interrupt on; from then on [`crate::input_ready`] is called for it.
    ///
    /// # Errors
    /// A sentence when the interrupt cannot be routed: the monitor then polls.
    fn enable_rx_interrupt() -> Result<(), &'static str>;
}

/// The per-CPU base register.
pub trait PerCpuOps: percpu::ThisCpu {
    /// Writes the header of a new area: the stack canary the CPU starts with, where the ABI keeps it there (x86). Done by
    /// the boot CPU before the area is anybody's base, so that functions entered under one base may return under another.
    ///
    /// # Safety
    /// `area` is a filled area that is nobody's base yet (a UP build passes the section itself, which is).
    unsafe fn fill_header(area: usize, canary: usize);

    /// Makes `area` (see [`percpu::area`]; a UP build passes the section itself) the executing CPU's base, along with
    /// whatever per-CPU descriptor tables live in it.
    ///
    /// # Safety
    /// `area` must be a filled area that no other CPU uses. Interrupts are off.
    unsafe fn install(cpu: CpuId, area: usize);

    /// Identifies the executing CPU by hardware, with no per-CPU base: for panics on a CPU nobody set up.
    fn hw_id() -> HwId;
}

/// Interrupts of the executing CPU, and the controller.
pub trait IrqOps {
    /// Turns interrupts off and returns whether they were on.
    fn irq_save() -> bool;

    /// Turns interrupts on again if `was_on`.
    fn irq_restore(was_on: bool);

    /// Turns interrupts on.
    fn irq_enable();

    /// With interrupts off on entry and on return: waits until one is pending, and lets it be taken. Enabling and
    /// waiting are one step, so an interrupt that comes in between still ends the wait.
    fn wait_for_interrupt();

    /// Sets up the interrupt controller and this CPU's part of it. Boot CPU, once, heap available.
    ///
    /// # Errors
    /// A sentence; fatal.
    fn init_irqs(platform: &Platform) -> Result<(), &'static str>;
}

/// The free-running counter and the executing CPU's one-shot timer.
pub trait TimeOps {
    /// The counter: starts at or before the kernel's entry, the same on all CPUs up to a few hundred cycles.
    fn cycles() -> u64;

    /// Counter frequency in Hz when it is known without measuring; else `None`, and [`Self::calibrate`] is called later.
    fn known_hz() -> Option<u64>;

    /// Measures the counter (and the timer, where it has a clock of its own) against a reference. Boot CPU, once,
    /// interrupts off; takes some milliseconds at most.
    ///
    /// # Errors
    /// A sentence when no reference clock answered.
    fn calibrate(platform: &Platform) -> Result<u64, &'static str>;

    /// Sets up the executing CPU's timer, silent.
    fn init_timer();

    /// One interrupt as soon as the counter has reached `at`, which may lie in the past. Replaces an earlier call. May
    /// fire early (a timer narrower than the counter); the handler looks at the clock and asks again.
    fn set_timer(at: u64);
}

/// A mapping that must be there from the moment the final tables are on.
#[derive(Clone, Copy, Debug)]
pub struct FixedMapping {
    /// First virtual address, page aligned.
    pub va: usize,
    /// First physical address, page aligned.
    pub pa: u64,
    /// Bytes, whole pages.
    pub len: usize,
    /// Access.
    pub prot: Prot,
    /// Memory type.
    pub cache: Cache,
}

/// A second root table that must agree with the kernel's in some slots: i386's `initial_page_table`, x86_64's
/// `trampoline_pgd`. Whoever runs on it (a starting CPU, EFI, the real-mode reboot) dies if it does not.
#[derive(Clone, Copy, Debug)]
pub struct ShadowRoot {
    /// As in reports.
    pub name: &'static str,
    /// Physical address of the root table.
    pub root: u64,
    /// Slots of the kernel's root, and the first slot of the shadow they are copied to.
    pub copies: &'static [(Slots, usize)],
}

/// A half-open range of slots; `core::ops::Range` is not `Copy`.
#[derive(Clone, Copy, Debug)]
pub struct Slots {
    /// First slot.
    pub start: usize,
    /// One past the last.
    pub end: usize,
}

/// The MMU. The kernel has three windows of address space: the image at the address it is linked for, all RAM in a row
/// (physmap), and one where pages are mapped singly (vmap: stacks, device registers; in a part of its own, per-CPU areas).
pub trait MmuOps {
    /// Tables of the kernel's format, or formats, with the features this CPU has.
    type Space<M: TableMemory>: Space;

    /// First address of the image window, where `_text` is linked.
    const IMAGE_BASE: usize;
    /// Where physical address [`Self::PHYSMAP_FIRST`] appears.
    const PHYSMAP_BASE: usize;
    /// Lowest physical address in the physmap: 0 unless RAM starts far up.
    const PHYSMAP_FIRST: u64 = 0;
    /// Bytes of RAM the physmap can hold; RAM above is reported and left alone.
    const PHYSMAP_SIZE: u64;
    /// The vmap window.
    const VMAP: Range<usize>;
    /// Where per-CPU areas are mapped, in an SMP build. Where there are shadow roots it shares no top-level entry with
    /// anything else, so that the areas of a boot are missing from a shadow that is not brought in step after they were made.
    const AREAS: Range<usize>;

    /// The address space below `root`. Which format it has is settled once the command line has been read.
    ///
    /// # Safety
    /// As for [`paging::Mapper::new`].
    unsafe fn space<M: TableMemory>(root: u64, memory: M) -> Self::Space<M>;

    /// Physical address of the zeroed page that shall become the kernel's root table, where the architecture has one of
    /// its own (`swapper_pg_dir`); else one is allocated.
    fn kernel_root() -> Option<u64>;

    /// The tables that must be kept in step with the kernel's root; empty where there is none.
    fn shadow_roots() -> &'static [ShadowRoot];

    /// RAM that the physmap window reaches before the final tables are on; at least 2 MiB of it besides the image.
    fn early_reach() -> Range<u64>;

    /// What must be mapped beside image and physmap from the first moment (the early console's registers). Asked once.
    fn fixed_mappings() -> &'static [FixedMapping];

    /// Makes `root` the executing CPU's kernel root and flushes all translations, global ones too.
    ///
    /// # Safety
    /// `root` must map all that is running: image, stack, physmap.
    unsafe fn activate(root: u64);

    /// Called after mappings were added, before they are used: the barrier that makes table writes visible to table
    /// walks, where the architecture needs one (`dsb ishst; isb`).
    fn tables_changed();

    /// Drops the executing CPU's translation of one page.
    fn flush_page(va: usize);
}

/// Kernel threads.
pub trait ThreadOps {
    /// Lays out a new stack so that [`Self::switch`] to the returned stack pointer calls `entry(arg)` with interrupts
    /// off, a zero frame pointer and a return address of zero (both end a backtrace of the kernel's own).
    ///
    /// # Safety
    /// `top` is the 16-byte-aligned end of a writable stack nobody uses.
    unsafe fn prepare_stack(top: usize, entry: extern "C" fn(usize) -> !, arg: usize) -> usize;

    /// Saves callee-saved state on the running stack, stores the stack pointer to `prev`, makes `canary` this CPU's
    /// stack canary where the ABI has one per CPU, and continues at `next`. Returns when somebody switches back.
    ///
    /// # Safety
    /// `next` came from [`Self::prepare_stack`] or an earlier switch and is switched to once. Interrupts are off.
    unsafe fn switch(prev: *mut usize, next: usize, canary: usize);

    /// Sets the canary the compiler's stack protector compares with on this CPU (all CPUs, where it is one global).
    ///
    /// # Safety
    /// No caller up the stack may return through a check of the old value.
    unsafe fn set_canary(canary: usize);

    /// The frame pointer of the caller: address of (saved frame pointer, return address).
    fn frame_pointer() -> usize;

    /// Tells a debugger, in the tables that it reads, that the caller is the outermost function of its stack. No instruction;
    /// inlined, and before any call.
    fn is_outermost();

    /// Tells the hardware or the vectors which stack the executing CPU is on now: `bottom` is its lowest address.
    fn note_stack(bottom: usize);
}

/// What a CPU does to stand still. None of these may take a lock, allocate, print, or need a per-CPU base: each may run in
/// a handler that broke into anything, and again inside itself.
pub trait StopOps {
    /// Writes the registers of the caller, for a CPU that stops of its own accord: at least program counter, stack and
    /// frame pointer of the calling function.
    fn save_regs(out: &mut Registers);

    /// Called in each turn of a wait for other CPUs, with interrupts off. Lets them run where they share a core, or an
    /// emulator's thread.
    fn relax();

    /// Caches and the local interrupt controller in order: the last thing before the CPU says that it stands still.
    fn quiesce();

    /// The park loop: interrupts off, for ever, in code that lies in a page of its own and stores nowhere. A non-maskable
    /// interrupt comes back to it.
    fn park() -> !;
}

/// What firmware that is an EFI needs of the CPU that calls it.
pub trait EfiOps {
    /// Sees to it that [`Self::on_identity`] will find `regions`, whole pages of physical memory, mapped to themselves,
    /// writable and executable. Boot CPU, once; the shadow roots are brought in step afterwards.
    ///
    /// # Errors
    /// A sentence: they cannot be.
    fn map_identity(regions: &[Range<u64>]) -> Result<(), &'static str>;

    /// Calls `call` with these regions mapped to themselves beside all that the kernel maps: in physical mode, as firmware
    /// calls it.
    ///
    /// # Safety
    /// Interrupts are off. `call` may be firmware, which must be done with its regions when it returns.
    unsafe fn on_identity<R>(tables: &InStep, call: impl FnOnce() -> R) -> R;

    /// Calls `call`, which may be firmware, with the registers for floating point and vectors as firmware expects to find
    /// them (UEFI 2.10, 2.3). Interrupts are off.
    fn with_fpu<R>(call: impl FnOnce() -> R) -> R;
}

/// A way to reset the machine, or to turn it off.
#[derive(Clone, Copy, Debug)]
pub struct Way {
    /// As in the log; `reboot=` knows it by its first letter, which is Linux's. Eight bytes at most.
    pub name: &'static str,
    /// Whether this machine has it, as far as can be told: one that it lacks is neither announced nor tried.
    pub is_there: fn() -> bool,
    /// Tries it.
    pub go: Go,
}

/// For a [`Way`] of which only trying tells whether the machine has it.
pub const fn perhaps() -> bool {
    true
}

/// What a [`Way`] needs. All of these return if nothing came of it, after a bounded wait.
#[derive(Clone, Copy, Debug)]
pub enum Go {
    /// Nothing.
    Direct(fn()),
    /// To leave the kernel's root table for a shadow of it, which must be in step.
    OnShadow(fn(&InStep)),
}

/// The ends of a machine's life.
pub trait PowerOps {
    /// The ways to reset the machine, in the order in which they are tried.
    fn resets() -> &'static [Way];

    /// The ways to turn it off, likewise.
    fn power_offs() -> &'static [Way];

    /// Writes `len` bytes at `va` back to memory, so that they outlive a reset of the caches. Nothing to do where a reset
    /// leaves them coherent.
    fn write_back(va: usize, len: usize);

    /// Nothing is left to be done: waits with interrupts off, for ever.
    fn halt() -> !;

    /// Executes an instruction that no CPU defines.
    fn undefined_instruction();

    /// What [`Self::die`] is called among the ways to reset the machine.
    const DEATH: &'static str;

    /// Resets or hangs the machine without a word, as a fault no handler can take does: the last resort of a kernel that
    /// fails whatever it does, and for the runner's own tests.
    fn die() -> !;

    /// Takes the executing CPU's vectors away and raises an exception: the machine is reset or the CPU takes exceptions for
    /// ever, without a word. For the same tests.
    fn lose_vectors();
}
