//! CPUs: their numbers, their masks, their hardware ids, and one state word each.

use core::sync::atomic::{AtomicU16, AtomicUsize, Ordering};

pub use cpumask::CpuId;
use percpu::Pin;
use smp_stop::CpuWord;

use crate::account::STOP;
use crate::arch::{Arch, HwId};
use crate::inject::{self, Place};

/// CPUs this build can run.
pub const NR_CPUS: usize = percpu::MAX_AREAS;

const WORDS: usize = cpumask::words(NR_CPUS as u32);

/// A set of CPUs of this build.
pub type CpuMask = cpumask::CpuMask<WORDS>;

/// A set of CPUs that others change while it is read.
pub type AtomicCpuMask = cpumask::AtomicCpuMask<WORDS>;

/// CPUs that may ever run in this boot: listed by firmware, within the build's and the command line's limits.
pub static POSSIBLE: AtomicCpuMask = AtomicCpuMask::new(CpuMask::EMPTY);
/// CPUs that are there.
pub static PRESENT: AtomicCpuMask = AtomicCpuMask::new(CpuMask::EMPTY);
/// CPUs past the online gate. Information for people and schedulers: what stops a CPU looks at its state word.
pub static ONLINE: AtomicCpuMask = AtomicCpuMask::new(CpuMask::EMPTY);
/// CPUs that new threads may be put on.
pub static ACTIVE: AtomicCpuMask = AtomicCpuMask::new(CpuMask::EMPTY);

percpu::percpu! {
    static CPU_NUMBER: AtomicUsize = AtomicUsize::new(0);
}

/// What the hardware calls each CPU, 32 bits on x86 and 40 on aarch64: in a word, which every CPU reads in one go.
static HW_ID: [AtomicUsize; NR_CPUS] = [const { AtomicUsize::new(NO_HW_ID) }; NR_CPUS];
/// No CPU's: a broadcast in x2APIC mode, and more than `MPIDR_EL1` has.
const NO_HW_ID: usize = usize::MAX;

/// The boot CPU is always logical CPU 0.
pub const BOOT_CPU: CpuId = CpuId::BOOT;

/// The state word of `cpu`. Ids come from this module's masks, so they are in range; one that is not is CPU 0's.
pub fn word(cpu: CpuId) -> &'static CpuWord {
    let area = STOP.area();
    area.word(cpu).or(area.word(BOOT_CPU)).unwrap_or(&NO_WORD)
}

/// What stands for the word of a CPU that an area of no CPUs would lack.
static NO_WORD: CpuWord = CpuWord::new();

/// Notes which hardware CPU `cpu` is.
pub fn set_hw_id(cpu: CpuId, hw: HwId) {
    if let Some(slot) = HW_ID.get(cpu.as_usize()) {
        slot.store(hw.0 as usize, Ordering::Release);
        guess(hw).store(cpu.as_u32() as u16, Ordering::Relaxed);
        STOP.area().set_hw_id(cpu, hw.0);
    }
}

/// The hardware id of `cpu`.
pub fn hw_id(cpu: CpuId) -> Option<HwId> {
    let raw = HW_ID.get(cpu.as_usize())?.load(Ordering::Acquire);
    (raw != NO_HW_ID).then_some(HwId(raw as u64))
}

/// Where in [`HW_ID`] to look first for a hardware id, so that hundreds of CPUs that all stop at once need not search.
static GUESS: [AtomicU16; NR_CPUS] = [const { AtomicU16::new(0) }; NR_CPUS];

/// The guess for `hw`. Ids of two levels, 16 CPUs to a cluster as on many an Arm machine, do not share one; nor do small numbers.
fn guess(hw: HwId) -> &'static AtomicU16 {
    let mixed = hw.0.wrapping_add(hw.0 >> 4) as usize;
    &GUESS[mixed % GUESS.len()]
}

/// The logical number of a hardware id, by search: for CPUs that have no per-CPU base to ask.
pub fn by_hw_id(hw: HwId) -> Option<CpuId> {
    let is_at = |at: usize| {
        HW_ID
            .get(at)
            .is_some_and(|slot| slot.load(Ordering::Acquire) == hw.0 as usize)
    };
    let guess = usize::from(guess(hw).load(Ordering::Relaxed));
    let at = if is_at(guess) {
        guess
    } else {
        (0..NR_CPUS).find(|at| is_at(*at))?
    };
    Some(CpuId::new(at as u32))
}

/// The executing CPU, found out from the hardware: for a CPU in any state, with a per-CPU base or without.
pub(crate) fn by_hardware<A: Arch>() -> Option<CpuId> {
    by_hw_id(A::hw_id()).filter(|_| inject::at(Place::Identify, 0).goes())
}

/// As [`by_hardware`], where no fault may hide it.
#[cfg(any(feature = "fault-injection", test))]
pub(crate) fn by_hardware_at_any_time<A: Arch>() -> Option<CpuId> {
    by_hw_id(A::hw_id())
}

/// The executing CPU, for a caller that may be moved right after: good enough for a message.
pub fn this_cpu<A: Arch>() -> Option<CpuId> {
    match percpu::is_ready() && A::base() != 0 {
        true => Some(CpuId::new(CPU_NUMBER.load::<A>() as u32)),
        false => by_hw_id(A::hw_id()),
    }
}

/// The executing CPU.
pub fn id<A: Arch>(_pin: &Pin) -> CpuId {
    CpuId::new(CPU_NUMBER.load::<A>() as u32)
}

/// Tells the executing CPU its number; its per-CPU base is installed.
pub(crate) fn set_this_cpu<A: Arch>(pin: &Pin, cpu: CpuId) {
    CPU_NUMBER.store::<A>(pin, cpu.as_usize());
}

/// The boot CPU enters all four masks and its own word says ONLINE.
pub(crate) fn boot_cpu_init(hw: HwId) {
    set_hw_id(BOOT_CPU, hw);
    for mask in [&POSSIBLE, &PRESENT, &ONLINE, &ACTIVE] {
        let _ = mask.set(BOOT_CPU);
    }
    // Refused only if this ran twice, which changes nothing.
    let _ = word(BOOT_CPU).boot_cpu_online();
}

/// Writes a CPU's number into its area, so that it knows it from its first instruction on.
pub(crate) fn set_number_of(cpu: CpuId) {
    if let Some(number) = CPU_NUMBER.remote(cpu.as_usize()) {
        number.store(cpu.as_usize(), Ordering::Release);
    }
}

/// CPUs named by a person: `all`, or a list such as `1,3-5`.
///
/// # Errors
/// A sentence: it is no list, or not all of them are online and active.
pub(crate) fn online_named(text: &str) -> Result<CpuMask, &'static str> {
    let online = ONLINE.snapshot().and(&ACTIVE.snapshot());
    let named = match text {
        "all" => online,
        list => list.parse().map_err(|_| "neither `all` nor a list of CPUs")?,
    };
    if named.is_subset(&online) && !named.is_empty() {
        Ok(named)
    } else {
        Err("not all of these CPUs are online")
    }
}
