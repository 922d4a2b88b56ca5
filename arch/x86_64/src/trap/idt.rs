//! The interrupt descriptor table: one for all CPUs.

use core::cell::UnsafeCell;

use cpumask::CpuId;
use x86_64::VirtAddr;
use x86_64::structures::idt::InterruptDescriptorTable;

use super::{VECTOR_BYTES, nmi_entry, trap_vectors};
use crate::tables;

struct SharedIdt(UnsafeCell<InterruptDescriptorTable>);

// SAFETY: written on the boot CPU only, with interrupts off and before any other CPU is started.
unsafe impl Sync for SharedIdt {}

static IDT: SharedIdt = SharedIdt(UnsafeCell::new(InterruptDescriptorTable::new()));

/// Entry code of `vector`.
fn handler(vector: u8) -> VirtAddr {
    VirtAddr::new(((&raw const trap_vectors).addr() + usize::from(vector) * VECTOR_BYTES) as u64)
}

/// Fills the table and loads it on the boot CPU, first of all: from here on an exception is reported. No entry has a
/// stack of its own yet.
pub(crate) fn init() {
    // SAFETY: the boot CPU alone is running, once.
    let idt = unsafe { &mut *IDT.0.get() };
    // SAFETY: each entry code saves and restores all that its handler may use, and knows whether there is an error code.
    // The code segment is the running one, which keeps its selector.
    unsafe {
        idt.divide_error.set_handler_addr(handler(0));
        idt.debug.set_handler_addr(handler(1));
        idt.non_maskable_interrupt.set_handler_addr(handler(2));
        idt.breakpoint.set_handler_addr(handler(3));
        idt.overflow.set_handler_addr(handler(4));
        idt.bound_range_exceeded.set_handler_addr(handler(5));
        idt.invalid_opcode.set_handler_addr(handler(6));
        idt.device_not_available.set_handler_addr(handler(7));
        idt.double_fault.set_handler_addr(handler(8));
        idt.invalid_tss.set_handler_addr(handler(10));
        idt.segment_not_present.set_handler_addr(handler(11));
        idt.stack_segment_fault.set_handler_addr(handler(12));
        idt.general_protection_fault.set_handler_addr(handler(13));
        idt.page_fault.set_handler_addr(handler(14));
        idt.x87_floating_point.set_handler_addr(handler(16));
        idt.alignment_check.set_handler_addr(handler(17));
        idt.machine_check.set_handler_addr(handler(18));
        idt.simd_floating_point.set_handler_addr(handler(19));
        idt.virtualization.set_handler_addr(handler(20));
        idt.cp_protection_exception.set_handler_addr(handler(21));
        idt.hv_injection_exception.set_handler_addr(handler(28));
        idt.vmm_communication_exception.set_handler_addr(handler(29));
        idt.security_exception.set_handler_addr(handler(30));
        for (vector, entry) in (32..=255).zip(idt.slice_mut(32..)) {
            entry.set_handler_addr(handler(vector));
        }
    }
    load_table();
}

/// Loads the table on the executing CPU, whose task state is loaded. The boot CPU, the first, lets the exceptions that need
/// it switch to a stack of their own from now on.
pub(crate) fn load(cpu: CpuId) {
    if cpu == CpuId::BOOT {
        // SAFETY: the boot CPU alone is running, with a task state that names both stacks.
        unsafe { use_exception_stacks() };
    }
    load_table();
}

fn load_table() {
    // SAFETY: the table is a static, filled before the first CPU but the boot CPU is started.
    unsafe { (*IDT.0.get()).load_unsafe() };
}

/// # Safety
/// The boot CPU's task state is loaded; it alone is running.
unsafe fn use_exception_stacks() {
    // SAFETY: the caller's promise; see `tables` for who shares a stack, and why.
    unsafe {
        let idt = &mut *IDT.0.get();
        idt.double_fault
            .set_handler_addr(handler(8))
            .set_stack_index(tables::FATAL);
        idt.non_maskable_interrupt
            .set_handler_addr(VirtAddr::new((&raw const nmi_entry).addr() as u64))
            .set_stack_index(tables::NMI);
        idt.machine_check
            .set_handler_addr(handler(18))
            .set_stack_index(tables::FATAL);
    }
}
