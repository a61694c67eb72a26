//! What must hold of any bytes that are taken for a table.
//!
//! The first pass either refuses a table, with an error that names it, or tells what it is; then the second
//! pass must give as many rows and missing cells, no NaN, and the same values that a model would read
//! with the types that were found. Memory is bounded by the fuzzer (`-rss_limit_mb`).

use arrow_array::{Array, Float64Array, RecordBatch};
use data::{Error, Nature, ReadOptions, ReadPlan, Source, Summaries, TableProfile};
use ir::Input;

/// Reads the table in every way and compares.
pub fn check_table(source: &Source, options: &ReadOptions) {
    let profile = match data::profile(source, options) {
        Ok(profile) => profile,
        Err(error) => return check_error(&error),
    };
    assert!(profile.n_rows > 0 && !profile.name.is_empty());
    let read = data::batches(source, options, &profile).and_then(|batches| batches.collect());
    let batches: Vec<RecordBatch> = match read {
        Ok(batches) => batches,
        Err(error) => panic!("the second pass refuses what the first took: {error}"),
    };
    check_batches(&profile, &batches);
    let mut summaries = Summaries::new(&profile);
    batches.iter().for_each(|batch| summaries.see(batch));
    assert_eq!(summaries.finish().len(), profile.columns.len());
    check_plan(source, options, &profile, &batches);
}

fn check_error(error: &Error) {
    let text = error.to_string();
    assert!(error.nature() != Nature::Bug, "{text}");
    assert!(!text.is_empty() && text.len() < 4096, "{} bytes: {text:?}", text.len());
}

fn check_batches(profile: &TableProfile, batches: &[RecordBatch]) {
    let n_rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    assert_eq!(n_rows as u64, profile.n_rows);
    for (idx, column) in profile.columns.iter().enumerate() {
        let arrays = || batches.iter().map(|batch| batch.column(idx));
        if !column.raw {
            let n_missing: usize = arrays().map(|array| array.null_count()).sum();
            assert_eq!(n_missing as u64, column.n_missing, "{:?}", column.name);
        }
        for array in arrays() {
            if let Some(values) = array.as_any().downcast_ref::<Float64Array>() {
                assert!(values.iter().flatten().all(|value| !value.is_nan()));
            }
        }
    }
}

/// A model that takes the columns as they were found reads the same values.
fn check_plan(source: &Source, options: &ReadOptions, profile: &TableProfile, batches: &[RecordBatch]) {
    let kept = profile.columns.iter().filter(|column| !column.raw);
    let inputs: Vec<Input> = kept
        .map(|column| Input { name: column.name.clone(), kind: column.kind, dtype: column.dtype })
        .collect();
    let plan = ReadPlan {
        delimiter: profile.delimiter,
        header: Some(profile.has_header),
        encoding: options.encoding,
        ..ReadPlan::of(inputs, options.missing.clone())
    };
    let mut read = match plan.read(source) {
        Ok(read) => read,
        Err(error) => panic!("a model refuses what was read: {error}"),
    };
    let places: Vec<usize> = (0..profile.columns.len()).filter(|&at| !profile.columns[at].raw).collect();
    for batch in batches {
        let again = match read.next() {
            Some(Ok(again)) => again,
            other => panic!("a model reads no batch: {other:?}"),
        };
        for (at, &place) in places.iter().enumerate() {
            assert!(again.column(at) == batch.column(place), "{:?}", profile.columns[place].name);
        }
        let bound = match data::bind_inputs(&again, &plan.inputs, &plan.missing) {
            Ok(bound) => bound,
            Err(error) => panic!("what was read does not bind: {error}"),
        };
        assert_eq!(bound.n_rows(), again.num_rows());
        assert_eq!(bound.columns().len(), places.len());
    }
    assert!(read.next().is_none());
}

/// Lets panics unwind: the decoder's own are caught where it is called, and every other one ends in a crash that the
/// fuzzer keeps.
pub fn guarded(run: impl FnOnce() + std::panic::UnwindSafe) {
    static QUIET: std::sync::Once = std::sync::Once::new();
    QUIET.call_once(|| std::panic::set_hook(Box::new(|panic| eprintln!("{panic}"))));
    if std::panic::catch_unwind(run).is_err() {
        std::process::abort();
    }
}
