//! `near_swaps`: rows that have some of their cells from the nearest row.

use super::{GenerateInput, Generator, GeneratorEntry, MadeCells, TIMES};
use crate::error::Error;
use crate::neighbours::{Neighbours, thinned};
use ir::digest::SplitMix64;
use params::{ParamSpec, Params, Range, Value};

/// The line of the table.
pub(super) static ENTRY: GeneratorEntry = GeneratorEntry {
    name: "near_swaps",
    doc: "training rows with some of their cells from the nearest row",
    spec: SPEC,
    generator: &NearSwaps,
};

const SPEC: &[ParamSpec] = &[
    TIMES,
    ParamSpec {
        name: "swap",
        aliases: &["swap_probability"],
        default: Value::Real(0.5),
        range: Range::Real { low: 0.0, high: 1.0 },
        doc: "how probable it is that a group of columns is that of the nearest row",
    },
];

/// Rows that neighbours are sought for, at most.
const MOST_ASKED: usize = 50_000;

/// Each made row is a training row whose groups of columns are, each with probability `swap`, those of the nearest
/// training row. Distances are in codes, over all columns; above 50,000 training rows as many are started from, evenly
/// spread, and neighbours are found among 2,000 rows.
/// O(asked rows candidates columns) for the neighbours, O(made rows groups) for the rows.
/// # Source  Bucila, Caruana & Niculescu-Mizil, Model Compression, KDD 2006, section 3.3 (MUNGE); deviations: numbers
/// are the neighbour's as they are and not drawn around them, so that cells of any kind can be taken; rows are made
/// anew, the two that are swapped are not both kept.
struct NearSwaps;

impl Generator for NearSwaps {
    fn make(&self, input: &GenerateInput<'_>, params: &Params) -> Result<MadeCells, Error> {
        let swap = params.real("swap");
        let rows = input.training_rows();
        let asked = thinned(&rows, MOST_ASKED, input.seed.derive("asked", 0));
        let starts = input.starts(&asked, rows.len(), params);
        let mut different = starts.clone();
        different.dedup();
        let near = Neighbours::among(input.coded(), &rows, input.seed).nearest(&different, 1);
        let nearest = |start: u32| {
            let at = different.binary_search(&start).ok()?;
            near.get(at)?.first().copied()
        };
        Ok(MadeCells::of(input, &starts, |made, start, from| {
            let Some(other) = nearest(start) else { return };
            let mut random = SplitMix64::new(input.seed.derive(ENTRY.name, made as u64).0);
            from.iter_mut().filter(|_| random.unit() < swap).for_each(|row| *row = other);
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::augment::laws::{Table, ordered};
    use crate::generate::laws::{Making, make};

    #[test]
    fn cells_are_those_of_the_row_and_of_its_neighbour() {
        let table = Table {
            encoders: vec![ordered(20), ordered(20)],
            codes: vec![vec![0, 1, 10, 11], vec![0, 1, 10, 11]],
            numbers: vec![None, None],
            weights: Some(vec![1.0, 2.0, 3.0, 4.0]),
            n_rows: 4,
        };
        let (targets, rows) = ([0.0; 4], [0, 1, 2, 3]);
        let making = Making { group_of: &[0, 1], targets: &targets, rows: &rows, ..Making::default() };
        let made = make(&ENTRY, &table, &[("times", "50")], making).unwrap();
        // Half of 200 are copies of one of the two rows.
        assert!((70..130).contains(&made.n_rows()), "{}", made.n_rows());
        for at in 0..made.n_rows() {
            let other = [1, 0, 3, 2][made.start[at] as usize];
            let from = [made.from[0][at], made.from[1][at]];
            assert!(from == [made.start[at], other] || from == [other, made.start[at]], "{from:?}");
        }
        // Twice what four rows weigh, shared out by what each weighs.
        let all: f64 = made.weights.iter().map(|w| f64::from(*w)).sum();
        assert!((all - 20.0).abs() < 1e-4, "{all}");
        let of = |row: u32| made.start.iter().position(|&start| start == row).map(|at| made.weights[at]);
        assert!((of(3).unwrap() / of(0).unwrap() - 4.0).abs() < 1e-5);
        for never in ["0", "1"] {
            assert_eq!(make(&ENTRY, &table, &[("swap", never)], making).unwrap().n_rows(), 0);
        }
    }
}
