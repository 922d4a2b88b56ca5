//! The interrupt descriptor table: one for all CPUs.

use core::arch::asm;
use core::cell::UnsafeCell;

use arch_x86::desc::Descriptor;
use arch_x86::vectors;
use cpumask::CpuId;

use super::{VECTOR_BYTES, trap_vectors};
use crate::tables::{self, CODE, DOUBLE_FAULT_TASK, NMI_TASK};

struct SharedIdt(UnsafeCell<[Descriptor; 256]>);

// SAFETY: written on the boot CPU only, with interrupts off and before any other CPU is started.
unsafe impl Sync for SharedIdt {}

static IDT: SharedIdt = SharedIdt(UnsafeCell::new([Descriptor::NULL; 256]));

/// Fills the table and loads it on the boot CPU, first of all: from here on an exception is reported. There are no
/// exception tasks yet.
pub(crate) fn init() {
    let vectors = (&raw const trap_vectors).addr();
    // SAFETY: the boot CPU alone is running, once.
    let idt = unsafe { &mut *IDT.0.get() };
    for (vector, entry) in idt.iter_mut().enumerate() {
        *entry = Descriptor::interrupt_gate(CODE, (vectors + vector * VECTOR_BYTES) as u32);
    }
    load_table();
}

/// Loads the table on the executing CPU, whose tasks are set up. The boot CPU, the first, leads the two exceptions that
/// need it to their tasks from now on.
pub(crate) fn load(cpu: CpuId) {
    if cpu == CpuId::BOOT {
        // SAFETY: the boot CPU alone is running, and its descriptors name both tasks.
        let idt = unsafe { &mut *IDT.0.get() };
        idt[usize::from(vectors::DOUBLE_FAULT)] = Descriptor::task_gate(DOUBLE_FAULT_TASK);
        idt[usize::from(vectors::NMI)] = Descriptor::task_gate(NMI_TASK);
    }
    load_table();
}

fn load_table() {
    // SAFETY: the table is a static, filled before the first CPU but the boot CPU is started.
    let idt = unsafe { &*IDT.0.get() };
    tables::load_table(idt, |pointer| {
        // SAFETY: each entry code saves and restores all that its handler may use.
        unsafe { asm!("lidt [{}]", in(reg) pointer, options(readonly, nostack, preserves_flags)) };
    });
}
