//! Forests that LightGBM and XGBoost wrote, by the verbs for models: as the libraries predict.
#![allow(clippy::unwrap_used, reason = "tests may unwrap")]

#[path = "support/run.rs"]
mod run;

use run::Place;

const FORESTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/forests");

/// The recorded rows of a model as a table, with what the library predicts as last column; and these predictions.
fn recorded(name: &str, columns: &[String]) -> (String, Vec<Vec<f64>>) {
    let text = std::fs::read_to_string(format!("{FORESTS}/{name}.rows")).unwrap();
    let mut table = format!("{},target\n", columns.join(","));
    let mut predictions = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let parts: Vec<&str> = line.split('|').collect();
        let cells: Vec<&str> = parts[0].split_whitespace().map(|c| if c == "nan" { "" } else { c }).collect();
        let predicted: Vec<f64> = parts[3].split_whitespace().map(|p| p.parse().unwrap()).collect();
        let label = match predicted.len() {
            1 => u32::from(predicted[0] > 0.5),
            _ => {
                (0..predicted.len()).fold(0, |best, k| if predicted[k] > predicted[best] { k } else { best })
                    as u32
            }
        };
        table.push_str(&format!("{},{label}\n", cells.join(",")));
        predictions.push(predicted);
    }
    (table, predictions)
}

#[test]
fn they_are_models_like_others() {
    for (file, name, n_classes) in [
        ("lightgbm_binary.txt", "lightgbm_binary", 2),
        ("xgboost_multiclass.json", "xgboost_multiclass", 3),
        ("xgboost_binary.json", "xgboost_binary", 2),
    ] {
        let place = Place::new();
        std::fs::copy(format!("{FORESTS}/{file}"), place.path(file)).unwrap();
        let said = place.good(&format!("inspect {file} --json")).json().unwrap();
        let inputs: Vec<String> = said["columns"]
            .as_array()
            .unwrap()
            .iter()
            .map(|input| input["name"].as_str().unwrap().to_owned())
            .collect();
        assert!(!inputs.is_empty(), "{said}");
        // Columns that no split asks are not among the inputs; all are named by their number.
        let first = std::fs::read_to_string(format!("{FORESTS}/{name}.rows")).unwrap();
        let n_cells = first.lines().nth(1).unwrap().split('|').next().unwrap().split_whitespace().count();
        let stem: String = inputs[0].chars().take_while(|c| !c.is_ascii_digit()).collect();
        let columns: Vec<String> = (0..n_cells).map(|k| format!("{stem}{k}")).collect();
        let (table, expected) = recorded(name, &columns);
        place.write("rows.csv", table);
        let out = place.good(&format!("predict {file} rows.csv --proba")).out;
        assert_eq!(out.lines().count(), expected.len() + 1, "{file}");
        for (line, expected) in out.lines().skip(1).zip(&expected) {
            let p: Vec<f64> = line.split(',').skip(1).map(|p| p.parse().unwrap()).collect();
            assert_eq!(p.len(), n_classes, "{line}");
            let told = if expected.len() == 1 { &p[1..] } else { &p[..] };
            let away = told.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            assert!(away < 1e-4, "{file}: {line}: {expected:?}");
        }
        let said = place.good(&format!("evaluate {file} rows.csv --json")).json().unwrap();
        assert!(said["metrics"]["accuracy"].as_f64() > Some(0.97), "{file}: {said}");
        assert!(place.good(&format!("verify {file}")).out.lines().all(|line| line.ends_with(" ok")));
        place.good(&format!("bench {file} --json"));
        place.good(&format!("export {file} --to onnx -o out.onnx --quiet"));
        place.good(&format!("predict {file} rows.csv --explain"));
    }
}

#[test]
fn damaged_ones_are_refused_and_tables_stay_tables() {
    let place = Place::new();
    place.write("tree.csv", "tree\noak\nelm\noak\nelm\n");
    assert!(place.good("inspect tree.csv").out.contains("4 rows, 1 columns"));
    place.write("cut.txt", "tree\nversion=v4\nnum_class=1\n");
    place.write("cut.json", "{\"learner\": {}}");
    place.write("x.csv", "x0\n1\n");
    for file in ["cut.txt", "cut.json"] {
        let ran = place.run(&format!("predict {file} x.csv"));
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{}", ran.err);
        assert!(ran.err.starts_with(&format!("error: {file}: ")), "{}", ran.err);
    }
}
