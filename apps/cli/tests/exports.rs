//! `export`: models of tables as ONNX, which the verbs for networks read again.
#![allow(clippy::unwrap_used, reason = "tests may unwrap")]

#[path = "support/run.rs"]
mod run;

use run::Place;

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/data");

#[test]
fn a_model_of_numbers_is_written_whole() {
    let place = Place::new();
    let fit =
        format!("fit {EXAMPLES}/iris.csv --target species --learners gbdt --work 1 -o m.smidgen --json");
    assert_eq!(place.good(&fit).json().unwrap()["status"], "ok");
    let ran = place.good("export m.smidgen --to onnx -o m.onnx");
    assert!(ran.out.is_empty() && ran.err.contains("m.onnx: "), "{}", ran.err);
    let bytes = std::fs::read(place.path("m.onnx")).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    for told in ["petal length (cm)", "probabilities", "label", "setosa", "ai.onnx.ml"] {
        assert!(text.contains(told), "{told}");
    }
    place.good("export m.smidgen --to onnx -o again.onnx --quiet");
    assert_eq!(std::fs::read(place.path("again.onnx")).unwrap(), bytes, "the same bytes");
}

#[test]
fn what_cannot_be_written_is_refused() {
    let place = Place::new();
    place.write("text.csv", {
        let rows =
            (0..80).map(|i| format!("{} word{} and more words here,{}\n", ["good", "bad"][i % 2], i, i % 2));
        std::iter::once("review,y\n".to_owned()).chain(rows).collect::<String>()
    });
    place.good("fit text.csv --target y --types review=text --learners logistic --work 1 -o text.smidgen");
    place.good(&format!("fit {EXAMPLES}/iris.csv --target species --work 1 -o m.smidgen"));
    for (line, code, message) in [
        ("export text.smidgen --to onnx -o out.onnx", 3, "text.smidgen: "),
        ("export m.smidgen --to wasm -o out.wasm", 3, "smidgen.js"),
        ("export m.smidgen --to pmml -o out.xml", 2, "expected onnx, c or rust"),
        ("export m.smidgen --to c --name int -o out.onnx", 2, "\"int\""),
        ("export m.smidgen --to c --types nothing=i16 -o out.onnx", 2, "no column \"nothing\""),
        ("export m.smidgen --to onnx --types nothing=i16 -o out.onnx", 2, "--to c"),
        ("export m.smidgen --to c -o m.smidgen", 2, "m.smidgen"),
        ("export gone.smidgen --to onnx -o out.onnx", 2, "gone.smidgen: "),
        ("export m.smidgen --to onnx -o m.smidgen", 2, "m.smidgen"),
        ("export m.smidgen --to onnx -o nowhere/out.onnx", 2, "nowhere/out.onnx"),
    ] {
        let ran = place.run(line);
        assert_eq!((ran.code, ran.out.as_str()), (code, ""), "{line}: {}", ran.err);
        assert!(ran.err.contains(message), "{line}: {}", ran.err);
        assert!(!place.path("out.onnx").exists(), "{line}");
    }
}
