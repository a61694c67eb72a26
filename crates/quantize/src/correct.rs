//! The Correction family: what is changed around a quantizer so that it costs less.
//!
//! A member is one file and one line in [`CORRECTIONS`]; its file owns its parameters (`SPEC`), source, tests, and its
//! arithmetic as functions on plain arrays; whoever walks a graph finds the layers and applies them. `laws.rs` checks
//! that those that claim to leave the float network as it is do so.
//!
//! Weights of a layer are `[n_out, n_in, taps]`, row-major, as ONNX has those of a convolution (taps: the window) and
//! of a product (1 tap, transposed).

pub mod absorb_bias;
pub mod bias_mean;
pub mod bias_range;
pub mod equalize;
pub mod portable;
pub mod smooth;

#[cfg(test)]
mod laws;

use crate::error::{Error, misfit};
use crate::family::Family;
use params::ParamSpec;

/// Every correction, in the order in which they are applied.
pub static CORRECTIONS: &[&CorrectionEntry] = &[
    &equalize::ENTRY,
    &absorb_bias::ENTRY,
    &smooth::ENTRY,
    &bias_range::ENTRY,
    &portable::ENTRY,
    &bias_mean::ENTRY,
];

/// Which correction it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Correction {
    /// [`equalize`].
    Equalize,
    /// [`absorb_bias`].
    AbsorbBias,
    /// [`smooth`].
    Smooth,
    /// [`bias_range`].
    BiasRange,
    /// [`portable`].
    Portable,
    /// [`bias_mean`].
    BiasMean,
}

/// What a correction claims of the float network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// It computes the same, but for rounding.
    Same,
    /// It computes the same where values stay as large as they mostly are.
    MostlySame,
    /// It is not touched: integers are chosen otherwise.
    Integers,
}

/// One line of the table.
pub struct CorrectionEntry {
    /// Name on the command line.
    pub name: &'static str,
    /// Names that others give it; accepted, never printed.
    pub aliases: &'static [&'static str],
    /// What it does, in one line.
    pub doc: &'static str,
    /// Its parameters.
    pub spec: &'static [ParamSpec],
    /// Which it is.
    pub correction: Correction,
    /// What it claims of the float network.
    pub claim: Claim,
}

impl std::fmt::Debug for CorrectionEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl Family for CorrectionEntry {
    const FAMILY: &'static str = "correction";

    fn table() -> &'static [&'static CorrectionEntry] {
        CORRECTIONS
    }

    fn name(&self) -> &'static str {
        self.name
    }

    fn aliases(&self) -> &'static [&'static str] {
        self.aliases
    }

    fn spec(&self) -> &'static [ParamSpec] {
        self.spec
    }
}

/// The largest size of a value in each of `n` slices: `values: [outer, n, inner]`, row-major. Of weights, `inner =
/// n_in * taps` gives output channels, and `n = n_in, inner = taps` gives input channels. NaN is passed over.
///
/// # Errors
/// `Shape` for values that are not so many times `n * inner`.
pub fn largest(values: &[f32], n: usize, inner: usize) -> Result<Vec<f32>, Error> {
    let mut largest = vec![0.0f32; slices(values.len(), n, inner)?];
    for slices in values.chunks_exact((n * inner).max(1)) {
        for (most, slice) in largest.iter_mut().zip(slices.chunks_exact(inner.max(1))) {
            *most = slice.iter().fold(*most, |m, x| m.max(x.abs()));
        }
    }
    Ok(largest)
}

/// Multiplies each of `n` slices by its factor: `values: [outer, n, inner]`, row-major; `factors: [n]`.
///
/// # Errors
/// `Shape` for values that are not so many times `n * inner`.
pub fn multiply(values: &mut [f32], factors: &[f32], inner: usize) -> Result<(), Error> {
    let n = slices(values.len(), factors.len(), inner)?;
    for slices in values.chunks_exact_mut((n * inner).max(1)) {
        for (factor, slice) in factors.iter().zip(slices.chunks_exact_mut(inner.max(1))) {
            slice.iter_mut().for_each(|x| *x *= factor);
        }
    }
    Ok(())
}

/// `n`, if the values are whole blocks of `n * inner`.
fn slices(n_values: usize, n: usize, inner: usize) -> Result<usize, Error> {
    match n.checked_mul(inner) {
        Some(block) if block > 0 && n_values.is_multiple_of(block) => Ok(n),
        _ => Err(misfit("values of a correction", format!("a multiple of {n} * {inner}"), n_values)),
    }
}

/// Checks that arrays have a number for each channel.
fn alike(what: &'static str, n: usize, others: &[usize]) -> Result<(), Error> {
    match others.iter().find(|&&other| other != n) {
        None => Ok(()),
        Some(other) => Err(misfit(what, n, other)),
    }
}
