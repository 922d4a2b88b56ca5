//! The part of QEMU's plugin interface (version 1, since QEMU 4.2) that is used here.

use std::ffi::{c_int, c_uint, c_void};

/// A translated block of guest code.
#[repr(C)]
pub struct Block(());

/// A guest instruction in such a block.
#[repr(C)]
pub struct Instruction(());

/// Inline operation: add to a 64-bit number.
pub const ADD_U64: c_int = 0;

/// A callback that reads no guest registers.
pub const NO_REGISTERS: c_int = 0;

/// The version of the interface this is built for; QEMU looks for the symbol.
#[unsafe(no_mangle)]
pub static qemu_plugin_version: c_int = 1;

unsafe extern "C" {
    pub fn qemu_plugin_register_vcpu_tb_trans_cb(id: u64, call: unsafe extern "C" fn(u64, *mut Block));
    pub fn qemu_plugin_register_atexit_cb(
        id: u64,
        call: unsafe extern "C" fn(u64, *mut c_void),
        data: *mut c_void,
    );
    pub fn qemu_plugin_tb_n_insns(block: *const Block) -> usize;
    pub fn qemu_plugin_tb_get_insn(block: *const Block, index: usize) -> *mut Instruction;
    pub fn qemu_plugin_insn_vaddr(instruction: *const Instruction) -> u64;
    pub fn qemu_plugin_register_vcpu_insn_exec_inline(
        instruction: *mut Instruction,
        operation: c_int,
        number: *mut c_void,
        operand: u64,
    );
    pub fn qemu_plugin_register_vcpu_insn_exec_cb(
        instruction: *mut Instruction,
        call: unsafe extern "C" fn(c_uint, *mut c_void),
        flags: c_int,
        data: *mut c_void,
    );
}
