//! Temporary.
#![allow(clippy::unwrap_used, clippy::print_stdout)]
use smidgen_data::*;
use std::time::Instant;
fn main() {
    let path = std::env::args().nth(1).unwrap();
    let what = std::env::args().nth(2).unwrap_or_default();
    let mb = std::fs::metadata(&path).unwrap().len() as f64 / 1e6;
    let source = Source::path(&path).unwrap();
    let options = ReadOptions::default();
    if what == "table" {
        let t = Table::read(&source, &options).unwrap();
        let arrays: usize = t
            .batches()
            .iter()
            .map(|b| b.columns().iter().map(|c| c.get_array_memory_size()).sum::<usize>())
            .sum();
        println!("{} rows, arrays {:.1} MB", t.n_rows(), arrays as f64 / 1e6);
        use arrow_array::Array;
        return;
    }
    let n = if what == "once" { 1 } else { 5 };
    let (mut best_a, mut best_b) = (f64::MAX, f64::MAX);
    for _ in 0..n {
        let t = Instant::now();
        let found = profile(&source, &options).unwrap();
        let a = t.elapsed().as_secs_f64();
        let t = Instant::now();
        let mut rows = 0;
        for b in batches(&source, &options, &found).unwrap() {
            rows += b.unwrap().num_rows();
        }
        let b = t.elapsed().as_secs_f64();
        best_a = best_a.min(a);
        best_b = best_b.min(b);
        assert!(rows > 0);
    }
    println!(
        "{path}: {mb:.1} MB; profile {:.0} MB/s, batches {:.0} MB/s, both {:.0} MB/s",
        mb / best_a,
        mb / best_b,
        mb / (best_a + best_b)
    );
}
