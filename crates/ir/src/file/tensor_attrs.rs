//! Attributes that only operators of networks have.

use super::bytes::{Reader, Writer};
use super::{real_forests, weights};
use crate::Error;
use crate::op::Attr;
use alloc::boxed::Box;

const TENSOR: u8 = 5;
const REAL_FOREST: u8 = 6;

/// Writes such an attribute; of any other nothing.
pub(super) fn write(out: &mut Writer, attr: &Attr) {
    match attr {
        Attr::Tensor(tensor) => {
            out.byte(TENSOR);
            weights::write_packed(out, tensor);
        }
        Attr::RealForest(forest) => {
            out.byte(REAL_FOREST);
            real_forests::write(out, forest);
        }
        Attr::Int(_) | Attr::Word(_) | Attr::Float(_) | Attr::Ints(_) | Attr::Forest(_) => {}
    }
}

/// An attribute of one of these kinds.
pub(super) fn read(kind: u8, from: &mut Reader<'_>) -> Result<Attr, Error> {
    match kind {
        TENSOR => weights::read_packed(from).map(Attr::Tensor),
        REAL_FOREST => real_forests::read(from).map(|forest| Attr::RealForest(Box::new(forest))),
        _ => Err(from.fail("the kind of an attribute is not known")),
    }
}
