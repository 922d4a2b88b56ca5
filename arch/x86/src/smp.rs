//! More than one CPU: starting them, signals between them.

use alloc::vec::Vec;
use core::mem::offset_of;
use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use boot_info::memblock::Direction;
use kernel::arch::{Arch, HwId};
use kernel::arch::{BootBlock, Bound, Ipi, Rung, RungKind, SignalError, StartError, Targets};
use kernel::clock::MS;
use kernel::cpu::{CpuId, NR_CPUS};
use kernel::inject::{self, Place};
use kernel::mm::{self, EarlyRam, InPhysmap};
use kernel::smp::stop_signal;
use kernel::{clock, sched};

use crate::apic::{self, Delivery, LocalApic};
use crate::boot::smp::{self as trampoline, Lacking, Slot, Start};
use crate::cpu::{self, Features};
use crate::trap::Frame;
use crate::{interrupts, regs, stop, vectors};

/// How far the next timer may be away when an emulated CPU takes its INIT, which QEMU has it do together with the start-up
/// interrupt. Where it counts instructions it charges the CPU with all the time to that timer, tens of milliseconds else.
const EMULATED_START_NS: u64 = 5_000;
/// How long a CPU that needs it must be left alone between INIT and its start-up interrupt.
const INIT_SETTLES_NS: u64 = 10 * MS;
/// How long CPUs may take to change the mode of their APICs, all together.
const CHANGE_NS: u64 = 1_000 * MS;
/// How often those that have not are asked.
const CHANGE_LOOK_NS: u64 = 20 * MS;

/// Physical address of the trampoline's room, 0 if there is none.
static TRAMPOLINE: AtomicU32 = AtomicU32::new(0);
/// How many slots have been written there.
static SLOTS: AtomicUsize = AtomicUsize::new(0);
/// Bytes of it.
const ROOM: usize = trampoline::room(NR_CPUS);
/// Where a start-up interrupt can send a CPU: real mode's addresses, less the page with the interrupt vectors.
const REACH: core::ops::Range<u64> = 0x1000..0xa_0000;

/// Takes room for the trampoline. Without it every other CPU stays off.
pub(crate) fn reserve(ram: &mut EarlyRam<'_>) {
    let room = ram.alloc(ROOM, trampoline::PAGE as u64, REACH, Direction::BottomUp);
    // Without, each start says so.
    TRAMPOLINE.store(room.map_or(0, |room| room.start() as u32), Ordering::Relaxed);
}

/// The root table that CPUs start with: physical address, and where the kernel sees it.
#[derive(Clone, Copy, Debug)]
pub struct StartRoot {
    /// Physical address.
    pub at: u64,
    /// The table.
    pub page: &'static [u8; trampoline::PAGE],
}

/// Writes the trampoline for `blocks`.
pub fn write_trampoline<A: Arch>(blocks: &[&'static BootBlock], root: StartRoot) {
    let at = TRAMPOLINE.load(Ordering::Relaxed);
    let Some(room) = trampoline_room::<A>() else {
        return;
    };
    let slots = make_slots::<A>(blocks);
    // SAFETY: `reserve` took the room, nothing else uses it, and the physmap shows it.
    let room = unsafe { core::slice::from_raw_parts_mut(mm::phys_to_virt::<A>(room), ROOM) };
    let start = Start {
        root: root.at,
        root_page: root.page,
        cr4: regs::cr4() as u32,
        efer: cpu::efer() as u32,
        apic: LocalApic::get().map_or(0, LocalApic::start_mode),
    };
    if trampoline::install(trampoline::blob(), room, at, &start, &slots).is_err() {
        kernel::warning!("smp: the code that CPUs start with does not fit");
        TRAMPOLINE.store(0, Ordering::Relaxed);
        return;
    }
    SLOTS.store(slots.len(), Ordering::Release);
    if !inject::at(Place::Trampoline, 0).goes() {
        let limit = offset_of!(trampoline::Header, gdt) + offset_of!(trampoline::TablePointer, limit);
        room[limit..limit + 2].fill(0);
    }
}

/// A slot for each CPU that there may be: also those without a block may come, and are known by their slots then.
fn make_slots<A: Arch>(blocks: &[&'static BootBlock]) -> Vec<Slot> {
    let slot = |hw: HwId| {
        let id = hw.0 as u32;
        match blocks.iter().find(|block| block.hw == hw) {
            Some(block) => Slot::new(id, core::ptr::from_ref(*block).expose_provenance() as u64),
            None => Slot {
                note: match waiting::<A>().any(|(waits, _)| waits == id) {
                    true => Slot::WAITS,
                    false => 0,
                },
                ..Slot::new(id, 0)
            },
        }
    };
    let possible = kernel::cpu::POSSIBLE.snapshot();
    possible.iter().filter_map(kernel::cpu::hw_id).map(slot).collect()
}

/// Where the trampoline and its slots lie, if there is room for them.
fn trampoline_room<A: Arch>() -> Option<InPhysmap> {
    let at = TRAMPOLINE.load(Ordering::Relaxed);
    InPhysmap::find::<A>(at.into(), ROOM).filter(|_| at != 0)
}

/// Each CPU that has a slot: its APIC id, and its note.
fn notes<A: Arch>() -> impl Iterator<Item = (u32, &'static AtomicU32)> {
    let room = trampoline_room::<A>().map(mm::phys_to_virt::<A>);
    let count = SLOTS.load(Ordering::Acquire);
    room.into_iter().flat_map(move |room| {
        let first = room.wrapping_add(trampoline::SLOTS_AT).cast::<Slot>();
        (0..count).map(move |n| {
            let slot = first.wrapping_add(n);
            // SAFETY: `write_trampoline` has written so many slots in the room, aligned, and they stay. CPUs write to their own
            // notes while others read, so these are atomic here.
            unsafe { ((*slot).apic_id, AtomicU32::from_ptr(&raw mut (*slot).note)) }
        })
    })
}

/// Of these the CPUs that came unasked and wait in the trampoline.
fn waiting<A: Arch>() -> impl Iterator<Item = (u32, &'static AtomicU32)> {
    notes::<A>().filter(|(_, note)| note.load(Ordering::Acquire) == Slot::WAITS)
}

/// As [`kernel::arch::SmpBringUpOps::send_back`]: by INIT, which a CPU in the machine's mode does not share with others.
pub fn send_back<A: Arch>() -> usize {
    let Some(apic) = LocalApic::get() else { return 0 };
    let sent = waiting::<A>().filter(|(id, note)| {
        let sent = apic.send_init(*id).is_ok();
        if sent {
            note.store(0, Ordering::Relaxed);
        }
        sent
    });
    sent.count()
}

/// As [`kernel::arch::SmpBringUpOps::waits_unasked`].
pub fn waits_unasked<A: Arch>(hw: HwId) -> bool {
    waiting::<A>().any(|(id, _)| u64::from(id) == hw.0)
}

/// Handles `vector` if it is a signal from another CPU.
pub(crate) fn interrupt<A: Arch>(vector: u8, frame: &impl Frame) -> bool {
    match vector {
        vectors::RESCHED => sched::resched_interrupt::<A>(),
        vectors::STOP => stop_signal::<A>(RungKind::Interrupt, &|out| stop::fill(frame, out)),
        _ => return false,
    }
    true
}

/// Parks this CPU if the NMI is a stop signal.
pub(crate) fn nmi<A: Arch>(frame: &impl Frame) {
    stop_signal::<A>(RungKind::NonMaskable, &|out| stop::fill(frame, out));
}

/// Takes the CPUs of `blocks` out of whatever they execute: the park page, if they have run before.
///
/// INIT goes to every CPU singly. It makes a CPU in any state listen, and drops an NMI that the wait-for-SIPI state has
/// latched, which would otherwise hit in real mode, on the firmware's vectors. Between INIT and the start-up interrupt the
/// Intel MP specification wants 10 ms; see [`init_must_settle`].
pub fn take_out<A: Arch>(blocks: &[&'static BootBlock]) {
    let Some(apic) = LocalApic::get() else { return };
    for id in blocks.iter().filter_map(|block| u32::try_from(block.hw.0).ok()) {
        // One that is not delivered shows: the start is not either, or the CPU does not come.
        let _lost = apic.send_init(id);
    }
    if init_must_settle() {
        sched::rest::<A>(INIT_SETTLES_NS);
    }
    if apic::takes_changing() {
        change_modes::<A>(apic);
    }
}

/// Has all CPUs come and go to the machine's x2APIC mode, which firmware should have seen to where ids above 254 are in use
/// (SDM Vol. 3A, 11.12.7): they are fetched again when they are released, or sent back. Nothing must be sent to a CPU by a
/// low byte that it shares with one that runs: QEMU has a CPU that waits for its start-up interrupt execute firmware's code
/// when two interrupts reach it at once, and each CPU that comes online interrupts the boot CPU.
fn change_modes<A: Arch>(apic: LocalApic) {
    let page = (TRAMPOLINE.load(Ordering::Relaxed) >> 12) as u8;
    let me = apic.id();
    let others = || notes::<A>().filter(|(id, note)| *id != me && note.load(Ordering::Acquire) == 0);
    let patience = clock::now_ns() + CHANGE_NS;
    while page != 0 && others().next().is_some() && clock::now_ns() < patience {
        for (id, _) in others() {
            // One that is not delivered shows: the CPU does not come. One that is on its way does not hear it.
            let _lost = apic.send_startup(id, page);
        }
        sched::rest::<A>(CHANGE_LOOK_NS);
    }
}

/// Releases the CPU of `block`, which [`take_out`] has taken out of whatever it executed. A second start-up interrupt is for
/// one that slept through the first; a CPU that runs ignores it.
///
/// # Errors
/// There is no way to start this CPU, or the signal could not be sent; or the CPU has come before, and will not do.
pub fn start<A: Arch>(block: &'static BootBlock, attempt: u32) -> Result<(), StartError> {
    let apic = LocalApic::get().ok_or(StartError::NotDelivered)?;
    let page = match TRAMPOLINE.load(Ordering::Relaxed) >> 12 {
        0 => return Err(StartError::Impossible(NO_ROOM)),
        page => page as u8,
    };
    let id = u32::try_from(block.hw.0).map_err(|_| StartError::NoSuchCpu)?;
    if !apic.can_name(id) {
        return Err(StartError::Impossible(NO_NAME));
    }
    if attempt > 0
        && let Some(lacking) = lacking::<A>(id)
    {
        if attempt == 1 {
            kernel::warning!(
                "smp: CPU {} (hw {}) came, and parked: it lacks {lacking}, which the boot CPU has on",
                block.cpu,
                block.hw
            );
        }
        return Err(StartError::NotDelivered);
    }
    apic.send_startup(id, page).map_err(|_| StartError::NotDelivered)
}

const NO_ROOM: &str = "no free memory below 640 KiB is left for the code that a CPU starts with";
const NO_NAME: &str = "an APIC without x2APIC mode cannot name ids above 254";

/// What the CPU with this APIC id found in the trampoline that it lacks.
fn lacking<A: Arch>(id: u32) -> Option<Lacking> {
    let (_, note) = notes::<A>().find(|(of, _)| *of == id)?;
    let lacks = note.load(Ordering::Acquire) & !(Slot::CAME | Slot::WAITS);
    (lacks != 0).then_some(Lacking(lacks))
}

/// As [`kernel::arch::SmpBringUpOps::start_pause_ns`].
pub fn start_pause_ns() -> Option<u64> {
    cpu::has(Features::HYPERVISOR).then_some(EMULATED_START_NS)
}

/// Whether INIT takes time. It did for CPUs whose APIC is a chip of its own or hangs on the serial APIC bus: the
/// Pentium (family 5) and the Netburst family (Intel's 15). From the P6 with a system bus on, and in all of AMD's since
/// the K8, the CPU is ready for the start-up interrupt as soon as INIT is delivered.
fn init_must_settle() -> bool {
    let intel = cpu::id()
        .get_vendor_info()
        .is_some_and(|vendor| vendor.as_str() == "GenuineIntel");
    matches!((cpu::family(), intel), (..6, _) | (15, true))
}

/// As [`kernel::arch::SmpBringUpOps::init_secondary`]. A CPU that lacks what the boot CPU has, and every other is taken to have,
/// goes no further: it is missed, and named, where it was to come online.
pub fn init_secondary<A: Arch>() {
    if let Err(lacking) = cpu::compare_with_boot_cpu() {
        kernel::warning!(
            "smp: the CPU with APIC id {:#x} parks: it lacks {lacking:?}, which the boot CPU has",
            cpu::initial_apic_id()
        );
        A::park()
    }
    cpu::enable_features();
    interrupts::init_this_cpu();
}

/// As [`kernel::arch::SmpHotplugOps::can_come_back`].
///
/// # Errors
/// The boot CPU must not be sent INIT: it does not wait for a start-up interrupt then, but starts the firmware.
pub fn can_come_back(cpu: CpuId) -> Result<(), &'static str> {
    match cpu {
        CpuId::BOOT => Err("it is the boot CPU, and INIT, the only way back, would reset the machine"),
        _ => Ok(()),
    }
}

/// As [`kernel::arch::SmpHotplugOps::route_devices`].
///
/// # Errors
/// The CPU has an id that no IO-APIC can name.
pub fn route_devices(hw: HwId) -> Result<(), &'static str> {
    u32::try_from(hw.0)
        .map_err(|_| "the CPU has no APIC id")
        .and_then(interrupts::route_console)
}

/// Interrupts one CPU. A signal that cannot be delivered is lost; who needs an answer waits for it with a deadline.
pub fn send_ipi(hw: HwId, ipi: Ipi) {
    let delivery = match ipi {
        Ipi::Resched => Delivery::Fixed(vectors::RESCHED),
        Ipi::NonMaskable => Delivery::Nmi,
    };
    if let (Some(apic), Ok(id)) = (LocalApic::get(), u32::try_from(hw.0)) {
        let _lost = apic.send(id, delivery);
    }
}

/// The ways to make another CPU stop: the interrupt of [`vectors::STOP`], and the NMI. Times for each CPU are an emulator's,
/// whose CPUs take turns of 10 ms where they spin.
///
/// INIT is none of them. It loses the registers, resets the machine when it reaches the boot CPU, and a CPU that
/// waits for a start-up interrupt hangs firmware that wants all CPUs in system management mode.
const RUNGS: [Rung; 2] = [
    Rung {
        kind: RungKind::Interrupt,
        bound: Bound::ms_us(10, 500),
    },
    Rung {
        kind: RungKind::NonMaskable,
        bound: Bound::ms_us(20, 10_000),
    },
];

/// As [`kernel::arch::SmpStopOps::rungs`].
pub fn rungs() -> &'static [Rung] {
    match LocalApic::get() {
        Some(_) => &RUNGS,
        None => &[],
    }
}

/// As [`kernel::arch::SmpStopOps::signal`].
///
/// The NMI goes to each target singly, always: sent to a CPU that waits for a start-up interrupt it stays latched, and
/// hits in real mode should that CPU ever start.
///
/// # Errors
/// There is no such rung, or nobody could be sent to.
pub fn signal(rung: usize, targets: &Targets<'_>) -> Result<(), SignalError> {
    let kind = rungs().get(rung).ok_or(SignalError)?.kind;
    let apic = LocalApic::get().ok_or(SignalError)?;
    let delivery = match kind {
        RungKind::Interrupt if targets.is_everyone_else() => {
            return apic.send_to_others(vectors::STOP).map_err(|_| SignalError);
        }
        RungKind::Interrupt => Delivery::Fixed(vectors::STOP),
        RungKind::NonMaskable => Delivery::Nmi,
        RungKind::Hardware => return Err(SignalError),
    };
    let ids = targets
        .iter()
        .filter_map(|cpu| u32::try_from(kernel::cpu::hw_id(cpu)?.0).ok());
    match ids.filter(|id| apic.send(*id, delivery).is_ok()).count() {
        0 => Err(SignalError),
        _ => Ok(()),
    }
}
