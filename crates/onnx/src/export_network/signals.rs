//! Fourier transforms.

use super::step::{Step, flag, trimmed};
use crate::error::Error;
use crate::writer::Attribute;
use ir::op::tensor::Dft;

/// The axis is an attribute before version 20, an input since.
pub(super) fn dft(s: &mut Step<'_>, op: Dft) -> Result<(), Error> {
    let mut attributes = vec![("inverse", flag(op.inverse)), ("onesided", flag(op.onesided))];
    let length = if s.n_inputs() > 2 { s.input(2)? } else { String::new() };
    let mut inputs = vec![s.input(0)?, length];
    if s.versions.opset >= 20 {
        inputs.push(s.wide(1)?);
    } else {
        match s.ints(1).as_deref() {
            Some(&[axis]) => attributes.push(("axis", Attribute::Int(axis))),
            _ => s.needs(20),
        }
    }
    let dtype = s.dtype(0)?;
    s.write("DFT", &[dtype], trimmed(inputs), attributes)
}
