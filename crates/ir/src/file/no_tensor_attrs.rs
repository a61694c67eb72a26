//! Attributes that only operators of networks have, where the cargo feature `networks` is off: none is written or read.

use super::bytes::{Reader, Writer};
use crate::Error;
use crate::op::Attr;

/// Writes nothing: no operator of tables has such an attribute.
pub(super) fn write(_: &mut Writer, _: &Attr) {}

/// Refuses every kind.
pub(super) fn read(_: u8, from: &mut Reader<'_>) -> Result<Attr, Error> {
    Err(from
        .fail("the kind of an attribute is not known to a program without the cargo feature \"networks\""))
}
