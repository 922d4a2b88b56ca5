//! Values of the translation registers, as entry assembly writes them (Arm ARM D17.2). Only what differs from zero is
//! named.

/// SCTLR_EL1 with MMU and caches off: the bits that are RES1 at ARMv8.0 (29, 28, 23, 22, 20, 11).
pub const SCTLR_MMU_OFF: u64 = 0x30d0_0800;

/// SCTLR_EL1 in operation: M (0), C (2), SA (3: stack alignment check), I (12).
pub const SCTLR_MMU_ON: u64 = SCTLR_MMU_OFF | (1 << 0) | (1 << 2) | (1 << 3) | (1 << 12);

/// SCTLR_EL2 with MMU and caches off: the RES1 bits (29, 28, 23, 22, 18, 16, 11, 5, 4).
pub const SCTLR_EL2_OFF: u64 = 0x30c5_0830;

/// HCR_EL2: RW (31: EL1 is AArch64), HCD (29: nobody serves HVC, so it is undefined rather than taken to a firmware
/// leftover), API and APK (41, 40: pointer authentication does not trap).
pub const HCR_EL1_IS_AARCH64: u64 = (1 << 31) | (1 << 29) | (1 << 41) | (1 << 40);

/// TCR_EL1: T0SZ = T1SZ = 16 (48 bits), both walks inner shareable and write-back, TG0 = 4 KiB (0), TG1 = 4 KiB (2).
/// IPS is filled in from the CPU's PARange.
pub const TCR: u64 = WALK | (WALK << 16) | (0b10 << 30);
const WALK: u64 = 16 | (0b01 << 8) | (0b01 << 10) | (0b11 << 12);

/// MAIR_EL1, as the final tables want it: index 0 normal write-back, 1 device nGnRE.
pub const MAIR: u64 = paging::Aarch64::MAIR;

/// Attribute index of device memory.
const ATTR_DEVICE: u64 = 1;

/// Descriptor of a next-level table.
pub const TABLE: u64 = 0b11;

/// What a page's descriptor has and a block's has not.
pub const PAGE: u64 = 0b10;

/// Descriptor of a block of normal memory: valid, accessed (10), inner shareable (9:8), attribute index 0.
pub const BLOCK_NORMAL: u64 = 0b01 | (1 << 10) | (0b11 << 8);

/// Descriptor of a block of device registers: never executable (54, 53).
pub const BLOCK_DEVICE: u64 = 0b01 | (1 << 10) | (ATTR_DEVICE << 2) | NO_EXEC;

/// `AP[2]`: not writable.
pub const READ_ONLY: u64 = 1 << 7;

/// UXN and PXN.
pub const NO_EXEC: u64 = (1 << 54) | (1 << 53);
