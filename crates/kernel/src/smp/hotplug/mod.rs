//! CPUs that go off and come back while the kernel runs.
//!
//! One at a time, and a thread sees to it, on whichever CPU. A CPU leaves by its own hand: only it knows that no thread of its
//! own is half-way through a switch. Its word says what it is at each moment, so that a stop accounts for it: ONLINE until
//! its threads have moved, then DYING, then OFF. It comes back as it came the first time, by the same gate, with the
//! same stacks, area and block. `docs/boot.md` tells the order.

mod leave;

use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, Ordering};

use smp_stop::CpuState;

use super::{blocks, bringup};
use crate::arch::{Arch, Ipi};
use crate::clock::{self, MS};
use crate::cpu::{self, ACTIVE, BOOT_CPU, CpuId, ONLINE, POSSIBLE};
use crate::mm;
use crate::sched::{self, Thread};

pub(crate) use leave::leave_if_asked;

/// How long somebody waits for whoever else takes a CPU off or brings one on.
const TURN_NS: u64 = 30_000 * MS;
/// How long a CPU may take until its idle thread runs. Longer than any thread may keep interrupts off.
const LET_GO_NS: u64 = 5_000 * MS;
/// How long it may take from there until it is off, by its word and by the hardware's account.
const GO_NS: u64 = 5_000 * MS;

/// Whether a CPU is on its way, either way.
static BUSY: AtomicBool = AtomicBool::new(false);
/// The thread that waits for it; null at boot, where the boot CPU itself does.
static WAITER: AtomicPtr<Thread> = AtomicPtr::new(ptr::null_mut());
/// The CPU that takes the interrupts of devices.
static DEVICES: AtomicU32 = AtomicU32::new(BOOT_CPU.as_u32());

/// Why a CPU stays what it is, in a sentence.
pub(crate) type Refusal = &'static str;

/// The right to take a CPU off or bring one on.
struct Turn(());

impl Turn {
    fn take<A: Arch>() -> Result<Self, Refusal> {
        let free = || {
            BUSY.compare_exchange(false, true, Ordering::AcqRel, Ordering::Relaxed)
                .is_ok()
        };
        if !sched::wait_until::<A>(clock::now_ns() + TURN_NS, free) {
            return Err("another CPU has been on its way, off or on, for too long");
        }
        let me = sched::current::<A>().map_or(ptr::null(), ptr::from_ref);
        WAITER.store(me.cast_mut(), Ordering::Release);
        Ok(Self(()))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        WAITER.store(ptr::null_mut(), Ordering::Release);
        BUSY.store(false, Ordering::Release);
    }
}

/// Tells whoever waits that the executing CPU has got there, or is about to.
pub(super) fn arrived<A: Arch>() {
    // SAFETY: the pointer is null or that of a thread, and threads are never freed.
    if let Some(waiter) = unsafe { WAITER.load(Ordering::Acquire).as_ref() } {
        sched::wake::<A>(waiter);
    } else if let Some(boot) = cpu::hw_id(BOOT_CPU) {
        A::send_ipi(boot, Ipi::Resched);
    }
}

/// Takes `cpu` off. Called by a thread, which may run on that very CPU.
///
/// # Errors
/// A sentence. The CPU is what it was, unless the sentence says otherwise.
pub(crate) fn offline<A: Arch>(cpu: CpuId) -> Result<(), Refusal> {
    let _turn = Turn::take::<A>()?;
    check_can_leave::<A>(cpu)?;
    ACTIVE.clear(cpu);
    let left = move_devices::<A>(cpu).and_then(|()| leave::ask::<A>(cpu));
    if let Err(why) = left {
        // The CPU came from a mask of the same size.
        let _ = ACTIVE.set(cpu);
        return Err(why);
    }
    let gone = || cpu::word(cpu).state() == CpuState::Off && !is_on_by_hardware::<A>(cpu);
    let off = sched::wait_until::<A>(clock::now_ns() + GO_NS, gone);
    // An interrupt that was on its way to the CPU is lost with it: whoever waits for one has a look.
    sched::input_ready::<A>();
    match (off, cpu::word(cpu).state()) {
        (true, _) => Ok(()),
        (false, CpuState::Off) => Err("it says that it is off, and the hardware says that it is not"),
        _ => Err("it is on its way off, and has not got there"),
    }
}

fn check_can_leave<A: Arch>(cpu: CpuId) -> Result<(), Refusal> {
    if !POSSIBLE.test(cpu) {
        return Err("there is no such CPU");
    }
    if !ONLINE.test(cpu) || !ACTIVE.test(cpu) {
        return Err("it is not online");
    }
    if ACTIVE.snapshot().count() == 1 {
        return Err("it is the last CPU online");
    }
    A::can_come_back(cpu)?;
    blocks::of::<A>(cpu)
        .map(drop)
        .map_err(|_| "there is no memory to bring it back with")
}

/// Sees to it that `cpu` takes no device interrupts. It is not active any more.
fn move_devices<A: Arch>(cpu: CpuId) -> Result<(), Refusal> {
    if DEVICES.load(Ordering::Relaxed) != cpu.as_u32() {
        return Ok(());
    }
    let heir = ACTIVE.snapshot().first().ok_or("it is the last CPU online")?;
    let hw = cpu::hw_id(heir).ok_or("the CPU that should take its interrupts has no hardware id")?;
    A::route_devices(hw)?;
    DEVICES.store(heir.as_u32(), Ordering::Relaxed);
    Ok(())
}

/// Whether the hardware has a view, and it is that `cpu` is on.
fn is_on_by_hardware<A: Arch>(cpu: CpuId) -> bool {
    cpu::hw_id(cpu).and_then(A::hw_off) == Some(false)
}

/// Brings `cpu` on: back, or for the first time, if the boot was told to leave it off. Called by a thread.
///
/// # Errors
/// A sentence. A CPU that did not come in time is given up: should it still come, it parks, and it is never asked again.
pub(crate) fn online<A: Arch>(cpu: CpuId) -> Result<(), Refusal> {
    let _turn = Turn::take::<A>()?;
    check_can_come::<A>(cpu)?;
    let block = blocks::of::<A>(cpu).map_err(|_| "there is no memory for its stacks")?;
    let came = bringup::start_and_wait::<A, _>(&[block], &mm::resync::<A>());
    match (came.missing.is_empty(), came.refused.is_empty()) {
        (true, _) => Ok(()),
        (_, true) => Err("it did not come in time; it parks if it still comes"),
        _ => Err("its start was refused"),
    }
}

fn check_can_come<A: Arch>(cpu: CpuId) -> Result<(), Refusal> {
    if !POSSIBLE.test(cpu) {
        return Err("there is no such CPU");
    }
    match cpu::word(cpu).state() {
        CpuState::Off if is_on_by_hardware::<A>(cpu) => {
            Err("it stands in the park page: the hardware did not let it go off")
        }
        CpuState::Off => Ok(()),
        CpuState::Online => Err("it is online"),
        CpuState::Lost => Err("it was given up: a start that may still come cannot be repeated"),
        CpuState::Dying => Err("it is on its way off"),
        _ => Err("its state does not allow a start"),
    }
}
