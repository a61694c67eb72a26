//! `half_even`: to the nearest, ties to the even one; what ONNX's `QuantizeLinear` does.

use super::RoundingEntry;
use ir::fixed::round_ties_even;

/// The line of the table.
pub(super) static ENTRY: RoundingEntry = RoundingEntry {
    name: "half_even",
    aliases: &["even", "nearest"],
    doc: "to the nearest, ties to the even one",
    spec: &[],
    round: |steps, _, _| round_ties_even(steps),
};
