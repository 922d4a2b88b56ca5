//! The traits the kernel asks for, each method a line: what happens is in `arch-x86` and in this crate's modules.

use core::ops::Range;

use arch_x86::power::ways;
use arch_x86::{discover, entropy, handover, interrupts, irqflag, params, power, time, uart};
use boot_info::cmdline::Param;
use boot_info::{BootInfo, MemRegion};
use cpumask::CpuId;
use kernel::arch::Platform;
use kernel::arch::{
    Arch, BootOps, ConsoleOps, EarlyRam, Go, HwId, IrqOps, PerCpuOps, PowerOps, ThreadOps, TimeOps, Way,
};

use crate::{X8664, per_cpu, real_mode, symbols, tables, thread, trap};

impl Arch for X8664 {
    const NAME: &'static str = "x86_64";
}

impl BootOps for X8664 {
    const PARAMS: &'static [Param] = &[params::NOEXEC];

    fn entry_cycles() -> u64 {
        symbols::time_stamp()
    }

    fn entropy() -> usize {
        entropy::word()
    }

    fn boot_info(info: &mut BootInfo) -> Result<(), &'static str> {
        handover::boot_info::<Self>(info)
    }

    fn memory_map(
        _info: &BootInfo,
        seen: &mut dyn FnMut(Range<u64>),
        each: &mut dyn FnMut(MemRegion),
    ) -> Result<(), &'static str> {
        handover::memory_map::<Self>(seen, each)
    }

    fn reserve(ram: &mut EarlyRam<'_>) {
        handover::reserve(ram);
    }

    fn image_phys() -> Range<u64> {
        handover::image(symbols::image_bytes())
    }

    fn discover(info: &BootInfo, platform: &mut Platform) -> Result<(), &'static str> {
        discover::run::<Self>(info, platform)
    }
}

impl ConsoleOps for X8664 {
    fn console_write(bytes: &[u8]) -> bool {
        uart::write(bytes)
    }

    fn console_read() -> Option<u8> {
        uart::read()
    }

    fn earlycon(value: &str) -> Result<(), &'static str> {
        uart::earlycon(value)
    }

    fn enable_rx_interrupt() -> Result<(), &'static str> {
        interrupts::enable_console()
    }
}

impl PerCpuOps for X8664 {
    unsafe fn fill_header(area: usize, canary: usize) {
        // SAFETY: passed on.
        unsafe { per_cpu::fill_header(area, canary) };
    }

    unsafe fn install(cpu: CpuId, area: usize) {
        // SAFETY: the area is this CPU's, filled, and interrupts are off; then it is installed, once per start.
        unsafe {
            per_cpu::install(area);
            tables::install();
        }
        trap::load(cpu);
    }

    fn hw_id() -> HwId {
        HwId(interrupts::this_apic_id().into())
    }
}

impl IrqOps for X8664 {
    fn irq_save() -> bool {
        irqflag::save_and_disable()
    }

    fn irq_restore(was_on: bool) {
        irqflag::restore(was_on);
    }

    fn irq_enable() {
        // SAFETY: the kernel calls it once the vectors and the controllers are set up.
        unsafe { irqflag::enable() };
    }

    fn wait_for_interrupt() {
        // SAFETY: as for `irq_enable`; the caller has interrupts off because it waits for one.
        unsafe { irqflag::enable_and_halt() };
        irqflag::disable();
    }

    fn init_irqs() -> Result<(), &'static str> {
        interrupts::init::<Self>()
    }
}

impl TimeOps for X8664 {
    #[inline(always)]
    fn cycles() -> u64 {
        time::cycles()
    }

    fn known_hz() -> Option<u64> {
        time::known_hz()
    }

    fn calibrate() -> Result<u64, &'static str> {
        time::calibrate()
    }

    fn init_timer() {
        time::init_timer();
    }

    fn set_timer(at: u64) {
        time::set_timer(at);
    }
}

impl ThreadOps for X8664 {
    unsafe fn prepare_stack(top: usize, entry: extern "C" fn(usize) -> !, arg: usize) -> usize {
        // SAFETY: passed on.
        unsafe { thread::prepare_stack(top, entry, arg) }
    }

    #[inline(always)]
    unsafe fn switch(prev: *mut usize, next: usize, canary: usize) {
        // SAFETY: passed on.
        unsafe { thread::switch(prev, next, canary) };
    }

    #[inline(always)]
    unsafe fn set_canary(canary: usize) {
        // SAFETY: passed on.
        unsafe { per_cpu::set_canary(canary) };
    }

    #[inline(always)]
    fn frame_pointer() -> usize {
        thread::frame_pointer()
    }

    #[inline(always)]
    fn is_outermost() {
        thread::is_outermost();
    }
}

/// By firmware that is an EFI.
const EFI_RESET: Way = Way {
    name: "efi",
    is_there: kernel::efi::can_reset,
    go: Go::Direct(kernel::efi::reset::<X8664>),
};
const EFI_OFF: Way = Way {
    name: "efi",
    is_there: kernel::efi::can_reset,
    go: Go::Direct(kernel::efi::power_off::<X8664>),
};

impl PowerOps for X8664 {
    fn resets() -> &'static [Way] {
        &[
            ways::ACPI,
            ways::KEYBOARD,
            EFI_RESET,
            real_mode::BIOS,
            ways::CHIPSET,
            ways::TRIPLE_FAULT,
        ]
    }

    fn power_offs() -> &'static [Way] {
        &[ways::SOFT_OFF, EFI_OFF, ways::EMULATOR_OFF]
    }

    fn write_back(_va: usize, _len: usize) {
        // A reset of the CPU leaves caches as they are, or coherent.
    }

    fn undefined_instruction() {
        power::undefined_instruction();
    }

    fn halt() -> ! {
        irqflag::halt_forever()
    }

    const DEATH: &'static str = "triple";

    fn die() -> ! {
        power::triple_fault();
        irqflag::halt_forever()
    }

    fn lose_vectors() {
        power::triple_fault();
    }
}
