//! Made rows that lie between two rows.
//!
//! It stands apart because all members that mix two rows mean the same by "between": of codes, of numbers, of cells
//! that are missing. Those that mix a row with its neighbours share the whole way, and differ in where they start.

use super::rare_classes::{RATIO, RareClass, rare_classes};
use super::{AugmentInput, MadeRows, Parents};
use crate::error::Error;
use crate::neighbours::Neighbours;
use crate::starts::{Start, evenly, shared_out};
use ir::digest::SplitMix64;
use params::{ParamSpec, Params, Range, Value};

/// Among how many neighbours a row finds the one that it is mixed with.
pub(super) const K: ParamSpec = ParamSpec {
    name: "k",
    aliases: &["k_neighbors", "n_neighbors"],
    default: Value::Int(5),
    range: Range::Int { low: 1, high: 100 },
    doc: "nearest rows of its class among which a row finds the one that it is mixed with",
};

/// The value of [`K`].
pub(super) fn k(params: &Params) -> usize {
    usize::try_from(params.int(K.name)).unwrap_or(1)
}

/// `round(from + share (other - from))`, half away from zero; `from` where either is missing.
pub(super) fn code(from: u8, other: u8, share: f64, missing: u8) -> u8 {
    if from >= missing || other >= missing {
        return from;
    }
    let from = f64::from(from);
    (from + share * (f64::from(other) - from)).round() as u8
}

/// `(1 - share) from + share other`, never outside of both; `from` where either is missing or infinite.
pub(super) fn number(from: f64, other: f64, share: f64) -> f64 {
    if !from.is_finite() || !other.is_finite() {
        return from;
    }
    ((1.0 - share) * from + share * other).clamp(from.min(other), from.max(other))
}

impl Parents {
    /// The code of a number column.
    pub(super) fn code(&self, input: &AugmentInput<'_>, column: usize) -> u8 {
        let [from, other] = [self.from, self.other].map(|row| input.code(column, row));
        code(from, other, self.share, input.missing(column))
    }

    /// The number of a column that has them.
    pub(super) fn number(&self, values: &[f64]) -> f64 {
        number(values[self.from as usize], values[self.other as usize], self.share)
    }
}

/// For each start `x` of a class its made rows `x + u (y - x)`: `y` is one of the `k` nearest rows of the
/// class, each as likely, and `u` is uniform in `0..1`; both come from the seed, the member's name and the
/// place of the made row. Missing cells stay missing; a category is the one that most of the `k` neighbours
/// have, missing counted as one, of equally frequent ones that of `x`, then the first code. A row without a
/// neighbour is copied.
/// O(starts candidates columns) for the neighbours, O(made rows columns) for the rows.
pub(super) fn between_neighbours(
    input: &AugmentInput<'_>,
    augmentation: &'static str,
    k: usize,
    classes: &[(RareClass, Vec<Start>)],
) -> MadeRows {
    let (mut parents, mut start_of): (Vec<Parents>, Vec<usize>) = (Vec::new(), Vec::new());
    let mut near: Vec<(u32, Vec<u32>)> = Vec::new();
    for (class, starts) in classes {
        let rows: Vec<u32> = starts.iter().map(|s| s.row).collect();
        let found = Neighbours::among(input.coded(), &class.rows, input.seed).nearest(&rows, k);
        for (start, found) in starts.iter().zip(found) {
            for _ in 0..start.n_made {
                let seed = input.seed.derive(augmentation, parents.len() as u64);
                let mut random = SplitMix64::new(seed.0);
                let at = random.below(u32::try_from(found.len()).unwrap_or(u32::MAX));
                let other = found.get(at as usize).copied().unwrap_or(start.row);
                let weight = input.weight(start.row);
                parents.push(Parents { from: start.row, other, share: random.unit(), weight });
                start_of.push(near.len());
            }
            near.push((start.row, found));
        }
    }
    let categories = input.threads.map(input.n_columns(), |column| {
        if input.ordered(column) {
            return Vec::new();
        }
        let of_start = |(row, near): &(u32, Vec<u32>)| {
            most_frequent(input.code(column, *row), near.iter().map(|&row| input.code(column, row)))
        };
        near.iter().map(of_start).collect::<Vec<u8>>()
    });
    let code = |column: usize, made: usize| {
        if input.ordered(column) {
            parents[made].code(input, column)
        } else {
            categories[column][start_of[made]]
        }
    };
    MadeRows::of(input, &parents, code, |_, values, made| parents[made].number(values))
}

/// [`between_neighbours`] of rare classes, made rows shared out by what each row counts: `counts(n, d)` of a row among
/// whose `m` nearest training rows of all classes, `n` of them where there are fewer, `d` have another class. A class
/// whose rows count nothing gets none; a class of one row is copied.
/// O(asked rows candidates columns), twice.
///
/// # Errors
/// `Task` for a target of numbers.
pub(super) fn by_other_classes(
    input: &AugmentInput<'_>,
    augmentation: &'static str,
    params: &Params,
    m: usize,
    counts: impl Fn(usize, usize) -> u64,
) -> Result<MadeRows, Error> {
    let (labels, _) = input.labels(augmentation)?;
    let all = Neighbours::among(input.coded(), &input.training_rows(), input.seed);
    let mut classes = Vec::new();
    for class in rare_classes(input, augmentation, params.real(RATIO.name))? {
        let starts = if class.rows.len() < 2 {
            evenly(&class.rows, class.wanted)
        } else {
            let near = all.of_other_classes(&class.asked, m, labels);
            let rows = class.asked.iter().zip(near).map(|(&row, [n, others])| (row, counts(n, others)));
            shared_out(&rows.collect::<Vec<_>>(), class.wanted)
        };
        classes.push((class, starts));
    }
    Ok(between_neighbours(input, augmentation, k(params), &classes))
}

/// The code that most neighbours have; of equally frequent ones the row's own, then the first.
fn most_frequent(own: u8, near: impl Iterator<Item = u8>) -> u8 {
    let mut codes: Vec<u8> = near.collect();
    codes.sort_unstable();
    let mut best = (codes.iter().filter(|&&c| c == own).count(), own);
    for same in codes.chunk_by(|a, b| a == b) {
        if same.len() > best.0 {
            best = (same.len(), same[0]);
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes() {
        for (from, other, share, expected) in [
            (2, 6, 0.0, 2),
            (2, 6, 0.3, 3),
            // 3.5 and 4.5 go away from zero.
            (2, 6, 0.375, 4),
            (6, 2, 0.375, 5),
            (6, 2, 1.0, 2),
            (2, 10, 0.9, 2),
            (10, 2, 0.9, 10),
        ] {
            assert_eq!(code(from, other, share, 10), expected, "{from} {other} {share}");
        }
    }

    #[test]
    fn numbers() {
        let (inf, nan) = (f64::INFINITY, f64::NAN);
        for (from, other, share, expected) in [
            (10.0, 20.0, 0.25, 12.5),
            (20.0, 10.0, 0.25, 17.5),
            (0.1, 0.1, 0.3, 0.1),
            (7.0, nan, 0.5, 7.0),
            (7.0, inf, 0.5, 7.0),
            (-inf, 7.0, 0.5, -inf),
            (1e308, -1e308, 0.5, 0.0),
        ] {
            assert_eq!(number(from, other, share), expected, "{from} {other} {share}");
        }
        assert!(number(nan, 7.0, 0.5).is_nan());
    }

    #[test]
    fn categories() {
        for (own, near, expected) in [
            (1, &[2, 3, 2][..], 2),
            (1, &[2, 1][..], 1),
            (1, &[3, 2][..], 2),
            (1, &[][..], 1),
            (4, &[4, 0, 0][..], 0),
        ] {
            assert_eq!(most_frequent(own, near.iter().copied()), expected, "{own} {near:?}");
        }
    }
}
