//! Reports: their parts by task, and what a browser makes of them.
#![allow(clippy::unwrap_used, reason = "tests may unwrap")]

#[path = "support/arrays.rs"]
mod arrays;
#[path = "support/browser.rs"]
mod browser;
#[path = "support/run.rs"]
mod run;

use arrays::npy;
use browser::{browser, found};
use run::Place;
use std::path::Path;

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/data");

/// Table, target, sections beside those of every report, drawings.
const CASES: [(&str, &str, &[&str], usize); 3] = [
    ("breast_cancer_train.csv", "diagnosis", &["classes", "curves", "shapes"], 11),
    ("iris.csv", "species", &["classes", "curves", "shapes"], 8),
    ("diabetes_train.csv", "progression", &["residuals", "shapes"], 9),
];

/// Fits the table of a case with a report, and gives the page; what it shows stands in `--json` too.
fn page(place: &Place, (table, target, ..): (&str, &str, &[&str], usize)) -> String {
    let line =
        format!("fit {EXAMPLES}/{table} --target {target} --work 1 --json --report page.html -o m.smidgen");
    let said = place.good(&line).json().unwrap();
    let worth = said["importance"].as_array().unwrap();
    assert!(worth[0]["permutation"].as_f64() > Some(0.0) && worth[0]["shap"].as_f64() > Some(0.0), "{said}");
    let page = std::fs::read_to_string(place.path("page.html")).unwrap();
    assert!(page.contains(worth[0]["column"].as_str().unwrap()));
    let [low, high] = [&said["interval"][0], &said["interval"][1]].map(|v| v.as_f64().unwrap());
    let score = said["score_oof"].as_f64().unwrap();
    assert!(low <= score && score <= high, "{table}: {score} in {low}..{high}");
    assert!(said["fold_scores"].as_array().unwrap().len() >= 8, "{table}: folds");
    assert!(said["learning_curve"].as_array().unwrap().len() >= 4, "{table}: learning curve");
    for share in ["noise", "missing"] {
        assert!((0.0..=1.0).contains(&said["stability"][share].as_f64().unwrap()), "{table}: {share}");
    }
    assert_eq!(said["seed_scores"].as_array().unwrap().len(), 5, "{table}: seeds");
    let floats = &said["floats"];
    for share in ["noise", "missing"] {
        let (float, integer) = (floats[share].as_f64().unwrap(), said["stability"][share].as_f64().unwrap());
        assert!((float - integer).abs() < 0.05, "{table}: {share}: {float} {integer}");
    }
    assert!(floats["rank_correlation"].as_f64() > Some(0.8), "{table}: {floats}");
    assert!((0.0..=1.0).contains(&floats["p_value"].as_f64().unwrap()), "{table}: {floats}");
    let first = &said["dependence"][0];
    assert_eq!(first["values"].as_array().unwrap().len(), first["mean"].as_array().unwrap().len());
    assert_eq!(said["tables"], serde_json::json!([]), "trees add up no tables");
    page
}

/// One page for an additive model, one for an evaluation of several models.
fn more_pages(place: &Place) -> [(String, usize); 2] {
    let fit = format!("fit {EXAMPLES}/breast_cancer_train.csv --target diagnosis --work 1 --json");
    let said = place.good(&format!("{fit} --learners ebm --report ebm.html -o ebm.smidgen")).json().unwrap();
    let table = &said["tables"][0];
    let n_places = table["places"][0].as_array().unwrap().len();
    assert_eq!(table["adds"].as_array().unwrap().len(), n_places, "{table}");
    place.good(&format!("{fit} --learners logistic -o linear.smidgen"));
    let line = format!(
        "evaluate linear.smidgen ebm.smidgen {EXAMPLES}/breast_cancer_test.csv --report both.html --json"
    );
    let said = place.good(&line).json().unwrap();
    assert!(said["importance"][0]["permutation"].as_f64() > Some(0.0), "{said}");
    let read = |name: &str| std::fs::read_to_string(place.path(name)).unwrap();
    let (ebm, both) = (read("ebm.html"), read("both.html"));
    assert!(ebm.contains("<section id=\"tables\">"));
    for told in ["linear.smidgen", "ebm.smidgen", "<section id=\"models\">", "smidgen evaluate", "this page"]
    {
        assert!(both.contains(told), "{told}");
    }
    [(ebm, 21), (both, 12)]
}

/// A residual network of PyTorch on rows of noise, with classes that are made up.
fn quantized(place: &Place) -> (String, usize) {
    const NETWORK: &str =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/onnx/networks/resnet_18_opset_8/model.onnx");
    let value =
        |at: u64| ((at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as f32 / (1 << 24) as f32 - 0.4) * 2.0;
    let rows: Vec<u8> = (0..24 * 3 * 16 * 16).flat_map(|at| value(at).to_le_bytes()).collect();
    place.write("rows.npy", npy("<f4", "(24, 3, 16, 16)", &rows));
    let labels: Vec<u8> = (0..24).map(|row| row % 3).collect();
    place.write("labels.npy", npy("|u1", "(24,)", &labels));
    let line = format!(
        "quantize {NETWORK} --calibrate rows.npy --labels labels.npy --max-drop 0.5 -o net.smidgen --report quantized.html --json"
    );
    let said = place.good(&line).json().unwrap();
    let layers = said["layers"].as_array().unwrap();
    let first = &layers[0];
    let counts = first["histogram"]["counts"].as_array().unwrap();
    // Every value of every row is counted once.
    assert_eq!(counts.iter().map(|n| n.as_u64().unwrap()).sum::<u64>(), 24 * 3 * 16 * 16, "{first}");
    let [float, integer] = [&said["float"], &said["quantized"]];
    assert_eq!(float["multiply_adds"], integer["multiply_adds_integer"], "{said}");
    assert_eq!(float["multiply_adds_integer"], 0);
    for side in [float, integer] {
        assert!(side["peak_bytes"].as_u64() >= Some(3 * 16 * 16), "{side}");
    }
    let page = std::fs::read_to_string(place.path("quantized.html")).unwrap();
    for section in ["beside", "demand", "classes", "signal", "layers", "inputs", "again"] {
        assert!(page.contains(&format!("<section id=\"{section}\">")), "{section}");
    }
    for layer in layers {
        assert!(page.contains(layer["name"].as_str().unwrap()), "{layer}");
    }
    // Signal to noise twice, one histogram a layer.
    let drawings = 2 + layers.len();
    assert_eq!(page.matches("<svg").count(), drawings);
    // The command on the page makes the same network again.
    let command = page.rsplit("<code>").next().and_then(|rest| rest.split("</code>").next()).unwrap();
    let network = std::fs::read(place.path("net.smidgen")).unwrap();
    std::fs::remove_file(place.path("net.smidgen")).unwrap();
    place.good(command.strip_prefix("smidgen ").unwrap());
    assert_eq!(network, std::fs::read(place.path("net.smidgen")).unwrap());
    (page, drawings)
}

#[test]
fn a_report_has_its_sections_and_stands_alone() {
    for case in CASES {
        let place = Place::new();
        let page = page(&place, case);
        for section in
            ["scores", "models", "floats", "learning", "importance", "worst", "columns", "stages", "again"]
                .iter()
                .chain(case.2)
        {
            assert!(page.contains(&format!("<section id=\"{section}\">")), "{}: {section}", case.0);
        }
        assert_eq!(page.matches("<svg").count(), case.3, "{}", case.0);
        for refused in ["<script", "src=", "https:", "@import", "url("] {
            assert!(!page.contains(refused), "{}: {refused}", case.0);
        }
        assert!(page.len() < 1_000_000, "{}: {} bytes", case.0, page.len());
        assert!(page.contains("smidgen fit"), "{}: the command", case.0);
    }
}

#[test]
fn a_report_that_cannot_be_written_says_so() {
    let place = Place::new();
    place.write("table.csv", "x,y\n1,a\n2,b\n3,a\n4,b\n5,a\n6,b\n");
    for (report, told) in [
        ("nowhere/page.html", "there is no folder nowhere"),
        (".", "a folder, not a file"),
        ("table.csv", "it is read or written already"),
        ("m.smidgen", "it is read or written already"),
    ] {
        let said = place.run(&format!("fit table.csv --target y --work 1 --report {report} -o m.smidgen"));
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{report}: {}", said.err);
        assert!(said.err.contains(told), "{report}: {}", said.err);
        assert!(!place.path("m.smidgen").exists(), "nothing half done is left");
    }
}

/// The page as the browser has it after `look.js`.
fn looked_at(browser: &str, folder: &Path, page: &str, flags: &[&str]) -> (serde_json::Value, String) {
    let script = include_str!("data/look.js");
    let copy = folder.join("looked.html");
    std::fs::write(&copy, page.replace("</body>", &format!("<script>{script}</script></body>"))).unwrap();
    found(browser, folder, &copy.display().to_string(), flags)
}

/// Every drawing drawn, text readable in light and dark, no wider than a phone, no word in the console.
#[test]
fn a_browser_shows_it() {
    let Some(browser) = browser() else {
        println!("skipped: {} pages in a browser: there is no chromium", CASES.len() + 3);
        return;
    };
    let place = Place::new();
    let folder = place.path("page.html").parent().unwrap().to_path_buf();
    let mut pages: Vec<(&str, String, usize)> =
        CASES.iter().map(|case| (case.0, page(&place, *case), case.3)).collect();
    for (name, (page, drawings)) in ["additive", "evaluation"].into_iter().zip(more_pages(&place)) {
        pages.push((name, page, drawings));
    }
    let (page, drawings) = quantized(&place);
    pages.push(("quantization", page, drawings));
    for (name, page, drawings) in &pages {
        let ways: [&[&str]; 3] = [
            &["--window-size=1280,900"],
            &["--window-size=500,900"],
            &["--window-size=1280,900", "--blink-settings=preferredColorScheme=0"],
        ];
        for flags in ways {
            let (found, console) = looked_at(browser, &folder, page, flags);
            assert_eq!(found["drawings"], *drawings, "{name} {flags:?}");
            assert_eq!(found["bad"], serde_json::json!([]), "{name} {flags:?}");
            assert_eq!(console, "", "{name} {flags:?}");
        }
    }
}
