//! Real tables that are not part of the repository: `SMIDGEN_DATA` names the folder that holds them.
//!
//! Floors stand well below what scikit-learn's histogram boosting reaches on the same target and well
//! above a constant guess; they tell a model that learns from one that does not.

#[path = "support/run.rs"]
mod run;

use run::Place;
use std::path::Path;

struct Case {
    name: &'static str,
    files: &'static [&'static str],
    flags: &'static str,
    rows: u64,
    classes: usize,
    /// Least out-of-fold score.
    floor: f64,
}

const CASES: &[Case] = &[
    Case {
        name: "adult",
        files: &["train.csv.gz", "test.csv.gz"],
        flags: "--target income --test test.csv.gz",
        rows: 32_561,
        classes: 2,
        floor: 0.90,
    },
    Case {
        name: "german_credit",
        files: &["data.csv"],
        flags: "--target credit_risk",
        rows: 1000,
        classes: 2,
        floor: 0.70,
    },
    Case {
        name: "titanic",
        files: &["data.csv"],
        flags: "--target Survived --drop PassengerId",
        rows: 891,
        classes: 2,
        floor: 0.78,
    },
    Case {
        name: "diamonds",
        files: &["data.csv.gz"],
        flags: "--target price --metric r2",
        rows: 53_940,
        classes: 0,
        floor: 0.95,
    },
    Case {
        name: "wine_quality",
        files: &["data.csv"],
        flags: "--target quality --metric accuracy",
        rows: 6497,
        classes: 7,
        floor: 0.50,
    },
    Case {
        name: "soybean",
        files: &["data.csv"],
        flags: "--target class --metric accuracy",
        rows: 683,
        classes: 19,
        floor: 0.80,
    },
    Case {
        name: "letter_recognition",
        files: &["data.csv"],
        flags: "--target lettr --metric accuracy",
        rows: 20_000,
        classes: 26,
        floor: 0.85,
    },
    Case {
        name: "horse_colic",
        files: &["data.csv"],
        flags: "--target surgical_lesion --positive 1 --drop hospital_number,lesion_1,lesion_2,lesion_3,outcome,cp_data",
        rows: 300,
        classes: 2,
        floor: 0.68,
    },
    Case {
        name: "abalone",
        files: &["data.csv"],
        flags: "--target Rings --metric r2",
        rows: 4177,
        classes: 0,
        floor: 0.42,
    },
];

/// Rows with a target may be fewer than those of the table.
fn run_case(case: &Case, folder: &Path) -> Result<f64, String> {
    let place = Place::new();
    for file in case.files {
        let path = folder.join(case.name).join(file);
        place.write(file, std::fs::read(&path).map_err(|e| format!("{}: {e}", path.display()))?);
    }
    let rest = "--work 1 --holdout 0.2 --set gbdt.n_trees=50 --json";
    let ran = place.run(&format!("fit {} {} {rest}", case.files[0], case.flags));
    if ran.code != 0 {
        return Err(format!("fit ends with {}: {}", ran.code, ran.err));
    }
    let object = ran.json()?;
    let score = object["score_oof"].as_f64().ok_or("no score")?;
    if score < case.floor {
        return Err(format!("{} {score}, expected {} or more", object["metric"], case.floor));
    }
    // The test rows are others, yet of the same kind.
    if let Some(test) = object["score_test"].as_f64().filter(|test| *test < case.floor) {
        return Err(format!("{} {test} on test rows, expected {} or more", object["metric"], case.floor));
    }
    let classes = object["classes"].as_array().map_or(0, Vec::len);
    if object["rows"] != case.rows || classes != case.classes {
        return Err(format!("{} rows of {classes} classes", object["rows"]));
    }
    let verified = place.good("verify model.smidgen").out;
    if !verified.lines().all(|line| line.ends_with(" ok") || line.ends_with(" skipped")) {
        return Err(format!("verify: {verified}"));
    }
    Ok(score)
}

#[test]
fn real_tables_are_learnt() {
    let Some(folder) = std::env::var_os("SMIDGEN_DATA") else {
        println!("{} cases skipped: SMIDGEN_DATA names no folder of real tables", CASES.len());
        return;
    };
    let mut faults = Vec::new();
    for case in CASES {
        match run_case(case, Path::new(&folder)) {
            Ok(score) => println!("{}: {score:.4}, floor {}", case.name, case.floor),
            Err(fault) => faults.push(format!("{}: {fault}", case.name)),
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
