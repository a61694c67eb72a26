//! Networks brought to integers by the verb `quantize`, then used by the other verbs.
#![allow(clippy::unwrap_used, reason = "tests may unwrap")]

#[path = "support/run.rs"]
mod run;

use run::Place;
use serde_json::json;

/// Three bars in 4 x 4 pixels: made by `testdata/onnx/bars.py`.
const BARS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/onnx/bars.onnx");

/// Sixty pictures of bars, each somewhat darker than the one before, and their classes.
fn place() -> Place {
    let place = Place::new();
    std::fs::copy(BARS, place.path("bars.onnx")).unwrap();
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    for at in 0..60u8 {
        let class = usize::from(at) * 7 % 3;
        let mut picture = [at % 5; 16];
        for i in 0..4 {
            let (y, x) = [(1, i), (i, 2), (i, i)][class];
            picture[y * 4 + x] = 255 - at;
        }
        pixels.extend(picture);
        labels.push(class as u8);
    }
    let header = |dims: &[u32]| {
        let mut bytes = vec![0, 0, 8, dims.len() as u8];
        dims.iter().for_each(|d| bytes.extend(d.to_be_bytes()));
        bytes
    };
    place.write("p-images-idx3-ubyte", [header(&[60, 4, 4]), pixels.clone()].concat());
    place.write("p-labels-idx1-ubyte", [header(&[60]), labels].concat());
    place.write("q-images-idx3-ubyte", [header(&[60, 4, 4]), pixels].concat());
    place
}

/// Pixels of 0 to 255 become 0 to 1.
const SCALE: &str = "--input-scale 0.00392156862745098";

#[test]
fn both_forms_keep_every_label() {
    let place = place();
    for output in ["out.onnx", "out.smidgen"] {
        let line = format!("quantize bars.onnx --calibrate p-images-idx3-ubyte {SCALE} -o {output} --json");
        let said = place.good(&line).json().unwrap();
        assert_eq!(
            (&said["status"], &said["rows"], &said["agreement"]),
            (&json!("ok"), &json!(60), &json!(1.0))
        );
        for side in ["float", "quantized"] {
            assert_eq!(said[side]["metrics"]["accuracy"], 1.0, "{said}");
            assert_eq!(said[side]["confusion"], json!([[20, 0, 0], [0, 20, 0], [0, 0, 20]]));
        }
        assert_eq!(said["floats"], json!([]));
        assert_eq!(
            (&said["layers"][0]["bits_weights"], &said["layers"][0]["bits_input"]),
            (&json!(8), &json!(8))
        );
        let observers = said["layers"][0]["observers"].as_array().unwrap();
        assert!(observers.len() >= 8, "{observers:?}");
        // What was written is a network for every verb, and the same bytes again.
        let first = std::fs::read(place.path(output)).unwrap();
        place.good(&line);
        assert_eq!(first, std::fs::read(place.path(output)).unwrap());
        let scale = if output == "out.onnx" { SCALE } else { "" };
        let told =
            place.good(&format!("evaluate {output} p-images-idx3-ubyte {scale} --json")).json().unwrap();
        assert_eq!(told["metrics"]["accuracy"], 1.0);
    }
    // Integers alone: the same on any machine.
    place.good("verify out.smidgen");
}

#[test]
fn schemes_are_spelled_and_kept() {
    let place = place();
    for (flags, bits) in [
        ("--weights int4 --granularity tensor", 8),
        ("--activations int8 --symmetric --observer mean-std:k=6", 8),
        ("--activations int16 --range full --rounding floor", 8),
        ("--grid pow2 --observer percentile:p=100", 8),
        ("--grid log --weights int4", 8),
        ("--grid codebook --weights int4 --weight-observer min-max", 8),
        ("--corrections none --asymmetric", 8),
        ("--corrections equalize:rounds=3,absorb-bias,smooth,bias-range,portable,bias", 8),
    ] {
        for output in ["out.onnx", "out.smidgen"] {
            let line = format!(
                "quantize bars.onnx --calibrate p-images-idx3-ubyte {SCALE} {flags} -o {output} --json"
            );
            let said = place.good(&line).json().unwrap();
            assert!(said["agreement"].as_f64().unwrap() >= 0.95, "{flags}: {said}");
            // The only layer is the first and the last one: it keeps 8 bits.
            assert!(said["layers"][0]["bits_weights"].as_u64().unwrap() <= bits, "{flags}: {said}");
        }
    }
    for flags in ["--activations float --weights int4", "--activations dynamic"] {
        for output in ["out.onnx", "out.smidgen"] {
            place.good(&format!("quantize bars.onnx {flags} -o {output}"));
            let scale = if output == "out.onnx" { SCALE } else { "" };
            let scale = if scale.is_empty() { SCALE } else { scale };
            let told =
                place.good(&format!("evaluate {output} p-images-idx3-ubyte {scale} --json")).json().unwrap();
            assert_eq!(told["metrics"]["accuracy"], 1.0, "{flags} {output}");
        }
    }
}

#[test]
fn corrections_and_other_engines_are_told_of() {
    let place = place();
    let line = format!("quantize bars.onnx --calibrate p-images-idx3-ubyte {SCALE} -o out.onnx");
    let corrections = "--corrections portable,equalize,smooth";
    let said = place.good(&format!("{line} {corrections} --json")).json().unwrap();
    let names: Vec<&serde_json::Value> =
        said["corrections"].as_array().unwrap().iter().map(|c| &c["name"]).collect();
    assert_eq!(names, ["equalize", "smooth", "portable"]);
    assert_eq!(said["corrections"][1]["left"][0], json!({"layer": "match", "why": "the network's input"}));
    assert_eq!(said["portability"]["layers"], json!([]));
    // Unless others are asked for, those that change no function, and that make all engines compute the same.
    let said = place.good(&format!("{line} --json")).json().unwrap();
    let names: Vec<&serde_json::Value> =
        said["corrections"].as_array().unwrap().iter().map(|c| &c["name"]).collect();
    assert_eq!(names, ["portable", "bias_mean"]);
    assert_eq!(said["portability"]["layers"], json!([]));
    let said = place.good(&format!("{line} {corrections}"));
    assert!(said.out.contains("smooth: 0 products; 1 left: 1 by the network's input"), "{}", said.out);
    assert!(said.out.contains("engines that saturate (ONNX Runtime)"), "{}", said.out);
    let said = place.good(&format!("{line} --activations int16 --json")).json().unwrap();
    assert!(said["portability"].is_null());
}

#[test]
fn layers_stay_floats_where_that_is_asked() {
    let place = place();
    for flags in ["--keep match", "--only nothing"] {
        let line =
            format!("quantize bars.onnx --calibrate p-images-idx3-ubyte {SCALE} {flags} -o out.onnx --json");
        let said = place.good(&line).json().unwrap();
        assert_eq!((&said["layers"], &said["noise"]), (&json!([]), &json!(0.0)), "{flags}");
        assert_eq!(said["floats"], json!(["flatten", "match"]));
    }
    // A bound that always holds leaves all as it is; one on rows without classes is a share of them.
    for data in ["p-images-idx3-ubyte", "q-images-idx3-ubyte"] {
        let line = format!("quantize bars.onnx --calibrate {data} {SCALE} --max-drop 7% -o out.onnx --json");
        let said = place.good(&line).json().unwrap();
        assert_eq!(said["guard"]["max_drop"], "7%");
        assert_eq!(said["guard"]["wide"], json!([]));
        assert_eq!((&said["guard"]["drop"], &said["guard"]["checks"]), (&json!(0.0), &json!(1)));
    }
}

/// With classes both networks are scored; without them the page tells how far they are apart.
#[test]
fn a_page_shows_what_was_lost() {
    let place = place();
    for (data, has_classes) in [("p-images-idx3-ubyte", true), ("q-images-idx3-ubyte", false)] {
        place.good(&format!(
            "quantize bars.onnx --calibrate {data} {SCALE} --max-drop 0.5% -o out.smidgen --report page.html"
        ));
        let page = std::fs::read_to_string(place.path("page.html")).unwrap();
        for section in ["beside", "demand", "layers", "inputs", "again"] {
            assert!(page.contains(&format!("<section id=\"{section}\">")), "{data}: {section}");
        }
        assert_eq!(page.contains("<section id=\"classes\">"), has_classes, "{data}");
        assert_eq!(page.contains("log_loss"), has_classes, "{data}");
        let bound = if has_classes { "0.5% of the float network's error" } else { "0.5% of the rows" };
        assert!(page.contains(bound), "{data}: {bound}");
        for told in ["labels that stay", "multiply-adds", "peak memory", "min_max", "--max-drop=0.5%"] {
            assert!(page.contains(told), "{data}: {told}");
        }
    }
}

#[test]
fn what_cannot_be_done_is_said() {
    let place = place();
    for (flags, code, message) in [
        ("-o out.onnx", 2, "name some with --calibrate"),
        ("--calibrate p-images-idx3-ubyte -o out.txt", 2, "ends in .onnx"),
        ("--calibrate p-images-idx3-ubyte -o bars.onnx", 2, "bars.onnx"),
        ("--calibrate nowhere -o out.onnx", 2, "nowhere"),
        (
            "--weights int4 --activations float -o out.onnx --report page.html",
            2,
            "name some with --calibrate",
        ),
        (
            "--calibrate p-images-idx3-ubyte -o out.onnx --report bars.onnx",
            2,
            "it is read or written already",
        ),
        ("--calibrate p-images-idx3-ubyte --observer best -o out.onnx", 2, "unknown observer \"best\""),
        ("--calibrate p-images-idx3-ubyte --observer mean-std:k=-1 -o out.onnx", 2, "mean_std: k must be"),
        ("--calibrate p-images-idx3-ubyte --grid cubes -o out.onnx", 2, "unknown grid \"cubes\""),
        ("--calibrate p-images-idx3-ubyte --weights int9 -o out.onnx", 2, "--weights: expected int2"),
        ("--calibrate p-images-idx3-ubyte --corrections bais -o out.onnx", 2, "unknown correction \"bais\""),
        ("--activations dynamic --corrections smooth -o out.onnx", 2, "smooth: expected rows"),
        ("--calibrate p-images-idx3-ubyte --keep ( -o out.onnx", 2, "--keep: expected a regular expression"),
        ("--calibrate p-images-idx3-ubyte --max-drop lots -o out.onnx", 2, "0.5%"),
        ("--calibrate p-images-idx3-ubyte --activations dynamic -o out.onnx", 2, "need no rows"),
    ] {
        let said = place.run(&format!("quantize bars.onnx {flags}"));
        assert_eq!(said.code, code, "{flags}: {}", said.err);
        assert!(said.err.contains(message), "{flags}: {}", said.err);
        assert!(!place.path("out.onnx").exists() && !place.path("out.txt").exists(), "{flags}");
    }
}
