//! `noise`: copies of rows whose numbers moved a little.

use super::{
    AugmentInput, Augmentation, AugmentationEntry, MadeRows, Parents, between, most_made, words_of_cell,
};
use crate::error::Error;
use crate::starts::evenly;
use ir::Task;
use params::{ParamSpec, Params, Range, Value};

/// The line of the table.
pub(super) static ENTRY: AugmentationEntry = AugmentationEntry {
    name: "noise",
    doc: "copies of rows whose numbers moved a little",
    tasks: Task::LEARNT,
    spec: SPEC,
    augmentation: &Noise,
};

const SPEC: &[ParamSpec] = &[
    ParamSpec {
        name: "copies",
        aliases: &[],
        default: Value::Real(1.0),
        range: Range::Real { low: 0.0, high: 4.0 },
        doc: "made rows for each training row",
    },
    ParamSpec {
        name: "scale",
        aliases: &[],
        default: Value::Real(0.05),
        range: Range::Real { low: 0.0, high: 1.0 },
        doc: "deviation of the noise, as a share of the ranks of a column",
    },
];

/// Row `i` again, `copies` times, its number cells moved: `code' = round(code + scale n_codes z)`, kept within the
/// column's codes, with `z` nearly normal, of mean 0 and deviation 1, drawn anew for each cell. Noise in ranks
/// needs no units and no shape of a distribution.
///
/// Where numbers are taken as they are, the number moves by `scale n z` places (the same `z`) in the sorted
/// `n` finite numbers of the training rows, with straight lines between them; it starts in the middle of those
/// that equal it. Categories, targets and weights are the row's; missing and infinite cells stay. Less than one
/// copy a row starts from evenly spread rows.
/// O(made rows columns), and a sort of each column of numbers.
/// # Source  Bishop, Training with Noise is Equivalent to Tikhonov Regularization, Neural Computation 7, 1995;
/// deviations: noise in ranks, and the sum of twelve uniform numbers for a normal one.
struct Noise;

impl Augmentation for Noise {
    fn make(&self, input: &AugmentInput<'_>, params: &Params) -> Result<MadeRows, Error> {
        let rows = input.training_rows();
        let scale = params.real("scale");
        let wanted = (params.real("copies") * rows.len() as f64).round() as usize;
        let mut parents = Vec::new();
        for start in evenly(&rows, wanted.min(most_made(rows.len()))) {
            let parent = Parents::alone(start.row, input.weight(start.row));
            parents.extend(std::iter::repeat_n(parent, start.n_made));
        }
        let seed = |made: usize| input.seed.derive(ENTRY.name, made as u64).0;
        let seeds: Vec<u64> = (0..parents.len()).map(seed).collect();
        let shift = |column: usize, made: usize| scale * words_of_cell(seeds[made], column).normal();
        let sorted = input.threads.map(input.n_columns(), |column| {
            let Some(values) = input.numbers_of(column) else { return Vec::new() };
            let finite = rows.iter().map(|&row| values[row as usize]).filter(|v| v.is_finite());
            let mut finite: Vec<f64> = finite.collect();
            finite.sort_by(f64::total_cmp);
            finite
        });
        let code = |column: usize, made: usize| {
            let code = input.code(column, parents[made].from);
            let n_codes = input.missing(column);
            if code >= n_codes || !input.ordered(column) {
                return code;
            }
            let moved = f64::from(code) + shift(column, made) * f64::from(n_codes);
            moved.round().clamp(0.0, f64::from(n_codes - 1)) as u8
        };
        Ok(MadeRows::of(input, &parents, code, |column, values, made| {
            moved(&sorted[column], values[parents[made].from as usize], shift(column, made))
        }))
    }
}

/// The number that stands `shift`, a share of all places, behind `x` in sorted numbers; the ends for places beyond.
fn moved(sorted: &[f64], x: f64, shift: f64) -> f64 {
    if sorted.is_empty() || !x.is_finite() {
        return x;
    }
    let below = sorted.partition_point(|&v| v < x);
    let upto = sorted.partition_point(|&v| v <= x);
    let middle = (below + upto).saturating_sub(1) as f64 / 2.0;
    let last = sorted.len() - 1;
    let place = (middle + shift * sorted.len() as f64).clamp(0.0, last as f64);
    let at = place.floor() as usize;
    between::number(sorted[at], sorted[last.min(at + 1)], place - place.floor())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::augment::laws::{Making, Table, category, ordered};
    use trees::Target;

    #[test]
    fn numbers_move_by_places() {
        let (inf, nan) = (f64::INFINITY, f64::NAN);
        let cases: &[(&[f64], f64, f64, f64)] = &[
            // Place 1, half a place on.
            (&[1.0, 2.0, 4.0, 8.0], 2.0, 0.125, 3.0),
            (&[1.0, 2.0, 4.0, 8.0], 2.0, 0.0, 2.0),
            (&[1.0, 2.0, 4.0, 8.0], 2.0, 5.0, 8.0),
            (&[1.0, 2.0, 4.0, 8.0], 2.0, -5.0, 1.0),
            // The middle of the three is place 2; place 3.5 lies between 2 and 5.
            (&[1.0, 2.0, 2.0, 2.0, 5.0], 2.0, 0.1, 2.0),
            (&[1.0, 2.0, 2.0, 2.0, 5.0], 2.0, 0.3, 3.5),
            (&[1.0, 3.0, 3.0, 9.0], 3.0, 0.0, 3.0),
            (&[1.0, 2.0], inf, 0.3, inf),
            (&[], 7.0, 0.3, 7.0),
        ];
        for &(sorted, x, shift, expected) in cases {
            assert_eq!(moved(sorted, x, shift), expected, "{sorted:?} {x} {shift}");
        }
        assert!(moved(&[1.0], nan, 0.5).is_nan());
    }

    #[test]
    fn without_scale_rows_are_copied_and_fewer_than_all_evenly() {
        let table = Table {
            encoders: vec![ordered(9), category(3)],
            codes: vec![vec![0, 4, 9, 8], vec![2, 3, 0, 1]],
            numbers: vec![Some(vec![-1.0, 0.5, f64::NAN, 7.0]), None],
            weights: Some(vec![1.0, 2.0, 3.0, 4.0]),
            n_rows: 4,
        };
        let values = [1.0, 2.0, 3.0, 4.0];
        let making = Making { target: Target::Values(&values), rows: &[0, 1, 2, 3], seed: 1, n_threads: 1 };
        let made = table.make(&ENTRY, &[("copies", "0.5"), ("scale", "0")], making).unwrap();
        assert_eq!(made.from, [1, 3]);
        assert_eq!(made.codes, [[4, 8], [3, 1]]);
        assert_eq!(made.numbers, [Some(vec![0.5, 7.0]), None]);
        assert_eq!(made.weights, [2.0, 4.0]);
        assert_eq!(made.target, crate::augment::MadeTarget::Values(vec![2.0, 4.0]));
        let made = table.make(&ENTRY, &[("copies", "2"), ("scale", "1")], making).unwrap();
        assert_eq!(made.from, [0, 0, 1, 1, 2, 2, 3, 3]);
        assert_eq!(made.codes[0][4..6], [9, 9], "missing stays");
        assert_eq!(made.codes[1], [2, 2, 3, 3, 0, 0, 1, 1]);
    }
}
