//! `Gate`: a first score or a second one, as a third score says.

use super::{Attr, Attrs, Operand, Payload, arity, misfit};
use crate::{DType, Dim, Error, Shape};
use alloc::vec;
use alloc::vec::Vec;

pub(super) const NAME: &str = "Gate";

/// A row of the output is that of `first` where its gate is at least 0, else that of `second`. Exact.
///
/// Who computes it need compute `first` and `second` for those rows alone that take them.
///
/// Inputs: `gate`, `i32 [N, 1]`; `first` and `second`, `i32 [N, K]` of one shape, K at least 1. Output: `i32 [N, K]`.
/// # Source  Jacobs, Jordan, Nowlan & Hinton, Adaptive mixtures of local experts, Neural Computation 3, 1991.
/// Deviation: one of two experts answers, by a threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gate {
    /// Rows of 1,000 that took the second score in training: it says what a row costs and changes no output.
    pub passed_on: u16,
}

impl Gate {
    /// Largest share of rows.
    pub const ALL: u16 = 1000;

    pub(super) fn parse(attrs: &Attrs) -> Result<Gate, Error> {
        Ok(Gate { passed_on: attrs.int(NAME, "passed_on")? })
    }

    /// Whether a row of this gate takes its first score.
    #[inline]
    pub fn takes_first(gate: i32) -> bool {
        gate >= 0
    }

    /// The scores of rows `[n, width]`: those of `first` are replaced by those of `second` where `gates: [n]` say so.
    pub fn apply(width: usize, gates: &[i32], first: &mut [i32], second: &[i32]) {
        let width = width.max(1);
        let rows = first.chunks_exact_mut(width).zip(second.chunks_exact(width));
        for ((first, second), _) in rows.zip(gates).filter(|(_, gate)| !Self::takes_first(**gate)) {
            first.copy_from_slice(second);
        }
    }
}

impl Payload for Gate {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        vec![("passed_on", Attr::Int(self.passed_on.into()))]
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Result<Vec<(DType, Shape)>, Error> {
        let [gate, first, second] = arity(NAME, inputs)?;
        if (gate.dtype, &gate.shape.0[..]) != (DType::I32, &Shape::rows_by(1).0[..]) {
            return Err(misfit(NAME, "gate", "i32 [N, 1]", &gate.describe()));
        }
        if !matches!((first.dtype, &first.shape.0[..]), (DType::I32, [_, Dim::Fixed(1..)])) {
            return Err(misfit(NAME, "first", "i32 [N, K], K at least 1", &first.describe()));
        }
        if (second.dtype, second.shape) != (first.dtype, first.shape) {
            return Err(misfit(NAME, "second", &first.describe(), &second.describe()));
        }
        if first.shape.0.first() != gate.shape.0.first() {
            return Err(misfit(NAME, "first", "rows of the gate", &first.describe()));
        }
        if self.passed_on > Self::ALL {
            return Err(misfit(NAME, "passed_on", "0..=1000", &self.passed_on));
        }
        Ok(vec![(DType::I32, first.shape.clone())])
    }
}

#[cfg(test)]
mod tests {
    use super::Gate;

    #[test]
    fn gates_say_which_score_a_row_takes() {
        let mut first = [1, 2, 3, 4];
        Gate::apply(1, &[0, -1, i32::MAX, i32::MIN], &mut first, &[5, 6, 7, 8]);
        assert_eq!(first, [1, 6, 3, 8]);
        let mut first = [1, 2, 3, 4];
        Gate::apply(2, &[-1, 0], &mut first, &[5, 6, 7, 8]);
        assert_eq!(first, [5, 6, 3, 4]);
    }
}
