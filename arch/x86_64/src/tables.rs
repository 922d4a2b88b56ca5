//! Segments, task state and exception stacks of each CPU; they live in its per-CPU area.

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicUsize, Ordering};

use x86_64::instructions::segmentation::{CS, DS, ES, FS, SS, Segment};
use x86_64::instructions::tables::load_tss;
use x86_64::structures::gdt::{Descriptor, GlobalDescriptorTable, SegmentSelector};
use x86_64::structures::tss::TaskStateSegment;
use x86_64::{PrivilegeLevel, VirtAddr};

use crate::X8664;

/// 64-bit code, as in the entry code's table: nothing running sees a change.
pub(crate) const CODE: SegmentSelector = SegmentSelector::new(2, PrivilegeLevel::Ring0);
const DATA: SegmentSelector = SegmentSelector::new(3, PrivilegeLevel::Ring0);
const TSS: SegmentSelector = SegmentSelector::new(4, PrivilegeLevel::Ring0);

/// Null, 32-bit code (for the way down to real mode), 64-bit code, data; the task state's two entries follow.
const SEGMENTS: [u64; 4] = [
    0,
    0x00cf_9b00_0000_ffff,
    0x00af_9b00_0000_ffff,
    0x00cf_9300_0000_ffff,
];

/// What one CPU's descriptors are kept in.
struct Tables {
    gdt: UnsafeCell<GlobalDescriptorTable<6>>,
    tss: UnsafeCell<TaskStateSegment>,
}

// SAFETY: written by `install` alone, on the CPU the area belongs to, before that CPU's registers point at it.
unsafe impl Sync for Tables {}

percpu::percpu! {
    static TABLES: Tables = Tables {
        gdt: UnsafeCell::new(GlobalDescriptorTable::empty()),
        tss: UnsafeCell::new(TaskStateSegment::new()),
    };
    /// The end of each of the CPU's exception stacks; 0 on the boot CPU, which has [`BOOT_STACKS`].
    pub(crate) static STACK_TOPS: [AtomicUsize; STACKS] = [const { AtomicUsize::new(0) }; STACKS];
}

/// The stack, by index in the task state, of exceptions that never return: a double fault, because the running stack ran
/// over, and a machine check, because it comes at any instruction, on a stack that may just have ended. If one comes while
/// the other is reported, the report is lost anyway.
pub(crate) const FATAL: u16 = 0;
/// The stack of the NMI, which comes at any instruction too, and may return.
pub(crate) const NMI: u16 = 1;

/// How many exception stacks a CPU has: [`FATAL`], [`NMI`].
pub(crate) const STACKS: usize = 2;
/// Bytes of each. A panic's report takes some 6.3 KiB in a debug build.
pub(crate) const EXCEPTION_STACK: usize = 16384;

/// The boot CPU's: needed before there is an allocator, and so without a page below each that faults.
#[repr(C, align(4096))]
struct BootStacks(UnsafeCell<[[u8; EXCEPTION_STACK]; STACKS]>);

// SAFETY: memory for the CPU's own pushes; nothing in Rust reads or writes it.
unsafe impl Sync for BootStacks {}

static BOOT_STACKS: BootStacks = BootStacks(UnsafeCell::new([[0; EXCEPTION_STACK]; STACKS]));

/// Fills and loads the executing CPU's tables. Its area is installed, interrupts are off.
///
/// # Safety
/// Once per start of the CPU.
pub(crate) unsafe fn install() {
    // SAFETY: interrupts are off, so this stays on its CPU.
    let pin = unsafe { percpu::Pin::new() };
    let tables = TABLES.this::<X8664>(&pin);
    let tops = stack_tops(&pin);
    let (gdt, tss) = (tables.gdt.get(), tables.tss.get());
    // SAFETY: only this CPU touches its tables, and only here. They live for ever, in its area.
    unsafe {
        for index in [FATAL, NMI].map(usize::from) {
            (*tss).interrupt_stack_table[index] = VirtAddr::new(tops[index] as u64);
        }
        *gdt = GlobalDescriptorTable::from_raw_entries(&SEGMENTS);
        (*gdt).append(Descriptor::tss_segment_unchecked(tss));
        (*gdt).load_unsafe();
        load_segments();
    }
}

/// Where the executing CPU's exception stacks end.
fn stack_tops(pin: &percpu::Pin) -> [usize; STACKS] {
    let given = STACK_TOPS.this::<X8664>(pin);
    let boot = BOOT_STACKS.0.get().addr();
    core::array::from_fn(|n| match given[n].load(Ordering::Relaxed) {
        0 => boot + (n + 1) * EXCEPTION_STACK,
        top => top,
    })
}

/// Reloads every segment register from the table just loaded. GS and FS are left with null selectors: loading GS would
/// zero its base.
///
/// # Safety
/// The loaded table has the entries named here.
unsafe fn load_segments() {
    let null = SegmentSelector::NULL;
    // SAFETY: code and data entries are flat, the task state's is available.
    unsafe {
        CS::set_reg(CODE);
        SS::set_reg(DATA);
        DS::set_reg(null);
        ES::set_reg(null);
        FS::set_reg(null);
        load_tss(TSS);
    }
}
