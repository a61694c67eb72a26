//! `oversample`: rows of rare classes that count more than once.

use super::rare_classes::{RATIO, rare_classes};
use super::{AugmentInput, Augmentation, AugmentationEntry, CLASSES, MadeRows, Parents};
use crate::error::Error;
use crate::starts::evenly;
use ir::digest::SplitMix64;
use params::Params;

/// The line of the table.
pub(super) static ENTRY: AugmentationEntry = AugmentationEntry {
    name: "oversample",
    doc: "rows of rare classes repeated, as weights",
    tasks: CLASSES,
    spec: &[RATIO],
    augmentation: &Oversample,
};

/// The rows of each rare class repeated until the class has `ratio` times the rows of the largest. Each row is repeated
/// as often as any other of its class, give or take once; who is repeated once more is drawn by the seed. A row
/// that is repeated `m` times is one made row of `m` times its weight, which learners take as the same.
/// O(rows columns).
/// # Source  random oversampling, as in Batista, Prati & Monard, SIGKDD Explorations 6, 2004, section 3.3;
/// deviations: drawn without replacement while rows are left, weights for copies.
struct Oversample;

impl Augmentation for Oversample {
    fn make(&self, input: &AugmentInput<'_>, params: &Params) -> Result<MadeRows, Error> {
        let mut parents = Vec::new();
        for mut class in rare_classes(input, ENTRY.name, params.real(RATIO.name))? {
            let seed = input.seed.derive(ENTRY.name, u64::from(class.class));
            SplitMix64::new(seed.0).shuffle(&mut class.rows);
            let mut starts = evenly(&class.rows, class.wanted);
            starts.sort_unstable_by_key(|s| s.row);
            for start in starts {
                let weight = f64::from(input.weight(start.row)) * start.n_made as f64;
                parents.push(Parents::alone(start.row, (weight as f32).min(f32::MAX)));
            }
        }
        Ok(MadeRows::of(
            input,
            &parents,
            |column, made| input.code(column, parents[made].from),
            |_, values, made| values[parents[made].from as usize],
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::augment::laws::{Making, Table, ordered};
    use trees::Target;

    #[test]
    fn hand_computed() {
        let table = Table {
            encoders: vec![ordered(9)],
            codes: vec![(0..9).collect()],
            numbers: vec![None],
            weights: Some(vec![1.5; 9]),
            n_rows: 9,
        };
        let labels = [0, 0, 1, 0, 0, 0, 1, 0, 0];
        let rows: Vec<u32> = (0..9).collect();
        let making = Making { target: Target::Binary(&labels), rows: &rows, seed: 3, n_threads: 1 };
        // Half of seven is four: two rows are lacking, one for each.
        let made = table.make(&ENTRY, &[], making).unwrap();
        assert_eq!((&made.from[..], &made.weights[..]), (&[2, 6][..], &[1.5, 1.5][..]));
        assert_eq!(made.codes, [[2, 6]]);
        // Five are lacking: two of one, three of the other.
        let made = table.make(&ENTRY, &[("ratio", "1")], making).unwrap();
        assert_eq!(made.from, [2, 6]);
        assert!(made.weights == [3.0, 4.5] || made.weights == [4.5, 3.0], "{:?}", made.weights);
        assert_eq!(made.target, crate::augment::MadeTarget::Classes(vec![1, 1]));
        let made = table.make(&ENTRY, &[("ratio", "0.2")], making).unwrap();
        assert_eq!(made.n_rows(), 0);
    }
}
