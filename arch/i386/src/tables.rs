//! Segments and task states of each CPU; they live in its per-CPU area, which is mapped page by page.
//!
//! The CPU reaches both through the address space it runs on: a root table that lacks the area kills a starting CPU at
//! its first access to the GDT. That is what the resync of the shadow root is for.

use core::arch::asm;
use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicUsize, Ordering};

use arch_x86::desc::{Descriptor, TaskState};
use arch_x86::regs;
use percpu::Pin;

use crate::{I386, per_cpu, trap};

/// Flat code, as in the entry code's table: nothing running sees a change. The same goes for the next two.
pub(crate) const CODE: u16 = 0x10;
/// Flat data.
pub(crate) const DATA: u16 = 0x18;
/// The CPU's area, in FS and GS.
pub(crate) const AREA: u16 = 0x20;
/// The task every thread runs in. Hardware task switches leave it only for the two below.
const MAIN_TASK: u16 = 0x28;
/// A double fault, because the running stack is no longer good for anything.
pub(crate) const DOUBLE_FAULT_TASK: u16 = 0x30;
/// An NMI, because it comes at any instruction, on a stack that may just have ended.
pub(crate) const NMI_TASK: u16 = 0x38;

const ENTRIES: usize = 8;

/// What one CPU's descriptors and tasks are kept in.
#[repr(C, align(64))]
struct Tables {
    gdt: UnsafeCell<[Descriptor; ENTRIES]>,
    main: UnsafeCell<TaskState>,
    double_fault: UnsafeCell<TaskState>,
    nmi: UnsafeCell<TaskState>,
}

// SAFETY: written by `install` on the CPU the area belongs to, before that CPU's registers point at it; then by the CPU
// itself, and read by its exception tasks while the task in question does not run.
unsafe impl Sync for Tables {}

percpu::percpu! {
    static TABLES: Tables = Tables {
        gdt: UnsafeCell::new([Descriptor::NULL; ENTRIES]),
        main: UnsafeCell::new(TaskState::EMPTY),
        double_fault: UnsafeCell::new(TaskState::EMPTY),
        nmi: UnsafeCell::new(TaskState::EMPTY),
    };
    /// The end of each of the CPU's exception stacks; 0 on the boot CPU, which has [`BOOT_STACKS`].
    pub(crate) static STACK_TOPS: [AtomicUsize; STACKS] = [const { AtomicUsize::new(0) }; STACKS];
}

/// How many exception stacks a CPU has, one for each task: double fault, NMI.
pub(crate) const STACKS: usize = 2;
/// Bytes of each. A panic's report takes some 6.3 KiB in a debug build.
pub(crate) const EXCEPTION_STACK: usize = 16384;

/// The boot CPU's: needed before there is an allocator, and so without a page below each that faults.
#[repr(C, align(4096))]
struct BootStacks(UnsafeCell<[[u8; EXCEPTION_STACK]; STACKS]>);

// SAFETY: memory for the tasks' pushes; nothing in Rust reads or writes it.
unsafe impl Sync for BootStacks {}

static BOOT_STACKS: BootStacks = BootStacks(UnsafeCell::new([[0; EXCEPTION_STACK]; STACKS]));

/// Fills and loads the executing CPU's tables; from here on FS and GS are its area.
///
/// # Safety
/// `area` is this CPU's, filled and with a header; once per start of the CPU; interrupts are off; the kernel's root table is loaded.
pub(crate) unsafe fn install(area: usize) {
    let first = per_cpu::segments(area);
    // SAFETY: a table good for a moment, which makes the area this CPU's base; the real one lies in the area.
    unsafe {
        load_gdt(&first);
        load_area_segment();
    }
    // SAFETY: interrupts are off, so this stays on its CPU.
    let pin = unsafe { Pin::new() };
    let tables = TABLES.this::<I386>(&pin);
    // SAFETY: only this CPU touches its tables, and nothing reads them yet.
    unsafe {
        fill_tasks(tables, stack_tops(&pin));
        let gdt = &mut *tables.gdt.get();
        gdt[..first.len()].copy_from_slice(&first);
        for (entry, task) in
            gdt[first.len()..]
                .iter_mut()
                .zip([&tables.main, &tables.double_fault, &tables.nmi])
        {
            *entry = Descriptor::tss(task.get().addr() as u32, size_of::<TaskState>() as u32);
        }
        load_gdt(gdt);
        load_segments();
        load_area_segment();
    }
}

/// Where the executing CPU's exception stacks end.
fn stack_tops(pin: &Pin) -> [usize; STACKS] {
    let given = STACK_TOPS.this::<I386>(pin);
    let boot = BOOT_STACKS.0.get().addr();
    core::array::from_fn(|n| match given[n].load(Ordering::Relaxed) {
        0 => boot + (n + 1) * EXCEPTION_STACK,
        top => top,
    })
}

/// # Safety
/// None of the tasks has run.
unsafe fn fill_tasks(tables: &Tables, [double_fault_top, nmi_top]: [usize; STACKS]) {
    let at_rest = TaskState {
        cr3: regs::cr3() as u32,
        // Interrupts off; the bit that is always one.
        eflags: 1 << 1,
        cs: CODE.into(),
        ds: DATA.into(),
        es: DATA.into(),
        ss: DATA.into(),
        fs: AREA.into(),
        gs: AREA.into(),
        ..TaskState::EMPTY
    };
    let double_fault: unsafe extern "C" fn() -> ! = trap::double_fault_task;
    let nmi: unsafe extern "C" fn() -> ! = trap::nmi_task;
    // SAFETY: the caller's promise.
    unsafe {
        // The CPU saves all but the root here when it leaves the main task, and takes the root from here on return.
        *tables.main.get() = at_rest;
        *tables.double_fault.get() = TaskState {
            eip: double_fault as usize as u32,
            esp: double_fault_top as u32,
            ..at_rest
        };
        *tables.nmi.get() = TaskState {
            eip: nmi as usize as u32,
            esp: nmi_top as u32,
            ..at_rest
        };
    }
}

/// The registers of the task that the running exception task interrupted, on the executing CPU.
///
/// # Safety
/// Called by an exception task.
pub(crate) unsafe fn interrupted(running: u16) -> TaskState {
    // SAFETY: an exception task stays on its CPU.
    let pin = unsafe { Pin::new() };
    let tables = TABLES.this::<I386>(&pin);
    let own = if running == NMI_TASK {
        &tables.nmi
    } else {
        &tables.double_fault
    };
    // SAFETY: the CPU wrote both when it switched tasks, and writes neither while this task runs.
    unsafe {
        let link = own.get().read_volatile().link as u16;
        let other = if link == DOUBLE_FAULT_TASK {
            &tables.double_fault
        } else {
            &tables.main
        };
        other.get().read_volatile()
    }
}

/// # Safety
/// The table outlives its use, and has what the segment registers hold.
unsafe fn load_gdt(gdt: &[Descriptor]) {
    load_table(gdt, |pointer| {
        // SAFETY: the caller's promise.
        unsafe { asm!("lgdt [{}]", in(reg) pointer, options(readonly, nostack, preserves_flags)) };
    });
}

/// What LGDT takes and SGDT gives.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GdtPointer {
    pub(crate) limit: u16,
    pub(crate) base: u32,
}

/// The table in use.
pub(crate) fn gdt() -> GdtPointer {
    let mut operand = [0_u16; 3];
    // SAFETY: writes six bytes.
    unsafe { asm!("sgdt [{}]", in(reg) operand.as_mut_ptr(), options(nostack, preserves_flags)) };
    let [limit, low, high] = operand;
    let base = u32::from(high) << 16 | u32::from(low);
    GdtPointer { limit, base }
}

/// Uses a table by another of its addresses.
///
/// # Safety
/// It has what the segment registers hold, and can be reached whenever a segment is loaded.
pub(crate) unsafe fn load_gdt_at(at: GdtPointer) {
    let operand = [at.limit, at.base as u16, (at.base >> 16) as u16];
    // SAFETY: the caller's promise.
    unsafe { asm!("lgdt [{}]", in(reg) operand.as_ptr(), options(readonly, nostack, preserves_flags)) };
}

/// Calls `load` with a pointer to what LGDT and LIDT take: limit, address.
pub(crate) fn load_table(table: &[Descriptor], load: impl FnOnce(*const u16)) {
    let (limit, address) = (size_of_val(table) - 1, table.as_ptr().addr());
    let operand = [limit as u16, address as u16, (address >> 16) as u16];
    load(operand.as_ptr());
}

/// Reloads CS, SS, DS, ES and the task register from the table just loaded.
///
/// # Safety
/// The table has the entries named here, the main task's not busy.
unsafe fn load_segments() {
    // SAFETY: code and data entries are flat, so nothing moves.
    unsafe {
        asm!(
            "push {code}",
            "lea {tmp}, [2f]",
            "push {tmp}",
            "retf",
            "2:",
            "mov ss, {data:x}",
            "mov ds, {data:x}",
            "mov es, {data:x}",
            "ltr {task:x}",
            code = const CODE,
            tmp = out(reg) _,
            data = in(reg) u32::from(DATA),
            task = in(reg) u32::from(MAIN_TASK),
            options(preserves_flags),
        );
    }
}

/// Reloads FS and GS.
///
/// # Safety
/// The loaded table's entry for the area is that of a filled area with a header.
unsafe fn load_area_segment() {
    // SAFETY: the caller's promise. Both headers hold the same canary.
    unsafe {
        asm!("mov fs, {0:x}", "mov gs, {0:x}", in(reg) u32::from(AREA), options(nostack, preserves_flags));
    }
}
