//! What every augmentation must satisfy.

use super::{
    AUGMENTATIONS, AugmentInput, AugmentationEntry, MadeRows, MadeTarget, augmentation, extended,
    extended_numbers,
};
use crate::Error;
use ir::digest::SplitMix64;
use ir::{Column, Task};
use jobs::{Seed, Threads};
use std::sync::Arc;
use trees::{CodeMatrix, Encoder, Target};

const N_ROWS: usize = 240;
const N_TRAIN: u32 = 200;

/// A table in codes; the number of a column's codes is missing.
#[derive(Clone)]
pub(crate) struct Table {
    pub(crate) encoders: Vec<Encoder>,
    pub(crate) codes: Vec<Vec<u8>>,
    pub(crate) numbers: Vec<Option<Vec<f64>>>,
    pub(crate) weights: Option<Vec<f32>>,
    pub(crate) n_rows: usize,
}

/// What rows are made for.
#[derive(Clone, Copy)]
pub(super) struct Making<'a> {
    pub(super) target: Target<'a>,
    pub(super) rows: &'a [u32],
    pub(super) seed: u64,
    pub(super) n_threads: usize,
}

/// A number column.
pub(crate) fn ordered(n_codes: u16) -> Encoder {
    Encoder::Whole((1..i64::from(n_codes)).collect())
}

/// A column of categories.
pub(crate) fn category(n_codes: u16) -> Encoder {
    Encoder::Category { keys: (0..n_codes).map(|code| format!("{code:03}")).collect(), rare: false }
}

impl Table {
    pub(crate) fn matrix(&self) -> CodeMatrix {
        let none: Vec<Vec<Column<'_>>> = self.encoders.iter().map(|_| Vec::new()).collect();
        CodeMatrix::new(&self.encoders, &none, 0, &Threads::one()).with_rows(self.n_rows, &self.codes)
    }

    fn shared_numbers(&self) -> Vec<Option<Arc<[f64]>>> {
        self.numbers.iter().map(|n| n.as_deref().map(Arc::from)).collect()
    }

    pub(super) fn make(
        &self,
        entry: &AugmentationEntry,
        settings: &[(&str, &str)],
        making: Making<'_>,
    ) -> Result<MadeRows, Error> {
        let settings: Vec<(String, String)> =
            settings.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        let input = AugmentInput {
            encoders: &self.encoders,
            codes: &self.matrix(),
            numbers: &self.shared_numbers(),
            target: making.target,
            row_weights: self.weights.as_deref(),
            rows: making.rows,
            seed: Seed(making.seed),
            threads: &Threads::try_new(making.n_threads).unwrap(),
        };
        entry.augmentation.make(&input, &entry.params(&settings)?)
    }
}

/// One number column and its two classes: 0 0 1 2 of class 1, then 3 4 5 6 6 6 8 9 of class 0, then 10 of class 1.
pub(super) fn on_a_line() -> (Table, Vec<u32>) {
    let table = Table {
        encoders: vec![ordered(11)],
        codes: vec![vec![0, 1, 3, 4, 5, 10, 9, 8, 0, 2, 6, 6, 6]],
        numbers: vec![None],
        weights: None,
        n_rows: 13,
    };
    (table, vec![1, 1, 0, 0, 0, 1, 0, 0, 1, 1, 0, 0, 0])
}

/// Columns of both kinds with missing cells, one number column with its numbers, some weights of zero; and a place in
/// `0..1` that targets hang on.
fn random(seed: u64) -> (Table, Vec<f64>) {
    let mut r = SplitMix64::new(seed);
    let (mut codes, mut numbers, mut places) = (vec![Vec::new(); 4], Vec::new(), Vec::new());
    let mut weights = Vec::new();
    for _ in 0..N_ROWS {
        let place = r.unit();
        let near = ((place * 18.0) as u32 + r.below(3)).min(19) as u8;
        let is_missing = r.below(20) == 0;
        codes[0].push(if is_missing { 20 } else { near });
        numbers.push(if is_missing { f64::NAN } else { f64::from(near) + r.unit() });
        codes[1].push(r.below(6) as u8);
        codes[2].push(r.below(5) as u8);
        codes[3].push(0);
        weights.push(r.below(8) as f32 / 4.0);
        places.push(place);
    }
    let table = Table {
        encoders: vec![ordered(20), ordered(5), category(4), ordered(1)],
        codes,
        numbers: vec![Some(numbers), None, None, None],
        weights: Some(weights),
        n_rows: N_ROWS,
    };
    (table, places)
}

/// Classes that become rarer, with some that are elsewhere.
fn labels(places: &[f64], n_classes: u32) -> Vec<u32> {
    let mut r = SplitMix64::new(5);
    let class = |&place: &f64| {
        let rare = u32::from(place > 0.8) + u32::from(place > 0.92);
        let class = if r.below(10) == 0 { r.below(3) } else { rare };
        class.min(n_classes - 1)
    };
    places.iter().map(class).collect()
}

fn task(target: Target<'_>) -> Task {
    match target {
        Target::Binary(_) => Task::Binary,
        Target::Classes { .. } => Task::Multiclass,
        Target::Values(_) => Task::Regression,
        Target::Several(_) => Task::MultiRegression,
    }
}

/// Calls `law` for every member and each target that it answers; others it must refuse by its name.
fn on_every_member(law: impl Fn(&AugmentationEntry, &Table, Making<'_>)) {
    let (table, places) = random(11);
    let (two, three) = (labels(&places, 2), labels(&places, 3));
    let rows: Vec<u32> = (0..N_TRAIN).collect();
    let targets =
        [Target::Binary(&two), Target::Classes { labels: &three, n_classes: 3 }, Target::Values(&places)];
    for entry in AUGMENTATIONS {
        assert!(!entry.tasks.is_empty(), "{} answers no task", entry.name);
        for target in targets {
            let making = Making { target, rows: &rows, seed: 4, n_threads: 1 };
            if entry.tasks.contains(&task(target)) {
                law(entry, &table, making);
            } else {
                let error = table.make(entry, &[], making).unwrap_err().to_string();
                assert!(error.starts_with(entry.name), "{error}");
            }
        }
    }
}

/// All of it, NaN included.
fn same(a: &MadeRows, b: &MadeRows) -> bool {
    let numbers = |made: &MadeRows| -> Vec<Option<Vec<u64>>> {
        made.numbers.iter().map(|n| n.as_ref().map(|n| n.iter().map(|v| v.to_bits()).collect())).collect()
    };
    a.from == b.from
        && a.other == b.other
        && a.codes == b.codes
        && numbers(a) == numbers(b)
        && a.target == b.target
        && a.weights == b.weights
}

/// What holds for made rows whatever they were made of.
fn check(entry: &AugmentationEntry, table: &Table, making: Making<'_>, made: &MadeRows) {
    let name = entry.name;
    let n_made = made.n_rows();
    assert!(n_made <= 4 * making.rows.len(), "{name}: {n_made}");
    assert_eq!((made.other.len(), made.weights.len()), (n_made, n_made), "{name}");
    assert!(made.weights.iter().all(|w| *w > 0.0 && w.is_finite()), "{name}");
    for row in made.from.iter().chain(&made.other) {
        assert!(making.rows.contains(row), "{name}: {row} is no training row");
        let weight = table.weights.as_ref().map_or(1.0, |w| w[*row as usize]);
        assert!(weight > 0.0, "{name}: {row} weighs nothing");
    }
    match (&made.target, making.target) {
        (MadeTarget::Classes(classes), Target::Binary(labels) | Target::Classes { labels, .. }) => {
            assert_eq!(classes.len(), n_made, "{name}");
            for (at, class) in classes.iter().enumerate() {
                let parents = [made.from[at], made.other[at]].map(|row| labels[row as usize]);
                assert!(parents.contains(class), "{name}: {class} of {parents:?}");
            }
        }
        (MadeTarget::Values(targets), Target::Values(values)) => {
            assert_eq!(targets.len(), n_made, "{name}");
            for (at, y) in targets.iter().enumerate() {
                let [a, b] = [made.from[at], made.other[at]].map(|row| values[row as usize]);
                assert!(a.min(b) <= *y && *y <= a.max(b), "{name}: {y} of {a} and {b}");
            }
        }
        _ => panic!("{name}: another target than the rows have"),
    }
    let n_columns = table.encoders.len();
    assert_eq!((made.codes.len(), made.numbers.len()), (n_columns, n_columns), "{name}");
    for column in 0..n_columns {
        check_codes(entry, table, made, column);
        check_numbers(entry, table, made, column);
    }
}

fn check_codes(entry: &AugmentationEntry, table: &Table, made: &MadeRows, column: usize) {
    let name = entry.name;
    let (encoder, cells) = (&table.encoders[column], &table.codes[column]);
    let missing = encoder.n_codes() as u8;
    assert_eq!(made.codes[column].len(), made.n_rows(), "{name}");
    for (at, &code) in made.codes[column].iter().enumerate() {
        let [from, other] = [made.from[at], made.other[at]].map(|row| cells[row as usize]);
        if !encoder.ordered() {
            // A category may come of any neighbour, so of any row.
            assert!(cells.contains(&code), "{name}: {code} in column {column}");
        } else if from == missing || code == missing {
            assert_eq!((from, code), (missing, missing), "{name}: column {column}");
        } else if name == "noise" {
            assert!(code < missing, "{name}: {code} in column {column}");
        } else {
            let other = if other == missing { from } else { other };
            let between = from.min(other)..=from.max(other);
            assert!(between.contains(&code), "{name}: {code} in column {column}, of {between:?}");
        }
    }
}

fn check_numbers(entry: &AugmentationEntry, table: &Table, made: &MadeRows, column: usize) {
    let name = entry.name;
    let (Some(numbers), Some(cells)) = (&made.numbers[column], &table.numbers[column]) else {
        assert_eq!(
            made.numbers[column].is_some(),
            table.numbers[column].is_some(),
            "{name}: column {column}"
        );
        return;
    };
    assert_eq!(numbers.len(), made.n_rows(), "{name}");
    // Noise goes as far as any row.
    let known = || cells.iter().copied().filter(|v| !v.is_nan());
    let ends = [known().fold(f64::INFINITY, f64::min), known().fold(f64::NEG_INFINITY, f64::max)];
    for (at, &number) in numbers.iter().enumerate() {
        let [from, other] = [made.from[at], made.other[at]].map(|row| cells[row as usize]);
        if from.is_nan() {
            assert!(number.is_nan(), "{name}: {number} where {from} was");
            continue;
        }
        let other = if from.is_finite() && other.is_finite() { other } else { from };
        let [low, high] = if name == "noise" { ends } else { [from.min(other), from.max(other)] };
        assert!(low <= number && number <= high, "{name}: {number} of {low} to {high}");
    }
}

#[test]
fn made_rows_lie_between_their_parents() {
    on_every_member(|entry, table, making| {
        for seed in 0..3 {
            let making = Making { seed, ..making };
            let made = table.make(entry, &[], making).unwrap();
            assert!(made.n_rows() > 0, "{}", entry.name);
            check(entry, table, making, &made);
        }
    });
}

#[test]
fn a_seed_gives_the_same_rows_on_any_number_of_threads_and_others_give_others() {
    on_every_member(|entry, table, making| {
        let first = table.make(entry, &[], making).unwrap();
        for n_threads in [1, 2, 3] {
            let again = table.make(entry, &[], Making { n_threads, ..making }).unwrap();
            assert!(same(&first, &again), "{}: {n_threads} threads", entry.name);
        }
        let others = (100..110).map(|seed| table.make(entry, &[], Making { seed, ..making }).unwrap());
        assert!(others.into_iter().any(|other| !same(&first, &other)), "{}", entry.name);
    });
}

#[test]
fn rows_that_are_no_training_rows_change_nothing() {
    on_every_member(|entry, table, making| {
        let first = table.make(entry, &[], making).unwrap();
        let mut changed = table.clone();
        let (mut labels, mut values) = (Vec::new(), Vec::new());
        match making.target {
            Target::Binary(l) | Target::Classes { labels: l, .. } => labels = l.to_vec(),
            Target::Values(v) => values = v.to_vec(),
            Target::Several(_) => {}
        }
        for row in N_TRAIN as usize..N_ROWS {
            changed.codes.iter_mut().for_each(|codes| codes[row] = 0);
            changed.numbers.iter_mut().flatten().for_each(|numbers| numbers[row] = -1e9);
            changed.weights.iter_mut().for_each(|weights| weights[row] = 7.0);
            labels.iter_mut().skip(row).take(1).for_each(|label| *label = 1);
            values.iter_mut().skip(row).take(1).for_each(|value| *value = 1e9);
        }
        let target = match making.target {
            Target::Binary(_) => Target::Binary(&labels),
            Target::Classes { n_classes, .. } => Target::Classes { labels: &labels, n_classes },
            Target::Values(_) | Target::Several(_) => Target::Values(&values),
        };
        let again = changed.make(entry, &[], Making { target, ..making }).unwrap();
        assert!(same(&first, &again), "{}", entry.name);
    });
}

/// A made row counts as often as it weighs more than its row.
#[test]
fn classes_reach_the_ratio_and_no_more() {
    on_every_member(|entry, table, making| {
        let (Target::Binary(labels) | Target::Classes { labels, .. }) = making.target else { return };
        if !entry.spec.iter().any(|p| p.name == "ratio") {
            return;
        }
        let table = Table { weights: None, ..table.clone() };
        let mut before = [0usize; 3];
        making.rows.iter().for_each(|&row| before[labels[row as usize] as usize] += 1);
        let largest = before.iter().copied().max().unwrap();
        for (ratio, exact) in [("0", 0.0), ("0.3", 0.3), ("0.5", 0.5), ("0.75", 0.75), ("1", 1.0)] {
            let made = table.make(entry, &[("ratio", ratio)], making).unwrap();
            let MadeTarget::Classes(classes) = &made.target else { panic!("classes in, classes out") };
            let mut after = before;
            for (class, weight) in classes.iter().zip(&made.weights) {
                assert_eq!(weight.fract(), 0.0, "{}: {weight}", entry.name);
                after[*class as usize] += *weight as usize;
            }
            let wanted = (exact * largest as f64 - 1e-6).ceil().max(0.0) as usize;
            for (before, after) in before.into_iter().zip(after) {
                let expected = if before > 0 { before.max(wanted) } else { 0 };
                assert_eq!(after, expected, "{} {ratio}: from {before}", entry.name);
            }
        }
    });
}

#[test]
fn odd_tables_neither_fail_nor_panic() {
    on_every_member(|entry, table, making| {
        let n = table.encoders.len();
        let missing: Vec<Vec<u8>> = table.encoders.iter().map(|e| vec![e.n_codes() as u8; N_ROWS]).collect();
        let nan = table.numbers.iter().map(|v| v.as_ref().map(|_| vec![f64::NAN; N_ROWS])).collect();
        let infinite =
            table.numbers.iter().map(|v| v.as_ref().map(|_| vec![f64::INFINITY; N_ROWS])).collect();
        let no_key = (0..n).map(|_| category(0)).collect();
        let none = || (0..n).map(|_| None).collect::<Vec<Option<Vec<f64>>>>();
        let odd = [
            Table { codes: missing, numbers: nan, ..table.clone() },
            Table { numbers: infinite, ..table.clone() },
            Table { codes: vec![vec![0; N_ROWS]; n], encoders: no_key, numbers: none(), ..table.clone() },
            Table {
                codes: vec![table.codes[2].clone()],
                encoders: vec![table.encoders[2].clone()],
                numbers: vec![None],
                ..table.clone()
            },
            Table { codes: Vec::new(), encoders: Vec::new(), numbers: Vec::new(), ..table.clone() },
            Table { weights: Some(vec![f32::MAX; N_ROWS]), ..table.clone() },
            Table { weights: Some(vec![1e-45; N_ROWS]), ..table.clone() },
            Table { weights: Some(vec![0.0; N_ROWS]), ..table.clone() },
        ];
        for odd in odd.iter().chain([table]) {
            for rows in [making.rows, &[], &[3], &[3, 9]] {
                let making = Making { rows, ..making };
                let made = odd.make(entry, &[], making).unwrap();
                check(entry, odd, making, &made);
            }
        }
    });
}

#[test]
fn one_class_and_one_row_of_a_class() {
    let (mut table, _) = random(3);
    table.weights = None;
    let rows: Vec<u32> = (0..N_TRAIN).collect();
    let mut labels = vec![0; N_ROWS];
    for entry in AUGMENTATIONS {
        let of_classes = entry.spec.iter().any(|p| p.name == "ratio");
        labels[7] = 0;
        for seed in 0..2 {
            let making = Making { target: Target::Binary(&labels), rows: &rows, seed, n_threads: 2 };
            let made = table.make(entry, &[], making).unwrap();
            check(entry, &table, making, &made);
            assert_eq!(made.n_rows() == 0, of_classes, "{}", entry.name);
        }
        labels[7] = 1;
        let making = Making { target: Target::Binary(&labels), rows: &rows, seed: 1, n_threads: 2 };
        let made = table.make(entry, &[("ratio", "0.1")], making);
        if !of_classes {
            assert!(made.is_err(), "{}", entry.name);
            continue;
        }
        let made = made.unwrap();
        check(entry, &table, making, &made);
        // Of 199 rows, 20: the one row 19 times.
        assert_eq!(made.weights.iter().sum::<f32>(), 19.0, "{}", entry.name);
        assert!(made.from.iter().chain(&made.other).all(|&row| row == 7), "{}", entry.name);
        for (made, cells) in made.codes.iter().zip(&table.codes) {
            assert!(made.iter().all(|&code| code == cells[7]), "{}", entry.name);
        }
    }
}

/// Many classes of one row want more rows than may be made, and 60,000 rows are more than neighbours are sought for.
#[test]
fn bounds_hold() {
    let n_rows = 60_000;
    let mut r = SplitMix64::new(1);
    let table = Table {
        encoders: vec![ordered(254)],
        codes: vec![(0..n_rows).map(|_| r.below(254) as u8).collect()],
        numbers: vec![None],
        weights: None,
        n_rows,
    };
    let rows: Vec<u32> = (0..n_rows as u32).collect();
    let labels: Vec<u32> = rows.iter().map(|row| u32::from(row.is_multiple_of(20))).collect();
    let many: Vec<u32> = rows.iter().map(|row| row.saturating_sub(400)).collect();
    for entry in AUGMENTATIONS.iter().filter(|e| e.spec.iter().any(|p| p.name == "ratio")) {
        let making = Making { target: Target::Binary(&labels), rows: &rows, seed: 1, n_threads: 2 };
        let made = table.make(entry, &[("ratio", "0.1")], making).unwrap();
        // A tenth of 57,000 is 5700; there are 3000.
        assert_eq!(made.weights.iter().sum::<f32>(), 2700.0, "{}", entry.name);
        let target = Target::Classes { labels: &many, n_classes: n_rows };
        let making = Making { target, rows: &rows[..1000], seed: 1, n_threads: 2 };
        let made = table.make(entry, &[("ratio", "1")], making).unwrap();
        check(entry, &table, making, &made);
        // Each of 599 classes lacks 400 rows, and 4000 may be made: 6 for each.
        assert_eq!(made.weights.iter().sum::<f32>(), 599.0 * 6.0, "{}", entry.name);
    }
}

#[test]
fn made_rows_go_behind_the_others() {
    on_every_member(|entry, table, making| {
        let made = table.make(entry, &[], making).unwrap();
        let (codes, numbers) = (table.matrix(), table.shared_numbers());
        let (both, both_numbers) = (extended(&codes, &made), extended_numbers(&numbers, &made));
        assert_eq!(both.n_rows(), N_ROWS + made.n_rows(), "{}", entry.name);
        for (column, both_numbers) in both_numbers.iter().enumerate() {
            let all = table.codes[column].iter().chain(&made.codes[column]);
            assert!(all.zip(0..).all(|(&code, row)| both.code(column, row) == code), "{}", entry.name);
            let Some(numbers) = &table.numbers[column] else {
                assert!(both_numbers.is_none(), "{}", entry.name);
                continue;
            };
            let all = numbers.iter().chain(made.numbers[column].iter().flatten());
            let both = both_numbers.as_deref().unwrap();
            assert_eq!(both.len(), N_ROWS + made.n_rows(), "{}", entry.name);
            assert!(all.zip(both).all(|(a, b)| a.to_bits() == b.to_bits()), "{}", entry.name);
        }
    });
}

#[test]
fn parameters_out_of_range_give_the_message() {
    for entry in AUGMENTATIONS {
        for param in entry.spec {
            for text in params::outside(param.range) {
                let error = entry.params(&[(param.name.to_owned(), text.clone())]).unwrap_err();
                let expected = format!("{}: {} must be {}, got {text}", entry.name, param.name, param.range);
                assert_eq!(error.to_string(), expected);
            }
            for name in param.aliases.iter().chain([&param.name]) {
                let default = entry.params(&[((*name).to_owned(), param.default.to_string())]);
                assert!(default.is_ok(), "{}.{name}", entry.name);
            }
        }
        let mut names: Vec<&str> = entry.spec.iter().map(|p| p.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), entry.spec.len(), "{}: a parameter twice", entry.name);
    }
}

#[test]
fn the_ends_of_every_range_make_rows_as_they_should_be() {
    on_every_member(|entry, table, making| {
        for param in entry.spec {
            let ends = match param.range {
                params::Range::Int { low, high } => [low, high].map(|v| v.to_string()).to_vec(),
                params::Range::Real { low, high } => [low, high].map(|v| v.to_string()).to_vec(),
                params::Range::Words(words) => words.iter().map(|w| (*w).to_owned()).collect(),
                params::Range::Text => Vec::new(),
            };
            for end in ends {
                let made = table.make(entry, &[(param.name, &end)], making).unwrap();
                check(entry, table, making, &made);
            }
        }
    });
}

#[test]
fn names() {
    for entry in AUGMENTATIONS {
        assert_eq!(augmentation(entry.name).unwrap().name, entry.name);
    }
    let error = augmentation("smot").err().unwrap();
    assert_eq!(
        error.to_string(),
        "unknown augmentation \"smot\"; did you mean \"smote\"?; \
         known: noise, mixup, oversample, smote, borderline_smote, adasyn"
    );
    assert_eq!(error.nature(), ir::Nature::Input);
}
