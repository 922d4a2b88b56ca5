//! A proof that nobody has checked.

use kernel::mm::{InStep, Mapped, Synced};

fn proof() -> Synced<Mapped> {
    Synced { generation: 0, phase: core::marker::PhantomData }
}

fn start(_: &InStep) {}

fn main() {
    start(&InStep { not_send_not_sync: core::marker::PhantomData });
}
