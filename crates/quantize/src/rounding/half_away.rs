//! `half_away`: to the nearest, ties away from zero; what most programming languages call rounding.

use super::RoundingEntry;

/// The line of the table.
pub(super) static ENTRY: RoundingEntry = RoundingEntry {
    name: "half_away",
    aliases: &["away"],
    doc: "to the nearest, ties away from 0",
    spec: &[],
    round: |steps, _, _| steps.round(),
};
