//! Every table in the folder that `SMIDGEN_DATA` names is read, and its profile printed.
#![expect(clippy::unwrap_used, reason = "tests may unwrap")]

use smidgen_data::{ReadOptions, Source, Table, profile};
use std::path::PathBuf;

fn tables(root: PathBuf) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                folders.push(path);
            } else if [".csv", ".csv.gz", ".parquet"].iter().any(|end| name.ends_with(end)) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

#[test]
fn real_tables() {
    let Some(root) = std::env::var_os("SMIDGEN_DATA") else {
        eprintln!("skipped: 1 test of real tables needs SMIDGEN_DATA");
        return;
    };
    let paths = tables(PathBuf::from(root));
    assert!(!paths.is_empty(), "SMIDGEN_DATA holds no table");
    for path in paths {
        let source = Source::path(&path).unwrap();
        let options = ReadOptions::default();
        match profile(&source, &options) {
            Ok(found) => {
                println!("{}: {} rows, {} columns", found.name, found.n_rows, found.columns.len());
                for c in &found.columns {
                    let more = if c.more_distinct { "+" } else { "" };
                    println!(
                        "   {:24} {:8} {:6} missing {:6} distinct {:6}{more:1}  {}  {:?}",
                        c.name,
                        c.kind.to_string(),
                        c.dtype.to_string(),
                        c.n_missing,
                        c.n_distinct,
                        c.why,
                        c.examples
                    );
                }
                let table = Table::read(&source, &options).unwrap();
                assert_eq!(table.n_rows() as u64, found.n_rows);
                for (idx, c) in found.columns.iter().enumerate() {
                    let nulls: usize = table.column(idx).map(|a| a.null_count()).sum();
                    assert_eq!(nulls as u64, c.n_missing, "{}", c.name);
                }
            }
            Err(error) => println!("{error}"),
        }
    }
}
