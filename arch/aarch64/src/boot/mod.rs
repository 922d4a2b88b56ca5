//! From the boot loader's jump to the first Rust function, in assembly; the numbers it needs, with their names.
//!
//! Order of the files is order of execution, but for `el.s` (which defines the macro) and `mmu.s`, which secondaries
//! share.

mod ops;

use core::arch::global_asm;
use core::sync::atomic::AtomicU64;

use crate::mmu::regs;

global_asm!(
    include_str!("header.s"),
    include_str!("el.s"),
    include_str!("mmu.s"),
    include_str!("tables.s"),
    include_str!("head.s"),
    SCTLR_MMU_OFF = const regs::SCTLR_MMU_OFF,
    SCTLR_MMU_ON = const regs::SCTLR_MMU_ON,
    SCTLR_EL2_OFF = const regs::SCTLR_EL2_OFF,
    HCR_EL1_IS_AARCH64 = const regs::HCR_EL1_IS_AARCH64,
    TCR = const regs::TCR,
    MAIR = const regs::MAIR,
    TABLE = const regs::TABLE,
    BLOCK_RWX = const regs::BLOCK_NORMAL,
    PAGE_RWX = const regs::BLOCK_NORMAL | regs::PAGE,
    BLOCK_RX = const regs::BLOCK_NORMAL | regs::READ_ONLY,
);

/// The counter at the first instruction; written by entry assembly.
#[unsafe(no_mangle)]
pub static BOOT_CYCLES: AtomicU64 = AtomicU64::new(0);

/// Exception level the boot loader entered at, 1 or 2; written by entry assembly.
#[unsafe(no_mangle)]
pub static BOOT_EL: AtomicU64 = AtomicU64::new(0);
