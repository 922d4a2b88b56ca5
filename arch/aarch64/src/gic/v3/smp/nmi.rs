//! Interrupts with superpriority (GICv3.3; Arm IHI 0069, "Non-maskable interrupts").

use arm_gic::gicv3::registers::GicrCtlr;
use kernel::irq::IrqOff;
use safe_mmio::{field, field_shared};

use crate::gic::v3::{distributor, redistributor, settle};

/// Whether the controller knows them: GICD_TYPER.NMI. Asked by the boot CPU before there is any other.
pub(in crate::gic) fn are_supported() -> bool {
    // SAFETY: the boot CPU is alone with the controller.
    let gicd = unsafe { distributor() };
    gicd.is_some_and(|gicd| field_shared!(gicd, typer).read().nmi_supported())
}

/// Gives superpriority to an interrupt of the executing CPU (0 to 31), or takes it away: GICR_INMIR0. It is off meanwhile.
/// `None` if the controller does not do as it is told.
pub(in crate::gic) fn give_superpriority(intid: u32, yes: bool) -> Option<()> {
    let (off, bit) = (IrqOff::new(), 1 << intid);
    let mut frames = redistributor::mine(&off)?;
    let mut regs = field!(frames, sgi);
    field!(regs, icenabler).get(0)?.write(bit);
    let gicr = field_shared!(frames, gicr);
    settle(|| field_shared!(gicr, ctlr).read().contains(GicrCtlr::RWP)).ok()?;

    let mut regs = field!(frames, sgi);
    let others = field!(regs, inmir).get(0)?.read() & !bit;
    let wanted = if yes { others | bit } else { others };
    field!(regs, inmir).get(0)?.write(wanted);
    let has = field!(regs, inmir).get(0)?.read() == wanted;
    field!(regs, isenabler).get(0)?.write(bit);
    has.then_some(())
}
