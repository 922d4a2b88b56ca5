//! Looking at a whole address space.

use core::ops::ControlFlow;

use crate::{Decoded, Format, Mapper, Mapping, Prot, TableMemory};

impl<F: Format, M: TableMemory> Mapper<F, M> {
    /// Calls `f` in rising order for every run of addresses that is mapped in one piece: page sizes do not
    /// show.
    pub fn walk(&self, mut f: impl FnMut(Mapping)) {
        let mut run: Option<Mapping> = None;
        self.each_leaf(0..1 << F::VA_BITS, |_, part, leaf| {
            let next = self.mapping(&part, leaf);
            if !run.as_mut().is_some_and(|run| run.merge(&next)) {
                run.replace(next).into_iter().for_each(&mut f);
            }
        });
        if let Some(done) = run {
            f(done);
        }
    }

    /// The first page that is both writable and executable, if there is one: the mapper makes none, but boot
    /// code and firmware do.
    ///
    /// It sees what was asked for, which is all there is to see on a CPU without NX (see
    /// [`Format::enforces_no_exec`]), and one page at a time: not that memory which is code at one address is
    /// writable at another.
    pub fn audit_wx(&self) -> Option<Mapping> {
        self.visit(0..1 << F::VA_BITS, |_, part, decoded| match decoded {
            Decoded::Leaf(leaf) if leaf.prot.contains(Prot::WRITE | Prot::EXEC) => {
                ControlFlow::Break(self.mapping(&part, leaf))
            }
            _ => ControlFlow::Continue(()),
        })
    }
}
