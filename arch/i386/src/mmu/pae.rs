//! PAE: three levels of tables with entries of 64 bits, on CPUs that have them. What they bring is the no-execute bit.
//!
//! The entry code knows nothing of it. It boots on tables of two levels; once the kernel's own are built, the boot CPU changes
//! over to them, and the boot root is written anew for the CPUs that start later.
//!
//! A root has four entries of 1 GiB, and the last is all of the kernel. So what other roots must have in common with the
//! kernel's is one entry, and it never changes again: all that is mapped later hangs below it.

use core::arch::naked_asm;
use core::cell::UnsafeCell;

use arch_x86::cpu::{self, Features};
use arch_x86::{params, regs};
use kernel::arch::Slots;
use paging::{X86Features, X86Pae};

use super::{PHYSMAP_BASE, VMAP, in_image};
use crate::symbols;

/// The kernel's entry of a root table. CPUs read it when CR3 is loaded, and only then (SDM Vol. 3A, 4.4.1).
pub(super) const KERNEL: Slots = Slots { start: 3, end: 4 };
const _: () = assert!(PHYSMAP_BASE >> 30 == KERNEL.start && VMAP.end >> 30 == KERNEL.start);

/// Entries in a page directory, and bytes that each maps.
const ENTRIES: usize = 512;
const LARGE: u64 = 2 << 20;
/// Present, writable, 2 MiB.
const LARGE_PAGE: u64 = 0x83;
const PRESENT: u64 = 1;

/// Physical memory as it is, below the kernel's addresses: three page directories. What is in the physmap cannot be executed;
/// here can run what turns paging on or off, and firmware.
#[repr(C, align(4096))]
struct Identity(UnsafeCell<[[u64; ENTRIES]; KERNEL.start]>);

// SAFETY: written by `change_over` alone, before a CPU walks it.
unsafe impl Sync for Identity {}

/// Where that ends.
pub(super) const IDENTITY_END: u64 = KERNEL.start as u64 * ENTRIES as u64 * LARGE;

static IDENTITY: Identity = Identity(UnsafeCell::new([[0; ENTRIES]; KERNEL.start]));

/// Whether this kernel runs with PAE: the CPU has it, and nobody said `nopae`. The same from the command line's reading on.
pub(super) fn is_wanted() -> bool {
    cpu::has(Features::PAE) && !params::nopae()
}

/// The tables' format, once it [`is_wanted`].
pub(super) fn format() -> X86Pae {
    let mut features = X86Features::empty();
    features.set(X86Features::NX, params::no_execute());
    features.set(X86Features::GLOBAL, cpu::has(Features::PGE));
    X86Pae::new(features, cpu::phys_bits())
}

/// Whether the CPU runs with PAE already.
pub(super) fn is_on() -> bool {
    regs::cr4() & regs::CR4_PAE != 0
}

/// From the boot root of two levels to `root` of three. Afterwards the boot root has three, too: memory as it is, and nothing
/// of the kernel until it is brought in step.
///
/// # Safety
/// `root` maps all that is running; interrupts are off; no other CPU runs.
pub(super) unsafe fn change_over(root: u64) {
    let boot_root = in_image(symbols::boot_root_offset());
    let cr4 = regs::cr4() | regs::CR4_PAE;
    // SAFETY: the caller's promise. Between the two ends the CPU runs where the image lies in physical memory, which both
    // roots map to itself, the kernel's for that long; then that part of it, and of what is cached of it, goes away. Nobody
    // walks the boot root any more.
    unsafe {
        fill_identity();
        root_table(root)[..KERNEL.start].copy_from_slice(&identity_entries());
        load(root as u32, cr4, to_physical());
        root_table(root)[..KERNEL.start].fill(0);
        regs::set_cr3(root as usize);
        root_table(boot_root).fill(0);
        root_table(boot_root)[..KERNEL.start].copy_from_slice(&identity_entries());
    }
}

/// # Safety
/// No CPU walks the directories yet.
unsafe fn fill_identity() {
    // SAFETY: the caller's promise.
    let directories = unsafe { &mut *IDENTITY.0.get() };
    for (entry, at) in directories
        .as_flattened_mut()
        .iter_mut()
        .zip((0..).step_by(LARGE as usize))
    {
        *entry = at | LARGE_PAGE;
    }
}

fn identity_entries() -> [u64; KERNEL.start] {
    let at = in_image(symbols::offset(IDENTITY.0.get().cast()) as u64);
    core::array::from_fn(|n| (at + 4096 * n as u64) | PRESENT)
}

/// # Safety
/// `root` is a page of the image, and the caller alone has to do with it.
unsafe fn root_table<'a>(root: u64) -> &'a mut [u64; ENTRIES] {
    let at = PHYSMAP_BASE + root as usize;
    // SAFETY: the caller's promise; both the boot tables and the kernel's map the physmap.
    unsafe { &mut *core::ptr::with_exposed_provenance_mut(at) }
}

/// What to add to an address of the image to get where it lies in physical memory.
fn to_physical() -> usize {
    (in_image(0) as usize).wrapping_sub(symbols::image_start())
}

/// Turns paging off, changes what it works with, and turns it on.
///
/// # Safety
/// As [`change_over`]; old and new root map the image's physical addresses to themselves.
#[unsafe(naked)]
unsafe extern "C" fn load(root: u32, cr4: usize, to_physical: usize) {
    naked_asm!(
        "push ebx",
        "mov eax, [esp + 8]",
        "mov ecx, [esp + 12]",
        "lea ebx, [2f]",
        "add ebx, [esp + 16]",
        "jmp ebx",
        "2:",
        "mov ebx, cr0",
        "and ebx, 0x7fffffff",
        "mov cr0, ebx",
        "mov cr4, ecx",
        "mov cr3, eax",
        "or ebx, 0x80000000",
        "mov cr0, ebx",
        "lea ebx, [3f]",
        "jmp ebx",
        "3:",
        "pop ebx",
        "ret",
    )
}
