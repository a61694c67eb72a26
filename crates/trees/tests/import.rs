//! Models that LightGBM and XGBoost trained, against what these libraries make of rows (`models.py` records it): leaf by
//! leaf, scores within the bound that comes with the import; and files that are not well formed.
#![allow(clippy::unwrap_used, reason = "tests may unwrap")]

use ir::fixed::scaled;
use ir::{Column, ColumnData, Model, Op, OutputRole, Task, TensorData};
use smidgen_trees::{Imported, Library, import};
use std::path::{Path, PathBuf};

/// Model, its task, and whether the library sums in single precision.
const MODELS: &[(&str, Task)] = &[
    ("lightgbm_binary.txt", Task::Binary),
    ("lightgbm_sigmoid.txt", Task::Binary),
    ("lightgbm_multiclass.txt", Task::Multiclass),
    ("lightgbm_regression.txt", Task::Regression),
    ("lightgbm_categories.txt", Task::Regression),
    ("lightgbm_zero_missing.txt", Task::Binary),
    ("lightgbm_never_missing.txt", Task::Binary),
    ("lightgbm_rf.txt", Task::Binary),
    ("lightgbm_rf_regression.txt", Task::Regression),
    ("lightgbm_poisson.txt", Task::Regression),
    ("xgboost_binary.json", Task::Binary),
    ("xgboost_multiclass.json", Task::Multiclass),
    ("xgboost_regression.json", Task::Regression),
    ("xgboost_categories.json", Task::Binary),
    ("xgboost_dart.json", Task::Regression),
    ("xgboost_poisson.json", Task::Regression),
    ("xgboost_vectors.json", Task::Multiclass),
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/forests")
}

/// Columns, then for each row leaves, raw scores and predictions.
struct Recorded {
    columns: Vec<Vec<f64>>,
    leaves: Vec<Vec<u32>>,
    raw: Vec<Vec<f64>>,
    predicted: Vec<Vec<f64>>,
}

fn recorded(name: &str) -> Recorded {
    let text = std::fs::read_to_string(folder().join(name).with_extension("rows")).unwrap();
    let mut all = Recorded { columns: vec![Vec::new(); 5], leaves: vec![], raw: vec![], predicted: vec![] };
    for line in text.lines().filter(|l| !l.starts_with('#')) {
        let parts: Vec<Vec<f64>> = line
            .split(" | ")
            .map(|part| part.split(' ').map(|word| word.parse().unwrap()).collect())
            .collect();
        let [cells, leaves, raw, predicted] = &parts[..] else { panic!("{line}") };
        all.columns.iter_mut().zip(cells).for_each(|(column, &cell)| column.push(cell));
        all.leaves.push(leaves.iter().map(|&leaf| leaf as u32).collect());
        all.raw.push(raw.clone());
        all.predicted.push(predicted.clone());
    }
    assert!(all.leaves.len() == 200);
    all
}

/// What the library's own sum may differ from the exact one, and a probability of it: single precision for XGBoost.
fn slack(imported: &Imported, score: f64) -> f64 {
    let step = match imported.library {
        Library::LightGbm => f64::EPSILON,
        Library::XgBoost => f64::from(f32::EPSILON),
    };
    step * (imported.forest.trees().len() + 2) as f64 * (score.abs() + 10.0)
}

fn check(name: &str, task: Task) {
    let bytes = std::fs::read(folder().join(name)).unwrap();
    let imported = import(&bytes, "y").unwrap_or_else(|e| panic!("{name}: {e}"));
    let recorded = recorded(name);
    let columns: Vec<Column<'_>> = imported
        .lowered
        .used
        .iter()
        .map(|&f| Column::try_new(ColumnData::F64(&recorded.columns[f as usize]), None).unwrap())
        .collect();
    let graph = &imported.graph;
    let node = graph.nodes().iter().find(|n| matches!(n.op, Op::Forest(_))).unwrap();
    let codes = runtime::reference::watch(graph, &columns, &node.inputs).unwrap();
    let codes: Vec<&[u8]> = codes
        .iter()
        .map(|t| match t.data() {
            TensorData::U8(v) => &v[..],
            other => panic!("{other:?}"),
        })
        .collect();
    let outputs = runtime::reference::run(graph, &columns).unwrap();
    let TensorData::I32(scores) = outputs[0].data() else { panic!() };
    let linked: Vec<f64> = match outputs[1].data() {
        TensorData::F32(v) => v.iter().map(|&p| p.into()).collect(),
        TensorData::F64(v) => v.clone(),
        other => panic!("{other:?}"),
    };
    let (n_outputs, n_rows) = (imported.lowered.bounds.len(), recorded.leaves.len());
    let n_linked = linked.len() / n_rows;
    for row in 0..n_rows {
        let cells: Vec<f64> = recorded.columns.iter().map(|c| c[row]).collect();
        for (at, real) in imported.forest.trees().iter().enumerate() {
            let leaf = real.leaf(imported.forest.precision(), |f| cells[f as usize]);
            // Trees of several outputs are recorded once.
            let expected = recorded.leaves[row][at];
            assert_eq!(real.leaf_ids[leaf as usize], expected, "{name}, row {row}, tree {at}: {cells:?}");
            let place = imported.lowered.forest.trees()[at].leaf(|feature| codes[feature as usize][row]);
            let lowered = imported.lowered.leaf_order[at][place as usize];
            assert_eq!(lowered, leaf, "{name}, row {row}, tree {at}: {cells:?}");
        }
        let reals = imported.reals(&scores[row * n_outputs..(row + 1) * n_outputs]);
        let mut bound = 0f64;
        for ((have, &want), of_grid) in reals.iter().zip(&recorded.raw[row]).zip(&imported.lowered.bounds) {
            let allowed = of_grid + slack(&imported, want);
            assert!((have - want).abs() <= allowed, "{name}, row {row}: {have} and {want}, {allowed:e}");
            bound = bound.max(allowed);
        }
        // Of two classes the libraries give the second.
        let have = &linked[row * n_linked..(row + 1) * n_linked];
        let have = if have.len() > recorded.predicted[row].len() { &have[1..] } else { have };
        for (have, want) in have.iter().zip(&recorded.predicted[row]) {
            // No link is steeper than e^s, so a relative difference of twice the bound of scores is allowed.
            let allowed = (2.0 * bound + 1e-6) * want.abs().max(1.0);
            assert!((have - want).abs() <= allowed, "{name}, row {row}: {have} and {want}");
        }
    }
    let stated = scaled(0.5 * (imported.forest.trees().len() + 1) as f64, -i32::from(imported.lowered.shift));
    assert!(imported.lowered.bounds.iter().all(|&b| b <= stated), "{name}");

    assert_eq!((imported.signature.task, imported.signature.target.as_str()), (task, "y"));
    assert_eq!(imported.signature.inputs[0].name, format!("x{}", imported.lowered.used[0]));
    let label = imported.signature.output(OutputRole::Label).is_some();
    assert_eq!(label, task != Task::Regression);
    let test = runtime::self_test(graph, 0).unwrap();
    let mut model = Model::try_new(imported.graph, imported.signature, imported.card).unwrap();
    model.self_test = Some(test);
    let file = ir::file::write(&model);
    assert_eq!(ir::file::read(&file).unwrap(), model, "{name}");
}

#[test]
fn every_row_takes_the_leaf_that_the_library_records() {
    MODELS.iter().for_each(|&(name, task)| check(name, task));
}
