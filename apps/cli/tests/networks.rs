//! Networks, in ONNX and stored by smidgen, on arrays and images, by the verbs that take them.
#![allow(clippy::unwrap_used, reason = "tests may unwrap")]

#[path = "support/arrays.rs"]
mod arrays;
#[path = "support/run.rs"]
mod run;

use arrays::npy;
use run::Place;
use serde_json::{Value, json};
use smidgen::{NetworkOptions, StoreOptions, store_network};

/// Three bars in 4 x 4 pixels: made by `testdata/onnx/bars.py`.
const BARS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/onnx/bars.onnx");
const NAMES: [&str; 3] = ["lying", "standing", "tilted"];

/// Grey pixels of a bar, a little darker from picture to picture.
fn picture(class: usize, at: usize) -> [u8; 16] {
    let mut pixels = [0u8; 16];
    for i in 0..4 {
        let (y, x) = [(1, i), (i, 2), (i, i)][class];
        pixels[y * 4 + x] = 255 - at as u8;
    }
    pixels
}

/// Class of each of twelve pictures.
const CLASSES: [usize; 12] = [2, 0, 1, 1, 0, 2, 2, 1, 0, 0, 2, 1];

fn idx(dims: &[u32], data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, dims.len() as u8];
    dims.iter().for_each(|d| bytes.extend(d.to_be_bytes()));
    bytes.extend(data);
    bytes
}

/// An archive as `numpy.savez` writes it: entries that are not packed.
fn npz(arrays: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for (name, array) in arrays {
        let mut crc = flate2::Crc::new();
        crc.update(array);
        let (name, at) = (format!("{name}.npy"), bytes.len() as u32);
        let mut entry = vec![20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0];
        entry.extend(crc.sum().to_le_bytes());
        entry.extend([array.len() as u32, array.len() as u32].map(u32::to_le_bytes).concat());
        entry.extend((name.len() as u16).to_le_bytes());
        entry.extend([0, 0]);
        bytes.extend([&b"PK\x03\x04"[..], &entry, name.as_bytes(), array].concat());
        directory.extend(
            [&b"PK\x01\x02\x14\0"[..], &entry, &[0; 10], &at.to_le_bytes(), name.as_bytes()].concat(),
        );
    }
    let (at, size) = (bytes.len() as u32, directory.len() as u32);
    let n = (arrays.len() as u16).to_le_bytes();
    bytes.extend(directory);
    bytes.extend(
        [&b"PK\x05\x06\0\0\0\0"[..], &n, &n, &size.to_le_bytes(), &at.to_le_bytes(), &[0, 0]].concat(),
    );
    bytes
}

/// The pictures in every form: IDX, a folder by class, a table of paths, arrays.
fn place() -> Place {
    let place = Place::new();
    std::fs::copy(BARS, place.path("bars.onnx")).unwrap();
    let pictures: Vec<[u8; 16]> = CLASSES.iter().enumerate().map(|(at, &class)| picture(class, at)).collect();
    let pixels: Vec<u8> = pictures.iter().flatten().copied().collect();
    let labels: Vec<u8> = CLASSES.iter().map(|&class| class as u8).collect();
    place.write("p-images-idx3-ubyte", idx(&[12, 4, 4], &pixels));
    place.write("p-labels-idx1-ubyte", idx(&[12], &labels));
    let mut table = "file,what\n".to_owned();
    for (at, picture) in pictures.iter().enumerate() {
        let name = format!("set/{}/{at:02}.pgm", NAMES[CLASSES[at]]);
        place.write(&name, [&b"P5 4 4 255\n"[..], picture].concat());
        table.push_str(&format!("{name},{}\n", NAMES[CLASSES[at]]));
    }
    place.write("list.csv", table);
    let scaled: Vec<u8> = pixels.iter().flat_map(|&p| (f32::from(p) / 255.0).to_le_bytes()).collect();
    place.write("x.npy", npy("<f4", "(12, 1, 4, 4)", &scaled));
    place.write("y.npy", npy("|u1", "(12,)", &labels));
    place
}

/// Pixels of 0 to 255 become 0 to 1.
const SCALE: &str = "--input-scale 0.00392156862745098";

#[test]
fn every_form_of_data_gives_the_same() {
    let place = place();
    let mut figures = Vec::new();
    for (data, more) in [
        ("p-images-idx3-ubyte", SCALE.to_owned()),
        ("p-images-idx3-ubyte", format!("{SCALE} --labels y.npy --layout nchw")),
        ("set", SCALE.to_owned()),
        ("list.csv", format!("{SCALE} --target what")),
        ("x.npy", "--labels y.npy".to_owned()),
    ] {
        let said = place.good(&format!("evaluate bars.onnx {data} {more} --json")).json().unwrap();
        assert_eq!((&said["rows"], &said["metrics"]["accuracy"]), (&json!(12), &json!(1.0)), "{data}");
        let names: Vec<Value> = if data == "set" || data == "list.csv" {
            NAMES.iter().map(|n| json!(n)).collect()
        } else {
            (0..3).map(|k| json!(k.to_string())).collect()
        };
        assert_eq!(said["classes"], json!(names), "{data}");
        assert_eq!(said["warnings"][0]["code"], "softmax", "{said}");
        figures.push(said["metrics"]["log_loss"].as_f64().unwrap());
    }
    assert!(figures.iter().all(|f| (f - figures[0]).abs() < 1e-6), "{figures:?}");
    assert!(figures[0] > 0.0 && figures[0] < 0.1, "{figures:?}");
}

#[test]
fn predictions_are_rows_and_outputs_arrays() {
    let place = place();
    let out = place.good(&format!("predict bars.onnx set {SCALE} --proba --keep image")).out;
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines[0], "image,prediction,p_lying,p_standing,p_tilted");
    assert_eq!(lines.len(), 13);
    for line in &lines[1..] {
        let cells: Vec<&str> = line.split(',').collect();
        assert!(cells[0].starts_with(cells[1]), "{line}");
        let sum: f64 = cells[2..].iter().map(|p| p.parse::<f64>().unwrap()).sum();
        assert!((sum - 1.0).abs() < 1e-5, "{line}");
    }
    let out = place.good("predict bars.onnx x.npy").out;
    let labels: Vec<String> = CLASSES.iter().map(usize::to_string).collect();
    assert_eq!(out.lines().skip(1).collect::<Vec<_>>(), labels);
    // Outputs as arrays, which are a network's inputs again in their turn.
    place.good("predict bars.onnx x.npy -o out.npz --quiet");
    let bytes = std::fs::read(place.path("out.npz")).unwrap();
    assert_eq!(&bytes[..2], b"PK");
    let at = bytes.windows(10).position(|w| w == b"logits.npy").expect("the output's name");
    assert!(at < 100);
    place.good("predict bars.onnx x.npy -o again.npz --quiet");
    assert_eq!(std::fs::read(place.path("again.npz")).unwrap(), bytes, "the same bytes");
    place.good("predict bars.onnx x.npy -o rows.parquet --quiet");
}

#[test]
fn a_network_is_written_as_onnx() {
    let place = place();
    let ran = place.good("export bars.onnx --to onnx -o simple.onnx");
    assert!(ran.out.is_empty() && ran.err.contains("simple.onnx: "), "{}", ran.err);
    let predicted = |model: &str| place.good(&format!("predict {model} x.npy --proba")).out;
    assert_eq!(predicted("simple.onnx"), predicted("bars.onnx"));
    place.good("export simple.onnx --to onnx -o again.onnx --quiet");
    let read = |name: &str| std::fs::read(place.path(name)).unwrap();
    assert_eq!(read("again.onnx"), read("simple.onnx"), "the same bytes");
    for (line, code, message) in [
        ("export bars.onnx --to onnx -o bars.onnx", 2, "bars.onnx"),
        ("export bars.onnx --to c -o out.c", 3, "use --to onnx"),
    ] {
        let ran = place.run(line);
        assert_eq!((ran.code, ran.out.as_str()), (code, ""), "{line}: {}", ran.err);
        assert!(ran.err.contains(message), "{line}: {}", ran.err);
    }
    assert_eq!(read("bars.onnx"), std::fs::read(BARS).unwrap());
}

#[test]
fn a_network_is_shown_timed_and_compared() {
    let place = place();
    let text = place.good("inspect bars.onnx").out;
    for told in ["51 parameters", "48 multiply-adds a row", "image", "f32", "Gemm"] {
        assert!(text.contains(told), "{told}: {text}");
    }
    let said = place.good("inspect bars.onnx --json").json().unwrap();
    assert_eq!(
        (&said["parameters"], &said["multiply_adds"], &said["what"]),
        (&json!(51), &json!(48), &json!("network"))
    );
    assert_eq!(said["inputs"][0], json!({"name": "image", "dtype": "f32", "shape": "[N, 1, 4, 4]"}));
    let timed = place.good("bench bars.onnx --json").json().unwrap();
    for told in ["ns_per_row", "ns_single", "load_s"] {
        assert!(timed[told].as_f64() > Some(0.0), "{told}: {timed}");
    }
    assert!(place.good("bench bars.onnx x.npy").out.contains("for a single row, on one thread"));
    std::fs::copy(BARS, place.path("same.onnx")).unwrap();
    let said = place.good(&format!("evaluate bars.onnx same.onnx set {SCALE} --report page.html --json"));
    let said = said.json().unwrap();
    assert_eq!(said["comparisons"][0]["difference"], 0.0);
    let page = std::fs::read_to_string(place.path("page.html")).unwrap();
    for told in
        ["<section id=\"classes\">", "<section id=\"worst\">", "lying", "same.onnx", "a softmax was taken"]
    {
        assert!(page.contains(told), "{told}");
    }
    assert!(!page.contains("learnt from"), "nobody knows");
}

#[test]
fn networks_of_several_inputs_take_arrays_by_name() {
    let place = Place::new();
    for name in ["sides", "warm"] {
        let path = format!("{}/../../testdata/onnx/{name}.onnx", env!("CARGO_MANIFEST_DIR"));
        std::fs::copy(path, place.path(&format!("{name}.onnx"))).unwrap();
    }
    // 100 triangles: of each the side of its class is the longest.
    let classes: Vec<u8> = (0..100).map(|row| (row * 7 % 3) as u8).collect();
    let side = |row: usize, k: u8| if classes[row] == k { 2.0f32 } else { 1.0 + row as f32 / 200.0 };
    let sides = |of: &[u8]| -> Vec<u8> {
        (0..100).flat_map(|row| of.iter().flat_map(move |&k| side(row, k).to_le_bytes())).collect()
    };
    let (two, third) = (npy("<f4", "(100, 2)", &sides(&[0, 1])), npy("<f4", "(100, 1)", &sides(&[2])));
    let heat = npy("<f4", "()", &0.5f32.to_le_bytes());
    place.write("rows.npz", npz(&[("third", third.clone()), ("two", two.clone())]));
    place.write("run.npz", npz(&[("third", third), ("two", two), ("heat", heat)]));
    place.write("y.npy", npy("|u1", "(100,)", &classes));
    for (network, data) in [("sides.onnx", "rows.npz"), ("warm.onnx", "run.npz")] {
        let said = place.good(&format!("evaluate {network} {data} --labels y.npy --json")).json().unwrap();
        assert_eq!((&said["rows"], &said["metrics"]["accuracy"]), (&json!(100), &json!(1.0)), "{network}");
        let said = place.good(&format!("predict {network} {data}")).out;
        let expected: Vec<String> = classes.iter().map(u8::to_string).collect();
        assert_eq!(said.lines().skip(1).collect::<Vec<_>>(), expected, "{network}");
    }
    // Rows are timed by the row, a run as a whole.
    for (line, rows) in [
        ("bench sides.onnx rows.npz", 64),
        ("bench sides.onnx rows.npz --jobs 2", 64),
        ("bench sides.onnx", 64),
        ("bench warm.onnx run.npz", 1),
    ] {
        let timed = place.good(&format!("{line} --json")).json().unwrap();
        assert!(timed["ns_per_row"].as_f64() > Some(0.0) && timed["load_s"].as_f64() > Some(0.0), "{timed}");
        assert_eq!(timed["rows"], rows, "{line}");
    }
    // The slices of rows are the same whatever the threads.
    for jobs in [1, 2, 3] {
        place.good(&format!("predict sides.onnx rows.npz --jobs {jobs} --quiet -o {jobs}.npz"));
    }
    let bytes = [1, 2, 3].map(|jobs| std::fs::read(place.path(&format!("{jobs}.npz"))).unwrap());
    assert!(bytes[0] == bytes[1] && bytes[0] == bytes[2]);
    let ran = place.run("evaluate warm.onnx rows.npz --labels y.npy");
    assert!(ran.code == 2 && ran.err.contains("expected an array \"heat\""), "{}", ran.err);
    let ran = place.run("bench warm.onnx");
    assert!(ran.code == 2 && ran.err.contains("its input \"heat\""), "{}", ran.err);
}

#[test]
fn a_model_of_tables_is_timed() {
    let place = Place::new();
    let table = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/data/iris.csv");
    place.good(&format!("fit {table} --target species --work 1 -o m.smidgen"));
    for data in ["", table] {
        let timed = place.good(&format!("bench m.smidgen {data} --json")).json().unwrap();
        assert!(timed["ns_per_row"].as_f64() > Some(0.0) && timed["rows"].as_u64() >= Some(150), "{timed}");
    }
    let ran = place.run("predict m.smidgen t.csv -o out.npz");
    assert_eq!(ran.code, 3);
    assert!(ran.err.contains(".npz holds the outputs of networks"), "{}", ran.err);
}

#[test]
fn what_does_not_fit_is_refused() {
    let place = place();
    place.write("broken.onnx", b"no network");
    place.write("small/a/x.pgm", b"P5 2 2 255\n\0\0\0\0");
    place.write("few/lying/x.pgm", [&b"P5 4 4 255\n"[..], &picture(0, 0)].concat());
    place.write("flat/x.pgm", [&b"P5 4 4 255\n"[..], &picture(0, 0)].concat());
    place.write("wide.npy", npy("<f4", "(2, 1, 4, 5)", &[0; 160]));
    place.write("text.npy", npy("<U1", "(1,)", &[0; 4]));
    place.write("five.npy", npy("|u1", "(12,)", &[5; 12]));
    place.write("table.csv", "a,b\n1,2\n");
    std::fs::create_dir(place.path("empty")).unwrap();
    for (line, code, message) in [
        ("evaluate broken.onnx set", 2, "broken.onnx: "),
        ("evaluate gone.onnx set", 2, "gone.onnx: "),
        ("evaluate bars.onnx small", 2, "image a/x.pgm: expected 4 x 4 pixels, got 2 x 2; resize the images"),
        ("evaluate bars.onnx few", 2, "expected 3 classes, one an output, got 1 in few: lying"),
        ("evaluate bars.onnx flat", 2, "the classes of these images are not known"),
        ("evaluate bars.onnx x.npy", 2, "name a file of them with --labels"),
        (
            "evaluate bars.onnx x.npy --labels five.npy",
            2,
            "expected classes below 3, one an output, got 5 at row 1",
        ),
        ("evaluate bars.onnx wide.npy --labels y.npy", 2, "expected f32 [N, 1, 4, 4]"),
        ("predict bars.onnx text.npy", 3, "type <U1 is not supported"),
        ("predict bars.onnx table.csv", 2, "expected data for a network"),
        ("predict bars.onnx empty", 2, "expected images"),
        ("predict bars.onnx set --explain", 3, "--explain of networks is not supported"),
        ("predict bars.onnx set --keep size", 2, "images have \"image\""),
        ("predict bars.onnx set --input-std 0", 2, "--input-std: expected numbers that are not 0"),
        ("predict bars.onnx set --input-mean 1,2,3", 2, "--input-mean: expected one number"),
        ("predict bars.onnx set --layout chw", 2, "expected nchw or nhwc"),
    ] {
        let ran = place.run(line);
        assert_eq!((ran.code, ran.out.as_str()), (code, ""), "{line}: {}", ran.err);
        assert!(ran.err.contains(message), "{line}: {}", ran.err);
    }
}

/// The network in a file of smidgen that knows its pixels and classes, beside the pictures.
fn stored() -> Place {
    let place = place();
    store_network(&storing(&place, "bars.onnx", "bars.smidgen", &NAMES)).unwrap();
    place
}

fn storing(place: &Place, from: &str, to: &str, classes: &[&str]) -> StoreOptions {
    StoreOptions {
        model: place.path(from),
        output: place.path(to),
        network: NetworkOptions { scale: Some(0.00392156862745098), ..NetworkOptions::default() },
        classes: classes.iter().map(|c| c.to_string()).collect(),
    }
}

#[test]
fn a_stored_network_knows_its_pixels_and_classes() {
    let place = stored();
    // Two of the three classes, which are found by their names.
    for (class, at) in [(0, 0), (0, 1), (2, 0), (2, 1)] {
        let name = format!("few/{}/{at}.pgm", NAMES[class]);
        place.write(&name, [&b"P5 4 4 255\n"[..], &picture(class, at)].concat());
    }
    let size = |name: &str| std::fs::metadata(place.path(name)).unwrap().len();
    assert!(size("bars.smidgen") < size("bars.onnx") + 200, "{} bytes", size("bars.smidgen"));
    let wanted = place.good(&format!("evaluate bars.onnx set {SCALE} --json")).json().unwrap();
    for (data, rows) in [
        ("p-images-idx3-ubyte", 12),
        ("set", 12),
        ("list.csv --target what", 12),
        ("x.npy --labels y.npy", 12),
        ("set --input-scale 0.00392156862745098 --input-std 1 --layout nchw", 12),
        ("few", 4),
    ] {
        let said = place.good(&format!("evaluate bars.smidgen {data} --json")).json().unwrap();
        assert_eq!((&said["rows"], &said["metrics"]["accuracy"]), (&json!(rows), &json!(1.0)), "{data}");
        assert_eq!((&said["classes"], &said["warnings"]), (&json!(NAMES), &json!([])), "{data}");
        assert_eq!(said["exact"], false);
        if data.starts_with("set") {
            assert_eq!(said["metrics"]["log_loss"], wanted["metrics"]["log_loss"], "{data}");
        }
    }
    for data in ["p-images-idx3-ubyte", "x.npy"] {
        let out = place.good(&format!("predict bars.smidgen {data} --proba")).out;
        let lines: Vec<&str> = out.lines().collect();
        assert_eq!(lines[0], "prediction,p_lying,p_standing,p_tilted", "{data}");
        let named: Vec<&str> = lines[1..].iter().filter_map(|line| line.split(',').next()).collect();
        assert_eq!(named, CLASSES.map(|class| NAMES[class]), "{data}");
    }
    // All outputs, bit for bit, and again through ONNX.
    place.good("export bars.smidgen --to onnx -o back.onnx");
    for model in ["bars.onnx", "bars.smidgen", "back.onnx"] {
        place.good(&format!("predict {model} x.npy -o {model}.npz --quiet"));
    }
    let read = |name: &str| std::fs::read(place.path(name)).unwrap();
    assert_eq!(read("bars.smidgen.npz"), read("bars.onnx.npz"));
    assert_eq!(read("back.onnx.npz"), read("bars.onnx.npz"));
}

#[test]
fn a_stored_network_is_shown_timed_and_proven() {
    let place = stored();
    let text = place.good("inspect bars.smidgen").out;
    for told in [
        "51 parameters",
        "pixels: * 0.00392156862745098, nchw",
        "answers (multiclass) by \"logits\": logit",
        "classes: lying, standing, tilted",
        "not exact: floats are left",
    ] {
        assert!(text.contains(told), "{told}: {text}");
    }
    let said = place.good("inspect bars.smidgen --json").json().unwrap();
    assert_eq!((&said["what"], &said["classes"]), (&json!("network"), &json!(NAMES)));
    assert_eq!(said["answer"], json!({"output": "logits", "kind": "logit"}));
    assert_eq!(said["inputs"][0], json!({"name": "image", "dtype": "f32", "shape": "[N, 1, 4, 4]"}));
    for data in ["", "set"] {
        let timed = place.good(&format!("bench bars.smidgen {data} --json")).json().unwrap();
        assert!(timed["ns_per_row"].as_f64() > Some(0.0), "{timed}");
    }
    let ran = place.good("verify bars.smidgen");
    let lines: Vec<Vec<&str>> = ran.out.lines().map(|line| line.split(' ').collect()).collect();
    assert_eq!(lines[0][0], "reference");
    for words in &lines {
        assert!(
            words.len() == 3 && words[1].len() == 16 && ["ok", "skipped"].contains(&words[2]),
            "{words:?}"
        );
    }
    assert!(ran.err.contains("compared within 1/1024 of their largest element"), "{}", ran.err);
    let bytes = std::fs::read(place.path("bars.smidgen")).unwrap();
    let mut damaged = bytes.clone();
    damaged[bytes.len() / 2] ^= 4;
    place.write("damaged.smidgen", damaged);
    place.write("cut.smidgen", &bytes[..bytes.len() / 2]);
    for verb in ["verify", "inspect", "bench"] {
        for name in ["damaged.smidgen", "cut.smidgen"] {
            let ran = place.run(&format!("{verb} {name}"));
            assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{verb} {name}: {}", ran.err);
            assert!(ran.err.contains("the file is damaged or truncated"), "{}", ran.err);
        }
    }
    // What is stored is stored again as it is.
    let again = StoreOptions {
        network: NetworkOptions::default(),
        ..storing(&place, "bars.smidgen", "again.smidgen", &[])
    };
    assert_eq!(store_network(&again).unwrap(), bytes.len() as u64);
    assert_eq!(std::fs::read(place.path("again.smidgen")).unwrap(), bytes);
}

#[test]
fn what_contradicts_a_stored_network_is_refused() {
    let place = stored();
    std::fs::create_dir_all(place.path("others/round")).unwrap();
    place.write("others/round/x.pgm", [&b"P5 4 4 255\n"[..], &picture(0, 0)].concat());
    for (line, message) in [
        (
            "evaluate bars.smidgen set --input-scale 0.5",
            "--input-scale: expected 0.00392156862745098, as the file says; leave it out",
        ),
        ("predict bars.smidgen set --input-mean 1", "--input-mean: expected 0,0,0, as the file says"),
        ("predict bars.smidgen set --input-std 2", "--input-std: expected 1,1,1, as the file says"),
        ("bench bars.smidgen set --layout nhwc", "--layout: expected nchw, as the file says"),
        ("evaluate bars.smidgen others", "expected its classes lying, standing, tilted, got round in others"),
    ] {
        let ran = place.run(line);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{line}: {}", ran.err);
        assert!(ran.err.contains(message), "{line}: {}", ran.err);
    }
    let refused = |options: StoreOptions| store_network(&options).unwrap_err().to_string();
    let two = refused(storing(&place, "bars.onnx", "two.smidgen", &["a", "b"]));
    assert!(two.contains("expected one class a number of output \"logits\" [N, 3], got 2 classes"), "{two}");
    let itself = refused(storing(&place, "bars.smidgen", "bars.smidgen", &NAMES));
    assert!(itself.contains("it is the input as well"), "{itself}");
    let mut colours = storing(&place, "bars.onnx", "three.smidgen", &NAMES);
    colours.network.mean = vec![1.0, 2.0, 3.0];
    assert!(refused(colours).contains("--input-mean: expected one number"));
    assert!(!place.path("two.smidgen").exists() && !place.path("three.smidgen").exists());
}
