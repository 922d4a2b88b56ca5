//! The places at which a fault can be staged, and what a fault does to the code around it.

/// A place in the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the engine, on a new owner.
    Elected,
    /// In the engine, on the owner; /N: the CPU whose word was changed.
    Asked,
    /// In the engine, on the owner, before a signal; /N: the rung.
    Signalling,
    /// In the engine, on the owner, after a signal; /N: the rung.
    Signalled,
    /// In the engine, on the owner: nobody stands by any more.
    Released,
    /// In the engine, on the owner, before the result is final.
    Finishing,
    /// In the engine, on a CPU that answers.
    Answering,
    /// In the engine, on a CPU that answers: its registers are saved.
    Saved,
    /// In the engine, on the CPU that stands by, in each turn.
    StandingBy,
    /// In the engine, on a CPU that answers, before its acknowledgement.
    Acknowledging,
    /// Where a CPU asks who it is; skip: it does not know.
    Identify,
    /// Where the engine looks at the clock; skip: it stands still, refuse: it is an hour ahead.
    Clock,
    /// Where the root tables that CPUs and firmware start on are brought in step with the kernel's; /N: 0 at the end of
    /// `setup_arch`, 1 with the per-CPU areas and later in the boot, 2 in the running system; skip: they are not.
    Resync,
    /// Where such a table is compared with the kernel's before somebody runs on it; /N: as above; skip: it is not.
    Compare,
    /// Where address space is taken for something new to be mapped; twice: as much more as there is to the next top-level
    /// entry, so that the mapping needs one of its own.
    Map,
    /// Where a signal is sent; /N: the rung; skip: it is lost, refuse: the hardware says no, twice: it is sent again.
    Send,
    /// Where a stop signal arrives; /N: 1 interrupt, 2 non-maskable; skip: the CPU is deaf to it.
    Signal,
    /// In a non-maskable interrupt's handler, when the engine did not want it.
    Nmi,
    /// Where registers are saved; skip: nothing is written.
    SaveRegs,
    /// Where caches and the interrupt controller are brought in order; skip: they are not.
    Quiesce,
    /// After the acknowledgement, before the park page.
    Park,
    /// Where a CPU that parks asks firmware to turn it off; skip: firmware refuses.
    CpuOff,
    /// Where the kernel asks for a stop; count: a kernel that counts who is online.
    Stop,
    /// After the stop of a panic, before the console is taken.
    Stopped,
    /// Before the first line of a panic's report.
    Report,
    /// Between the message and the backtrace.
    Backtrace,
    /// Before the table of CPUs.
    Table,
    /// After the report, before the last lines.
    End,
    /// After the stop of a planned end.
    ShutDown,
    /// Where the machine is reset; skip: nothing happens.
    Reset,
    /// Where the machine is powered off; skip: nothing happens.
    PowerOff,
    /// A reset or power-off did not happen.
    Failed,
    /// In the handler of an exception that ends the kernel.
    Exception,
    /// In the timer interrupt; skip: it is lost.
    Timer,
    /// In the console, its lock held.
    Console,
    /// In `start_kernel`, before a step; /N: 0 the first, 1 machine, 2 CPU numbers and per-CPU areas, 3 memory,
    /// 4 scheduler, 5 interrupts, 6 time, 7 other CPUs, 8 first thread.
    Boot,
    /// Where a CPU's stack is made, for its first start; /N: the CPU; skip: it gets one that is not mapped.
    FirstStack,
    /// Where the code is put in place that CPUs start with (x86); skip: its GDT ends before it begins.
    Trampoline,
    /// On the CPU that starts others, before any is released; /N: which CPU; skip: that one comes unasked.
    Unasked,
    /// On the CPU that starts others, before it does. Where the action `next` starts them again, /N: the CPU; skip: it is not.
    Starting,
    /// On it, where the hardware is asked; /N: which CPU; skip: the hardware takes the order, and nobody comes.
    Release,
    /// On it, when all have been released.
    Started,
    /// On it, in each turn of its wait.
    Waiting,
    /// On a started CPU, in its first Rust code: it has no per-CPU base yet.
    Entry,
    /// On a started CPU, with its per-CPU base, interrupt controller and timer.
    Installed,
    /// On a started CPU that is through the gate, but in no mask.
    Online,
    /// On a CPU that leaves: its threads have moved, its word still says online.
    Leaving,
    /// On a CPU that leaves: its word says so.
    Dying,
    /// On a CPU that has left, before its last instruction.
    Gone,
}

/// What becomes of the code at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It goes on.
    Go,
    /// What the place is about is left out.
    Skip,
    /// It fails.
    Refuse,
    /// It is done twice.
    Twice,
}

impl Effect {
    /// Whether what the place is about is to be done.
    #[inline(always)]
    pub const fn goes(self) -> bool {
        matches!(self, Self::Go)
    }
}
