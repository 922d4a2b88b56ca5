//! Boot blocks: made before a CPU's first start, kept for all later ones, so that a CPU that goes off and comes back takes no
//! memory.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

use smp_stop::Door;

use crate::arch::{Arch, BootBlock};
use crate::cpu::{self, BOOT_CPU, CpuId, NR_CPUS};
use crate::inject::{self, Place};
use crate::mm::{self, Stack};
use crate::{canary, sched};

static BLOCKS: [AtomicPtr<BootBlock>; NR_CPUS] = [const { AtomicPtr::new(ptr::null_mut()) }; NR_CPUS];

/// The block of `cpu`, with all that belongs to it: stack, exception stacks, idle thread. Made if there is none. One caller
/// at a time.
pub(super) fn of<A: Arch>(cpu: CpuId) -> Result<&'static BootBlock, mm::OutOfMemory> {
    let slot = BLOCKS.get(cpu.as_usize()).ok_or(mm::OutOfMemory)?;
    if let Some(block) = get(slot) {
        return Ok(block);
    }
    let block: &'static BootBlock = Box::leak(Box::new(make::<A>(cpu)?));
    slot.store(ptr::from_ref(block).cast_mut(), Ordering::Release);
    Ok(block)
}

fn get(slot: &AtomicPtr<BootBlock>) -> Option<&'static BootBlock> {
    // SAFETY: the pointer is null or that of a block `of` has leaked.
    unsafe { slot.load(Ordering::Acquire).as_ref() }
}

/// Whether `cpu` came unasked, and waits. Takes no lock.
pub(super) fn is_early(cpu: CpuId) -> bool {
    let block = BLOCKS.get(cpu.as_usize()).and_then(get);
    block.is_some_and(|block| block.door.is_early())
}

/// All blocks there are.
pub(super) fn all() -> Vec<&'static BootBlock> {
    BLOCKS.iter().filter_map(get).collect()
}

fn make<A: Arch>(cpu: CpuId) -> Result<BootBlock, mm::OutOfMemory> {
    let (Some(hw), Some(area)) = (cpu::hw_id(cpu), percpu::area(cpu.as_usize())) else {
        return Err(mm::OutOfMemory);
    };
    let (stack, canary) = match cpu {
        BOOT_CPU => (Stack::init(), canary::boot_canary()),
        _ => furnish::<A>(cpu, area)?,
    };
    Ok(BootBlock {
        hw,
        root: mm::kernel_root(),
        stack_top: match inject::at(Place::FirstStack, cpu.as_u32()).goes() {
            true => stack.top() as u64,
            // What is pushed there hits the guard page.
            false => stack.bottom() as u64,
        },
        area: area as u64,
        canary: canary as u64,
        cpu: cpu.as_u32(),
        generation: AtomicU32::new(0),
        door: Door::new(),
    })
}

/// Exception stacks, and an idle thread with its stack. The boot CPU has run without being told, and has them all.
fn furnish<A: Arch>(cpu: CpuId, area: usize) -> Result<(Stack, usize), mm::OutOfMemory> {
    A::prepare_cpu(cpu)?;
    let (stack, canary) = (Stack::alloc::<A>()?, canary::fresh::<A>());
    // SAFETY: the CPU has not run yet, so the area is nobody's base.
    unsafe { A::fill_header(area, canary) };
    sched::adopt_idle(cpu, sched::new_idle(cpu, stack, canary));
    Ok((stack, canary))
}
