//! Interrupts and their controller.

/// Interrupts of the executing CPU, and the controller.
pub trait IrqOps {
    /// Turns interrupts off and returns whether they were on.
    fn irq_save() -> bool;

    /// Turns interrupts on again if `was_on`.
    fn irq_restore(was_on: bool);

    /// Turns interrupts on.
    fn irq_enable();

    /// With interrupts off on entry and on return: waits until one is pending, and lets it be taken. Enabling and
    /// waiting are one step, so an interrupt that comes in between still ends the wait.
    fn wait_for_interrupt();

    /// Sets up the interrupt controller and this CPU's part of it. Boot CPU, once, heap available.
    ///
    /// # Errors
    /// A sentence; fatal.
    fn init_irqs() -> Result<(), &'static str>;
}
