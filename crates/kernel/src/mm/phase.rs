//! The phases of the address space, as types: see [`super::Synced`].

mod sealed {
    pub trait Sealed {}
}

/// What the kernel's tables hold by now. Each phase is entered by mapping more, and its last act is to bring the shadow
/// roots in step again.
pub trait Phase: sealed::Sealed {
    /// For `inject=resync/N`.
    const NUMBER: u32;
    /// Whether a single path of execution maps memory. Then a proof that is out of date was kept too long, which is a mistake
    /// in the code; later any CPU may map something at any time.
    const ALONE: bool;
    /// What comes when more is mapped.
    type Next: Phase;
}

/// The final tables are in use: image, RAM in the physmap, firmware tables. The end of `setup_arch`.
#[derive(Debug)]
pub enum Mapped {}

/// Each CPU has its per-CPU area, in an SMP build in pages mapped for it. From here on to the last CPU's start.
#[derive(Debug)]
pub enum Areas {}

/// Threads run, on several CPUs.
#[derive(Debug)]
pub enum Running {}

impl sealed::Sealed for Mapped {}
impl sealed::Sealed for Areas {}
impl sealed::Sealed for Running {}

impl Phase for Mapped {
    const NUMBER: u32 = 0;
    const ALONE: bool = true;
    type Next = Areas;
}

impl Phase for Areas {
    const NUMBER: u32 = 1;
    const ALONE: bool = true;
    type Next = Self;
}

impl Phase for Running {
    const NUMBER: u32 = 2;
    const ALONE: bool = false;
    type Next = Self;
}
