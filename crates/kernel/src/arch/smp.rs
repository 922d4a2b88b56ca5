//! What more than one CPU asks of an architecture.

use core::fmt;
use core::sync::atomic::{AtomicU32, Ordering};

use cpumask::CpuId;
use smp_stop::Generation;
pub use smp_stop::smp::{Bound, Rung, SignalError, Targets};
pub use smp_stop::{Door, RungKind};

use super::{HwId, InStep, OutOfMemory};

/// All a secondary CPU is told, one block per CPU, never shared. It is used again for a later start only once the CPU has
/// come through the gate and gone off again, or was never released: one that was given up finds its block as it was, and is
/// never started again. Read by entry assembly, possibly with caches off.
#[repr(C, align(64))]
#[derive(Debug)]
pub struct BootBlock {
    /// Offset 0. The CPU as the hardware names it.
    pub hw: HwId,
    /// Offset 8. Physical address of the kernel's root table.
    pub root: u64,
    /// Offset 16. End of the stack to start on, 16-byte aligned; the CPU's idle thread's.
    pub stack_top: u64,
    /// Offset 24. The CPU's per-CPU area.
    pub area: u64,
    /// Offset 32. Stack canary to start with.
    pub canary: u64,
    /// Offset 40. Logical number.
    pub cpu: u32,
    /// Offset 44. Generation of this start, for the online gate.
    pub generation: AtomicU32,
    /// Offset 48. What the CPU comes through with its first Rust instruction. If the boot CPU gave the start up this is
    /// [`Door::REVOKED`], and entry code that sees it before it uses the stack parks.
    pub door: Door,
}

impl BootBlock {
    /// The CPU's logical number.
    pub fn cpu_id(&self) -> CpuId {
        CpuId::new(self.cpu)
    }

    /// The generation of this start.
    pub fn generation(&self) -> Generation {
        Generation::from_raw(self.generation.load(Ordering::Relaxed))
    }

    /// Makes the block one for the start of `generation`. The CPU is off. True if it came unasked before, and waits.
    pub(crate) fn renew(&self, generation: Generation) -> bool {
        self.generation.store(generation.get(), Ordering::Relaxed);
        self.door.open()
    }

    /// Whether the CPU has reached Rust.
    pub fn is_alive(&self) -> bool {
        self.door.is_through()
    }
}

const _: () = assert!(core::mem::offset_of!(BootBlock, canary) == 32);
const _: () = assert!(core::mem::offset_of!(BootBlock, generation) == 44);
const _: () = assert!(core::mem::offset_of!(BootBlock, door) == 48);

/// Why a CPU could not even be asked to start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartError {
    /// The hardware or firmware knows no such CPU (PSCI `INVALID_PARAMETERS`).
    NoSuchCpu,
    /// Firmware says it is running already (PSCI `ALREADY_ON`, `ON_PENDING`).
    AlreadyOn,
    /// Firmware refused (PSCI `DENIED`, `INTERNAL_FAILURE`, `NOT_SUPPORTED`); its code.
    Firmware(i32),
    /// The signal could not be sent: the interrupt controller stayed busy.
    NotDelivered,
    /// The CPU's word does not say OFF, or a stop has forbidden all starts.
    NotOff,
    /// On this machine it cannot be done at all, and why.
    Impossible(&'static str),
}

impl fmt::Display for StartError {
    /// What comes after "could not be started".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoSuchCpu => "firmware knows no such CPU",
            Self::AlreadyOn => "firmware says that it is on already",
            Self::Firmware(code) => return write!(f, "firmware refused with code {code}"),
            Self::NotDelivered => "the signal could not be sent",
            Self::NotOff => "it is not off, or the machine is being stopped",
            Self::Impossible(why) => why,
        })
    }
}

/// Starting CPUs.
pub trait SmpBringUpOps {
    /// Gives `cpu` what it needs of its own beside stack and area, such as stacks for the exceptions that cannot use the
    /// running one. Its area is filled. Called for each CPU once, before its first start, and before the tables are in step:
    /// may map memory.
    ///
    /// # Errors
    /// When there is no memory; the CPU stays off.
    fn prepare_cpu(cpu: CpuId) -> Result<(), OutOfMemory> {
        let _ = cpu;
        Ok(())
    }

    /// Before each round of starts: copies the code that CPUs start with, and fills its table. The blocks are all that there
    /// are by now, also those of CPUs that run, or that were given up and may still come.
    fn prepare_entry(blocks: &[&'static BootBlock], tables: &InStep) {
        let _ = (blocks, tables);
    }

    /// Brings the CPUs that are `coming` from wherever they were left to where a start finds them. They are off, and stay
    /// off.
    fn prepare_start(coming: &[&'static BootBlock]);

    /// After each round of starts: CPUs that came though no start was meant for them, and for which there is no block,
    /// go back to where they waited. How many there were.
    fn send_back() -> usize {
        0
    }

    /// Whether `hw` is such a CPU and has not been sent back. Called from stops: takes no lock.
    fn waits_unasked(hw: HwId) -> bool {
        let _ = hw;
        false
    }

    /// Releases the CPU of `block` and returns without waiting for it to arrive. `attempt` is 0 the first time; a CPU
    /// that did not become alive is asked again with 1 and more (x86: the second SIPI; PSCI: nothing to repeat). Interrupts
    /// are off, and stay off: nothing takes long here.
    ///
    /// # Errors
    /// Why it could not be asked.
    ///
    /// # Safety
    /// The block and all it points to are complete and live for ever.
    unsafe fn start(block: &'static BootBlock, tables: &InStep, attempt: u32) -> Result<(), StartError>;

    /// How long the caller of [`Self::start`] has to do nothing before it starts another CPU, if at all.
    fn start_pause_ns() -> Option<u64> {
        None
    }

    /// On the started CPU, after its per-CPU base is installed: its part of interrupt controller, MMU features, timer.
    fn init_secondary();
}

/// Taking a CPU off, so that it can come back. The CPU itself leaves as one that is stopped does: by
/// [`quiesce`](crate::arch::StopOps::quiesce) and [`park`](crate::arch::StopOps::park), and [`SmpBringUpOps::start`] must
/// find it there.
pub trait SmpHotplugOps {
    /// Whether `cpu` could be started again once it is off.
    ///
    /// # Errors
    /// A sentence that says why it has to stay.
    fn can_come_back(cpu: CpuId) -> Result<(), &'static str>;

    /// Has all device interrupts delivered to `hw`, which is online. One caller at a time; a thread.
    ///
    /// # Errors
    /// A sentence, where the interrupt controller cannot; nothing has changed then.
    fn route_devices(hw: HwId) -> Result<(), &'static str>;
}

/// Reasons to interrupt another CPU, beside stopping it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ipi {
    /// Look at your run queue ([`crate::sched::resched_interrupt`]); also ends an idle wait.
    Resched,
    /// A non-maskable interrupt, for a handler that finds no stop; may also be sent to the executing CPU. Lost where there
    /// is none.
    NonMaskable,
}

/// Signals between CPUs, and what the hardware knows of a CPU that does not answer.
pub trait SmpStopOps {
    /// Interrupts `hw`. Takes no lock and waits only a bounded time; a signal to a CPU that is off is lost.
    fn send_ipi(hw: HwId, ipi: Ipi);

    /// The ways to make another CPU stop, in rising order of force: the polite one first, so that locks are released and
    /// the console stays usable. Empty while there is no interrupt controller.
    fn rungs() -> &'static [Rung];

    /// Sends the signal of `rung`, an index into [`Self::rungs`], to all of `targets`; in one go where the hardware has a
    /// broadcast and [`Targets::is_everyone_else`] holds. Waits only a bounded time, takes no lock. The handler on the
    /// other side calls [`crate::smp::stop_signal`].
    ///
    /// # Errors
    /// [`SignalError`] if nothing was sent.
    fn signal(rung: usize, targets: &Targets<'_>) -> Result<(), SignalError>;

    /// Whether the hardware says that `hw` is powered off (PSCI `AFFINITY_INFO`); `None` where it has no view.
    fn hw_off(hw: HwId) -> Option<bool>;

    /// Whether [`Self::hw_off`] ever says that a CPU is off.
    fn sees_power() -> bool;
}

/// What an architecture adds in an SMP build.
pub trait SmpArch: SmpBringUpOps + SmpHotplugOps + SmpStopOps {}

impl<A: SmpBringUpOps + SmpHotplugOps + SmpStopOps> SmpArch for A {}
