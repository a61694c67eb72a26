//! What every transform must satisfy.

pub(crate) mod table;
pub(crate) mod wine;

use crate::TRANSFORMS;
use crate::transform::{COMMON, FeatureKind, StepTarget, TransformEntry};
use ir::digest::SplitMix64;
use table::{Cell, Fitted, Fitting, Table};

const N_ROWS: usize = 240;
const N_TRAIN: u32 = 200;

/// Random columns of every kind, three of numbers; with missing cells, infinities and repeated values.
fn random(seed: u64, n_rows: usize) -> Table {
    let mut r = SplitMix64::new(seed);
    let mut real = Vec::new();
    let mut skewed = Vec::new();
    let mut whole = Vec::new();
    let mut color = Vec::new();
    let mut size = Vec::new();
    let mut day = Vec::new();
    let mut note = Vec::new();
    let mut paid = Vec::new();
    for row in 0..n_rows {
        let unit = f64::from(r.below(1 << 20)) / f64::from(1 << 20);
        real.push(match r.below(20) {
            0 => f64::NAN,
            1 if row > 10 => f64::INFINITY,
            2 if row > 10 => f64::NEG_INFINITY,
            _ => 4.0 * unit - 2.0,
        });
        skewed.push(if r.below(15) == 0 { f64::NAN } else { 1.0 / (unit + 0.01) });
        whole.push((r.below(12) != 0).then(|| i64::from(r.below(9)) - 3));
        color.push(
            (r.below(10) != 0).then(|| ["amber", "blue", "coral", "dun"][r.below(4) as usize].to_owned()),
        );
        size.push(Some(r.below(5).to_string()));
        day.push(Some(format!("2024-{:02}-{:02}", 1 + r.below(12), 1 + r.below(28))));
        paid.push((row % 11 != 5).then(|| 1_704_067_200_000_000 + i64::from(r.below(1 << 30)) * 30_000));
        let words = ["cat", "dog", "the", "runs", "Sleeps", "today", "no"];
        note.push(
            (r.below(9) != 0).then(|| {
                (0..1 + r.below(6)).map(|_| words[r.below(7) as usize]).collect::<Vec<_>>().join(" ")
            }),
        );
    }
    Table::new(&[
        ("real", FeatureKind::Number, Cell::Real(real)),
        ("skewed", FeatureKind::Number, Cell::Real(skewed)),
        ("whole", FeatureKind::Number, Cell::Whole(whole)),
        ("color", FeatureKind::Category, Cell::Text(color)),
        ("size", FeatureKind::Category, Cell::Text(size)),
        ("day", FeatureKind::Time, Cell::Text(day)),
        ("note", FeatureKind::Text, Cell::Text(note)),
        ("paid", FeatureKind::Time, Cell::Whole(paid)),
    ])
}

/// The columns that a member takes.
fn taken(entry: &TransformEntry, table: &Table) -> Table {
    let takes = |c: &&(String, FeatureKind, Cell)| entry.takes.contains(&c.1);
    Table { columns: table.columns.iter().filter(takes).cloned().collect() }
}

/// A target that hangs on the columns.
fn labels(table: &Table, n_classes: usize) -> Vec<u32> {
    let Cell::Real(v) = &table.columns[0].2 else { panic!("the first column is real") };
    let Cell::Text(c) = &table.columns[3].2 else { panic!("the fourth column is text") };
    let class = |row: usize| u32::from(v[row] > 0.0) + c[row].as_ref().map_or(0, |c| c.len() as u32 % 3);
    (0..table.n_rows()).map(|row| class(row) % n_classes as u32).collect()
}

/// Calls `law` for every member that takes columns of a table, with a target for those that see it: two classes, three
/// classes, numbers.
fn on_every_member(law: impl Fn(&TransformEntry, &Table, &Fitting<'_>)) {
    let whole = random(11, N_ROWS);
    let (two, three) = (labels(&whole, 2), labels(&whole, 3));
    let values: Vec<f64> =
        three.iter().zip(0..).map(|(&c, i)| f64::from(c) + f64::from(i % 7) / 10.0).collect();
    let train = || (0..N_TRAIN).collect::<Vec<u32>>();
    for entry in TRANSFORMS {
        // Bags are no columns of a table; text members test them.
        if entry.takes == [FeatureKind::Bag] {
            continue;
        }
        let table = taken(entry, &whole);
        if !entry.sees_target {
            law(entry, &table, &Fitting { rows: train(), ..Fitting::default() });
            continue;
        }
        let mut fitted = 0;
        for target in
            [StepTarget::Classes(&two, 2), StepTarget::Classes(&three, 3), StepTarget::Values(&values)]
        {
            let fitting = Fitting { rows: train(), target: Some(target), ..Fitting::default() };
            // A member may refuse a task, but not every one.
            if table.fit_with(entry, &[], &fitting).is_ok() {
                law(entry, &table, &fitting);
                fitted += 1;
            }
        }
        assert!(fitted > 0, "{} answers no task", entry.name);
    }
}

fn bits(columns: &[Vec<f64>]) -> Vec<Vec<u64>> {
    columns.iter().map(|c| c.iter().map(|v| v.to_bits()).collect()).collect()
}

fn same(a: &Fitted, b: &Fitted) -> bool {
    let training =
        |f: &Fitted| f.training.iter().flatten().flatten().map(|v| v.to_bits()).collect::<Vec<_>>();
    // A model that holds NaN does not equal itself; its bytes do.
    let bytes = |f: &Fitted| f.model.as_ref().map(ir::file::write);
    a.names == b.names && a.kept == b.kept && bytes(a) == bytes(b) && training(a) == training(b)
}

#[test]
fn a_refit_gives_equal_bytes_on_any_number_of_threads_and_chunks() {
    on_every_member(|entry, table, fitting| {
        let first = table.fit_with(entry, &[], fitting).unwrap();
        for (n_threads, chunk) in [(1, usize::MAX), (2, 64), (3, 7)] {
            let again = Fitting { n_threads, chunk, ..fitting.clone() };
            let again = table.fit_with(entry, &[], &again).unwrap();
            assert!(same(&first, &again), "{}: {n_threads} threads, chunks of {chunk}", entry.name);
        }
    });
}

#[test]
fn rows_that_are_not_learnt_from_change_nothing() {
    on_every_member(|entry, table, fitting| {
        let first = table.fit_with(entry, &[], fitting).unwrap();
        let mut other = table.clone();
        for (_, _, cell) in &mut other.columns {
            for row in N_TRAIN as usize..N_ROWS {
                match cell {
                    Cell::Real(v) => v[row] = 1e6,
                    Cell::Whole(v) => v[row] = Some(1_000_000),
                    Cell::Text(v) => v[row] = Some("31.12.2031 at noon".to_owned()),
                }
            }
        }
        let again = other.fit_with(entry, &[], fitting).unwrap();
        assert!(same(&first, &again), "{}", entry.name);
    });
}

#[test]
fn a_row_is_transformed_alone_as_in_a_batch_by_reference_and_plan() {
    on_every_member(|entry, table, fitting| {
        let fitted = table.fit_with(entry, &[], fitting).unwrap();
        let whole = bits(&fitted.run(table));
        assert_eq!(bits(&fitted.run_plan(table)), whole, "{}: plan", entry.name);
        for row in [0, 1, 57, N_ROWS - 1] {
            let alone = bits(&fitted.run(&table.select(&[row])));
            for (column, alone) in whole.iter().zip(&alone) {
                assert_eq!(alone, &column[row..=row], "{}: row {row}", entry.name);
            }
        }
    });
}

#[test]
fn the_self_test_of_the_file_holds() {
    on_every_member(|entry, table, fitting| {
        let fitted = table.fit_with(entry, &[], fitting).unwrap();
        let Some(mut model) = fitted.model else { return };
        model.self_test = Some(runtime::self_test(model.graph(), 3).unwrap());
        let back = ir::file::read(&ir::file::write(&model)).unwrap();
        for checked in runtime::verify(&back).unwrap() {
            assert_eq!(checked.verdict, runtime::Verdict::Ok, "{}: {}", entry.name, checked.path);
        }
    });
}

/// Columns that hold one thing only, and cells that training has not seen.
#[test]
fn odd_columns_neither_fail_nor_panic() {
    let n = N_ROWS;
    let odd_real = [vec![f64::NAN; n], vec![2.5; n], vec![f64::INFINITY; n], vec![0.0; n], vec![1e308; n]];
    let odd_text: [Vec<Option<String>>; 3] =
        [vec![None; n], vec![Some("same".into()); n], (0..n).map(|i| Some(format!("own {i}"))).collect()];
    on_every_member(|entry, table, fitting| {
        for odd in 0..5 {
            let mut strange = table.clone();
            for (_, _, cell) in &mut strange.columns {
                *cell = match cell {
                    Cell::Real(_) => Cell::Real(odd_real[odd].clone()),
                    Cell::Whole(_) => {
                        Cell::Whole(vec![(odd > 0).then_some([7, i64::MAX, i64::MIN, 0][odd.max(1) - 1]); n])
                    }
                    Cell::Text(_) => Cell::Text(odd_text[odd % 3].clone()),
                };
            }
            // Fitted on odd columns, run on ordinary ones, and the other way round.
            match strange.fit_with(entry, &[], fitting) {
                Ok(fitted) => {
                    fitted.run(&strange);
                    fitted.run(table);
                }
                Err(e) => assert!(e.to_string().starts_with(entry.name), "{e}"),
            }
            let fitted = table.fit_with(entry, &[], fitting).unwrap();
            fitted.run(&strange);
        }
    });
}

#[test]
fn one_row_and_no_row_to_learn_from() {
    on_every_member(|entry, table, fitting| {
        for rows in [vec![3], vec![3, 9]] {
            match table.fit_with(entry, &[], &Fitting { rows, ..fitting.clone() }) {
                Ok(fitted) => drop(fitted.run(table)),
                Err(e) => assert!(e.to_string().starts_with(entry.name), "{e}"),
            }
        }
    });
}

#[test]
fn parameters_out_of_range_give_the_message() {
    for entry in TRANSFORMS {
        for param in COMMON.iter().chain(entry.spec) {
            for text in params::outside(param.range) {
                let error = entry.params(&[(param.name.to_owned(), text.clone())]).unwrap_err();
                let expected = format!("{}: {} must be {}, got {text}", entry.name, param.name, param.range);
                assert_eq!(error.to_string(), expected);
            }
            let default = entry.params(&[(param.name.to_owned(), param.default.to_string())]);
            assert!(default.is_ok(), "{}.{}", entry.name, param.name);
            for alias in param.aliases {
                assert!(entry.params(&[((*alias).to_owned(), param.default.to_string())]).is_ok(), "{alias}");
            }
        }
        let names: Vec<&str> = COMMON.iter().chain(entry.spec).map(|p| p.name).collect();
        let mut once = names.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), names.len(), "{}: a parameter twice", entry.name);
    }
}

/// Each word, and the ends of each range of numbers that are not too large to try.
#[test]
fn every_setting_of_a_parameter_fits_or_says_why_not() {
    on_every_member(|entry, table, fitting| {
        for param in entry.spec {
            let texts: Vec<String> = match param.range {
                params::Range::Words(words) => words.iter().map(|w| (*w).to_owned()).collect(),
                params::Range::Int { low, high } => [low, high.min(300)].map(|v| v.to_string()).to_vec(),
                params::Range::Real { low, high } => [low, high].map(|v| v.to_string()).to_vec(),
                params::Range::Text => Vec::new(),
            };
            for text in texts {
                match table.fit_with(entry, &[(param.name, &text)], fitting) {
                    Ok(fitted) => {
                        let whole = bits(&fitted.run(table));
                        assert_eq!(
                            bits(&fitted.run_plan(table)),
                            whole,
                            "{}.{}={text}",
                            entry.name,
                            param.name
                        );
                    }
                    Err(e) => assert!(e.to_string().starts_with(entry.name), "{e}"),
                }
            }
        }
    });
}
