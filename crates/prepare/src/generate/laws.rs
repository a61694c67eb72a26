//! What every generator must satisfy.

use super::{GENERATORS, GenerateInput, GeneratorEntry, MadeCells, generator};
use crate::Error;
use crate::augment::laws::{Table, category, ordered};
use ir::digest::SplitMix64;
use jobs::{Seed, Threads};

const N_ROWS: usize = 480;
const N_TRAIN: u32 = 400;

/// What rows are made for.
#[derive(Clone, Copy)]
pub(super) struct Making<'a> {
    pub(super) group_of: &'a [usize],
    pub(super) targets: &'a [f64],
    pub(super) n_outputs: usize,
    pub(super) rows: &'a [u32],
    pub(super) seed: u64,
    pub(super) n_threads: usize,
}

impl Default for Making<'_> {
    fn default() -> Self {
        Making { group_of: &[], targets: &[], n_outputs: 1, rows: &[], seed: 1, n_threads: 1 }
    }
}

pub(super) fn make(
    entry: &GeneratorEntry,
    table: &Table,
    settings: &[(&str, &str)],
    making: Making<'_>,
) -> Result<MadeCells, Error> {
    let settings: Vec<(String, String)> =
        settings.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    let input = GenerateInput {
        encoders: &table.encoders,
        codes: &table.matrix(),
        group_of: making.group_of,
        n_groups: making.group_of.iter().max().map_or(0, |last| last + 1),
        targets: making.targets,
        n_outputs: making.n_outputs,
        row_weights: table.weights.as_deref(),
        rows: making.rows,
        seed: Seed(making.seed),
        threads: &Threads::try_new(making.n_threads).unwrap(),
    };
    entry.generator.make(&input, &entry.params(&settings)?)
}

/// Five columns, the last two in one group, some cells missing, some weights zero; and what a teacher says of three
/// classes.
fn random(seed: u64) -> (Table, Vec<f64>) {
    let mut r = SplitMix64::new(seed);
    let mut codes = vec![Vec::new(); 5];
    let (mut weights, mut targets) = (Vec::new(), Vec::new());
    for _ in 0..N_ROWS {
        let place = r.unit();
        let near = |r: &mut SplitMix64| ((place * 18.0) as u32 + r.below(3)).min(19) as u8;
        let is_missing = r.below(20) == 0;
        codes[0].push(if is_missing { 20 } else { near(&mut r) });
        codes[1].push(near(&mut r));
        codes[2].push((r.below(4)) as u8);
        codes[3].push((r.below(6)) as u8);
        codes[4].push((r.below(6)) as u8);
        weights.push(r.below(4) as f32 / 2.0);
        let p = 0.8 * place;
        targets.extend([1.0 - p, p * 0.75, p * 0.25]);
    }
    let table = Table {
        encoders: vec![ordered(20), ordered(20), category(4), ordered(6), category(6)],
        codes,
        numbers: vec![None; 5],
        weights: Some(weights),
        n_rows: N_ROWS,
    };
    (table, targets)
}

const GROUP_OF: &[usize] = &[0, 1, 2, 3, 3];

fn on_every_member(law: impl Fn(&GeneratorEntry, &Table, Making<'_>)) {
    let (table, targets) = random(11);
    let rows: Vec<u32> = (0..N_TRAIN).collect();
    let numbers: Vec<f64> = targets.iter().step_by(3).copied().collect();
    for entry in GENERATORS {
        let making =
            Making { group_of: GROUP_OF, targets: &targets, n_outputs: 3, rows: &rows, ..Making::default() };
        law(entry, &table, making);
        law(entry, &table, Making { targets: &numbers, n_outputs: 1, ..making });
    }
}

fn check(entry: &GeneratorEntry, table: &Table, making: Making<'_>, made: &MadeCells) {
    let name = entry.name;
    let n_groups = making.group_of.iter().max().map_or(0, |last| last + 1);
    assert_eq!((made.from.len(), made.weights.len()), (n_groups, made.n_rows()), "{name}");
    let weight = |row: u32| table.weights.as_ref().map_or(1.0, |w| w[row as usize]);
    let is_training = |row: &u32| making.rows.contains(row) && weight(*row) > 0.0;
    assert!(made.start.iter().all(is_training), "{name}: it starts from a row that is no training row");
    for from in &made.from {
        assert_eq!(from.len(), made.n_rows(), "{name}");
        assert!(from.iter().all(is_training), "{name}: a cell of a row that is no training row");
    }
    for at in 0..made.n_rows() {
        let first = made.from[0][at];
        assert!(made.from.iter().any(|from| from[at] != first), "{name}: row {first} as it is");
        assert!(made.weights[at] > 0.0, "{name}");
    }
    let own: f64 = making.rows.iter().map(|&row| f64::from(weight(row))).sum();
    let all: f64 = made.weights.iter().map(|w| f64::from(*w)).sum();
    assert!(all <= 2.0 * own * (1.0 + 1e-5), "{name}: {all} of {own}");
}

#[test]
fn cells_come_from_training_rows() {
    on_every_member(|entry, table, making| {
        for (times, least) in [("0.5", 100), ("1", 200), ("5", 1000)] {
            let made = make(entry, table, &[("times", times)], making).unwrap();
            check(entry, table, making, &made);
            assert!(made.n_rows() > least, "{} {times}: {}", entry.name, made.n_rows());
        }
    });
}

#[test]
fn a_seed_gives_the_same_rows_on_any_number_of_threads_and_others_give_others() {
    on_every_member(|entry, table, making| {
        let times = [("times", "6")];
        let first = make(entry, table, &times, making).unwrap();
        for n_threads in [1, 2, 3] {
            let again = make(entry, table, &times, Making { n_threads, ..making }).unwrap();
            assert_eq!(first, again, "{}: {n_threads} threads", entry.name);
        }
        let other = make(entry, table, &times, Making { seed: 2, ..making }).unwrap();
        assert_ne!(first, other, "{}", entry.name);
    });
}

#[test]
fn rows_that_are_no_training_rows_change_nothing() {
    on_every_member(|entry, table, making| {
        let first = make(entry, table, &[], making).unwrap();
        let mut changed = table.clone();
        let mut targets = making.targets.to_vec();
        for row in N_TRAIN as usize..N_ROWS {
            changed.codes.iter_mut().for_each(|codes| codes[row] = 0);
            changed.weights.iter_mut().for_each(|weights| weights[row] = 7.0);
            targets[row * making.n_outputs..][..making.n_outputs].fill(f64::NAN);
        }
        let again = make(entry, &changed, &[], Making { targets: &targets, ..making }).unwrap();
        assert_eq!(first, again, "{}", entry.name);
    });
}

/// The total variation between the codes of training rows and those of made rows, column by column.
#[test]
fn marginals_stay_about() {
    on_every_member(|entry, table, making| {
        let table = Table { weights: None, ..table.clone() };
        let made = make(entry, &table, &[("times", "20")], making).unwrap();
        for (column, codes) in table.codes.iter().enumerate() {
            let from = &made.from[making.group_of[column]];
            let share = |rows: &[u32], code: u8| {
                rows.iter().filter(|&&row| codes[row as usize] == code).count() as f64 / rows.len() as f64
            };
            let away: f64 = (0..=20u8).map(|code| (share(making.rows, code) - share(from, code)).abs()).sum();
            assert!(away / 2.0 < 0.12, "{}: {away} in column {column}", entry.name);
        }
    });
}

/// Two columns that rise together still do.
#[test]
fn columns_that_hang_together_still_do() {
    on_every_member(|entry, table, making| {
        let made = make(entry, table, &[("times", "5")], making).unwrap();
        let gap = |a: u32, b: u32| f64::from(table.codes[0][a as usize].abs_diff(table.codes[1][b as usize]));
        let mean = |pairs: &mut dyn Iterator<Item = (u32, u32)>| {
            let gaps: Vec<f64> =
                pairs.filter(|(a, _)| table.codes[0][*a as usize] < 20).map(|(a, b)| gap(a, b)).collect();
            gaps.iter().sum::<f64>() / gaps.len() as f64
        };
        let of_made = mean(&mut made.from[0].iter().copied().zip(made.from[1].iter().copied()));
        let rows = making.rows.iter().copied();
        let of_any = mean(&mut rows.clone().flat_map(|a| making.rows.iter().map(move |&b| (a, b))));
        assert!(of_made < 0.6 * of_any, "{}: {of_made} of {of_any}", entry.name);
    });
}

#[test]
fn odd_tables_neither_fail_nor_panic() {
    on_every_member(|entry, table, making| {
        let missing: Vec<Vec<u8>> = table.encoders.iter().map(|e| vec![e.n_codes() as u8; N_ROWS]).collect();
        let one = Table {
            codes: vec![table.codes[2].clone()],
            encoders: vec![table.encoders[2].clone()],
            numbers: vec![None],
            ..table.clone()
        };
        let none = Table { codes: Vec::new(), encoders: Vec::new(), numbers: Vec::new(), ..table.clone() };
        let odd = [
            (Table { codes: missing, ..table.clone() }, GROUP_OF),
            (Table { weights: Some(vec![f32::MAX; N_ROWS]), ..table.clone() }, GROUP_OF),
            (Table { weights: Some(vec![1e-45; N_ROWS]), ..table.clone() }, GROUP_OF),
            (Table { weights: Some(vec![0.0; N_ROWS]), ..table.clone() }, GROUP_OF),
            (one, &[0]),
            (none, &[]),
            // All columns in one group: there is nothing to mix.
            (table.clone(), &[0, 0, 0, 0, 0]),
        ];
        for (odd, group_of) in odd {
            for rows in [making.rows, &[], &[3], &[3, 9]] {
                let making = Making { group_of, rows, ..making };
                let made = make(entry, &odd, &[("times", "2")], making).unwrap();
                check(entry, &Table { weights: odd.weights.clone(), ..table.clone() }, making, &made);
                assert!(group_of.contains(&1) || made.n_rows() == 0, "{}", entry.name);
            }
        }
    });
}

#[test]
fn parameters_out_of_range_give_the_message() {
    for entry in GENERATORS {
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
    }
}

#[test]
fn names() {
    for entry in GENERATORS {
        assert_eq!(generator(entry.name).unwrap().name, entry.name);
    }
    let error = generator("gibbs").err().unwrap();
    assert_eq!(
        error.to_string(),
        "unknown generator \"gibbs\"; did you mean \"leaf_gibbs\"?; known: near_swaps, leaf_gibbs"
    );
    assert_eq!(error.nature(), ir::Nature::Input);
}
