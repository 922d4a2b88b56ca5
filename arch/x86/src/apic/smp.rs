//! Starting other CPUs (SDM Vol. 3A, 9.4.4; Intel MP specification 1.4, B.4), and signals to all of them.

use super::icr::OTHERS;
use super::{Delivery, LocalApic, NotDelivered};

impl LocalApic {
    /// Interrupts every CPU but this one, in one go. Those that wait for a start-up interrupt do not hear it: INIT turned
    /// their APICs off for all but INIT, NMI, SMI and start-up (SDM Vol. 3A, 11.4.7.2).
    ///
    /// # Errors
    /// As [`Self::send`].
    pub fn send_to_others(self, vector: u8) -> Result<(), NotDelivered> {
        self.command(0, OTHERS | Delivery::Fixed(vector).low())
    }

    /// Puts the CPU `target` into the wait for a start-up interrupt. Also forgets an NMI that was latched in an earlier
    /// wait and would hit the CPU in real mode, on the firmware's vectors.
    ///
    /// # Errors
    /// As [`Self::send`]; or the command was not accepted.
    pub fn send_init(self, target: u32) -> Result<(), NotDelivered> {
        self.send_and_confirm(target, Delivery::Init)
    }

    /// Lets the CPU `target` leave that wait and begin in real mode at `page << 12`. Without effect on a running CPU.
    ///
    /// # Errors
    /// As [`Self::send_init`].
    pub fn send_startup(self, target: u32, page: u8) -> Result<(), NotDelivered> {
        self.send_and_confirm(target, Delivery::Startup(page))
    }

    fn send_and_confirm(self, target: u32, delivery: Delivery) -> Result<(), NotDelivered> {
        self.send(target, delivery)?;
        if self.delivered() {
            Ok(())
        } else {
            Err(NotDelivered)
        }
    }
}
