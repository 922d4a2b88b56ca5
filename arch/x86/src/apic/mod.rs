//! The local APIC of the executing CPU (SDM Vol. 3A, ch. 11), xAPIC and x2APIC behind one type.

mod icr;
mod lvt;
mod regs;
#[cfg(feature = "smp")]
pub mod smp;
pub mod timer;

use core::num::NonZeroUsize;
#[cfg(feature = "smp")]
use core::sync::atomic::AtomicBool;
use core::sync::atomic::{AtomicUsize, Ordering};

pub use icr::{Delivery, XAPIC_MAX_ID};
pub use regs::{Access, Reg};

use crate::cpu::{self, Features};
use crate::irqflag;
use crate::regs::{msr, rdmsr, rdtsc, wrmsr};
use crate::vectors;

/// Physical address of the register page after reset, used when nothing says otherwise.
pub const DEFAULT_PAGE: u64 = 0xfee0_0000;
/// Bytes of the register page.
pub const PAGE_LEN: usize = 0x1000;

/// `IA32_APIC_BASE`: the APIC is on.
const BASE_ENABLE: u64 = 1 << 11;
/// `IA32_APIC_BASE`: the APIC is in x2APIC mode; cannot be left but through a disabled APIC.
const BASE_X2APIC: u64 = 1 << 10;
/// `IA32_APIC_BASE`: where the register page is; the upper bits exist as far as the CPU's physical addresses go.
const BASE_ADDRESS: u64 = 0x000f_ffff_ffff_f000;

/// How long the last command may stay undelivered, in TSC ticks: some milliseconds on any CPU, and known before the
/// TSC's frequency is.
const DELIVERY_TICKS: u64 = 1 << 24;

/// How this machine's APICs are reached: [`NOT_YET`], [`BY_MSR`] or the address of the mapped page.
static ACCESS: AtomicUsize = AtomicUsize::new(NOT_YET);
/// Whether other CPUs' APICs may still be in another mode than the boot CPU's: the kernel changed it, not firmware.
#[cfg(feature = "smp")]
static CHANGING: AtomicBool = AtomicBool::new(false);
const NOT_YET: usize = 0;
const BY_MSR: usize = 1;
/// Number of the physical page of registers, the same on every CPU.
static PAGE_AT: AtomicUsize = AtomicUsize::new(0);

/// The command before was not accepted in time, or the target cannot be named in the mode the machine is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotDelivered;

/// The executing CPU's local APIC. A handle: copies mean the same device, on whichever CPU they are used.
#[derive(Clone, Copy, Debug)]
pub struct LocalApic {
    access: Access,
}

/// The executing CPU's `IA32_APIC_BASE`, if it has one.
fn base() -> Option<u64> {
    // SAFETY: the CPU has the register.
    cpu::has(Features::APIC_BASE).then(|| unsafe { rdmsr(msr::APIC_BASE) })
}

/// Whether the executing CPU's APIC was handed over in x2APIC mode.
pub fn firmware_uses_x2apic() -> bool {
    base().is_some_and(|base| base & BASE_X2APIC != 0)
}

/// Physical address of the executing CPU's register page, by the CPU's own word: what `IA32_APIC_BASE` says (SDM Vol. 3A,
/// 11.4.4), and on a CPU without that register, where it cannot be moved, [`DEFAULT_PAGE`].
pub fn page_address() -> u64 {
    page_of(base())
}

fn page_of(base: Option<u64>) -> u64 {
    base.map_or(DEFAULT_PAGE, |base| base & BASE_ADDRESS)
}

/// Fixes how all APICs of the machine are reached, once, on the boot CPU. `page` is the mapped register page, or `None`
/// for x2APIC mode.
pub fn set_access(page: Option<NonZeroUsize>) {
    PAGE_AT.store((page_address() >> 12) as usize, Ordering::Relaxed);
    #[cfg(feature = "smp")]
    CHANGING.store(page.is_none() && !firmware_uses_x2apic(), Ordering::Relaxed);
    ACCESS.store(page.map_or(BY_MSR, NonZeroUsize::get), Ordering::Release);
}

/// Whether other CPUs' APICs have to be changed to the boot CPU's mode yet. True once: the caller sees to it.
#[cfg(feature = "smp")]
pub fn takes_changing() -> bool {
    CHANGING.swap(false, Ordering::Relaxed)
}

impl LocalApic {
    /// The APIC, once [`set_access`] has been called.
    #[inline]
    pub fn get() -> Option<Self> {
        let access = match ACCESS.load(Ordering::Acquire) {
            NOT_YET => return None,
            BY_MSR => Access::Msr,
            page => Access::Page(NonZeroUsize::new(page)?),
        };
        Some(Self { access })
    }

    /// The APIC's id: 8 bits in xAPIC mode, 32 in x2APIC mode.
    pub fn id(self) -> u32 {
        let raw = self.access.read(Reg::Id);
        match self.access {
            Access::Page(_) => raw >> 24,
            Access::Msr => raw,
        }
    }

    /// Says that the highest interrupt in service has been handled.
    #[inline]
    pub fn eoi(self) {
        // SAFETY: allows the next interrupt of that priority, which the vectors are there to take.
        unsafe { self.access.write(Reg::Eoi, 0) };
    }

    /// Turns the APIC of the executing CPU on and makes it quiet: every local source masked but LINT1, which is NMI,
    /// and errors. Interrupts are off.
    pub fn init_this_cpu(self) {
        self.enable_mode();
        // SAFETY: the vectors named here are installed, interrupts are off, and a masked source stays silent.
        unsafe {
            self.access.write(Reg::TaskPriority, 0);
            lvt::quiesce(self.access);
            self.access
                .write(Reg::SpuriousVector, 0x100 | u32::from(vectors::SPURIOUS));
        }
        lvt::drain_in_service(self.access);
        self.read_errors();
    }

    /// What a CPU has to set in `IA32_APIC_BASE` (its low half) as its first act, so that it hears its own signals alone:
    /// in x2APIC mode others' ids may have the low byte of its own. 0 where nothing needs to be set.
    #[cfg(feature = "smp")]
    pub fn start_mode(self) -> u32 {
        match self.access {
            Access::Msr => (BASE_ENABLE | BASE_X2APIC) as u32,
            Access::Page(_) => 0,
        }
    }

    /// Switches this CPU's APIC to the machine's mode, and its registers to where the boot CPU's are.
    fn enable_mode(self) {
        let Some(base) = base() else { return };
        let page = (PAGE_AT.load(Ordering::Relaxed) as u64) << 12;
        let wanted = match self.access {
            Access::Msr => base | BASE_ENABLE | BASE_X2APIC,
            Access::Page(_) => base & !BASE_ADDRESS | BASE_ENABLE | page,
        };
        if base != wanted {
            // SAFETY: enabling is allowed from any state that firmware leaves. The boot CPU's page is where it was, which is
            // mapped; another CPU's moves to a place that holds no RAM.
            unsafe { wrmsr(msr::APIC_BASE, wanted) };
        }
    }

    /// The errors collected since the last call; reading needs a write first (SDM Vol. 3A, 11.5.3).
    pub fn read_errors(self) -> u32 {
        // SAFETY: latches and clears the error bits, nothing else.
        unsafe { self.access.write(Reg::ErrorStatus, 0) };
        self.access.read(Reg::ErrorStatus)
    }

    /// Masks every local source of this CPU, NMI included, and ends what is in service, for good.
    pub fn silence(self) {
        // SAFETY: nothing is started by it.
        unsafe { lvt::mask_all(self.access) };
        lvt::drain_in_service(self.access);
    }

    /// Whether a command can be sent to the CPU with this id.
    #[cfg(feature = "smp")]
    pub fn can_name(self, id: u32) -> bool {
        match self.access {
            Access::Msr => id != u32::MAX,
            Access::Page(_) => id <= XAPIC_MAX_ID,
        }
    }

    /// Sends a command to one CPU.
    ///
    /// Waits a bounded time for the command before to be accepted, not for this one. Safe from NMI context: the two
    /// halves of the xAPIC's register are written with interrupts off, and the high half is put back afterwards, so an
    /// interrupted sender still reaches its own target.
    ///
    /// # Errors
    /// The id cannot be named in this mode, or the register stayed busy.
    pub fn send(self, target: u32, delivery: Delivery) -> Result<(), NotDelivered> {
        let halves = match self.access {
            Access::Msr => delivery.x2apic(target),
            Access::Page(_) => delivery.xapic(target),
        };
        let (high, low) = halves.ok_or(NotDelivered)?;
        self.command(high, low)
    }

    /// Writes both halves of the command register, of which the low one sends.
    fn command(self, high: u32, low: u32) -> Result<(), NotDelivered> {
        if self.access == Access::Msr {
            Self::command_x2apic(high, low);
            return Ok(());
        }
        let was_on = irqflag::save_and_disable();
        let sent = self.command_xapic(high, low);
        irqflag::restore(was_on);
        sent
    }

    /// Waits for the last command to be accepted; always true in x2APIC mode.
    pub fn delivered(self) -> bool {
        let start = rdtsc();
        while self.busy() {
            if rdtsc().wrapping_sub(start) > DELIVERY_TICKS {
                return false;
            }
            core::hint::spin_loop();
        }
        true
    }

    fn busy(self) -> bool {
        self.access != Access::Msr && self.access.read(Reg::Command) & icr::PENDING != 0
    }

    fn command_xapic(self, high: u32, low: u32) -> Result<(), NotDelivered> {
        if !self.delivered() {
            return Err(NotDelivered);
        }
        let interrupted = self.access.read(Reg::CommandHigh);
        // SAFETY: the command is one that its target is prepared for (that is what `Delivery` is made from).
        unsafe {
            self.access.write(Reg::CommandHigh, high);
            self.access.write(Reg::Command, low);
            self.access.write(Reg::CommandHigh, interrupted);
        }
        Ok(())
    }

    fn command_x2apic(high: u32, low: u32) {
        let command = u64::from(high) << 32 | u64::from(low);
        // A write to an x2APIC register may pass earlier stores (SDM Vol. 3A, 11.12.3), and the target must see them.
        cpu::fence_before_wrmsr();
        // SAFETY: as for `command_xapic`.
        unsafe { wrmsr(msr::X2APIC + Reg::Command as u32, command) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever tables say: nobody asks them.
    #[test]
    fn registers_are_where_the_cpu_has_them() {
        assert_eq!(page_of(None), DEFAULT_PAGE);
        for flags in [0, BASE_ENABLE, BASE_ENABLE | BASE_X2APIC | 1 << 8] {
            assert_eq!(page_of(Some(DEFAULT_PAGE | flags)), DEFAULT_PAGE);
            assert_eq!(page_of(Some(0xf_e123_4000 | flags)), 0xf_e123_4000);
        }
    }
}
