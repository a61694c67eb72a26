//! How fine leaves are: the grid of a boosted forest.

use ir::fixed::power_of_two as pow2;

/// First leaves may grow by this factor in later rounds before they are cut off at the grid's end.
const HEADROOM: f64 = 8.0;

/// The finest grid on which leaves [`HEADROOM`] times the largest of the first round still fit.
/// Probabilities are linked at 20 fraction bits at most, and need no more than one step in 2^-20.
pub(super) fn finest_shift(largest: f64, leaf_bits: u32, is_linear: bool) -> i16 {
    let levels = ((1i64 << (leaf_bits - 1)) - 1) as f64;
    let headroom = if leaf_bits >= 12 { HEADROOM } else { 2.0 };
    if !(largest > 0.0 && largest.is_finite()) {
        // Only the starting score is left to be told apart.
        return if is_linear { 50 } else { 12 };
    }
    let mut shift = 0i32;
    while shift < 1000 && largest * headroom * pow2(shift + 1) <= levels {
        shift += 1;
    }
    while shift > -1000 && largest * headroom * pow2(shift) > levels {
        shift -= 1;
    }
    if is_linear { shift as i16 } else { shift.clamp(0, 20) as i16 }
}
