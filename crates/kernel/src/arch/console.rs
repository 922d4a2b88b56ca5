//! The serial console.

/// The serial console, polled and without a lock, from the first Rust instruction on and in a dying kernel.
pub trait ConsoleOps {
    /// Writes all of `bytes`; false while no console is known (the log ring keeps the text and replays it later).
    /// A transmitter that does not drain is given up after a bounded number of polls.
    fn console_write(bytes: &[u8]) -> bool;

    /// One received byte, if there is one.
    fn console_read() -> Option<u8>;

    /// `earlycon=VALUE` was on the command line, VALUE empty when it was bare.
    ///
    /// # Errors
    /// A sentence for the log when the value means nothing here.
    fn earlycon(value: &str) -> Result<(), &'static str>;

    /// Turns the receive interrupt on; from then on [`crate::input_ready`] is called for it.
    ///
    /// # Errors
    /// A sentence when the interrupt cannot be routed: the monitor then polls.
    fn enable_rx_interrupt() -> Result<(), &'static str>;
}
