//! The runtime where there is little: WebAssembly in Node.js with vectors off and on, a bare Cortex-M4 under qemu, a page
//! in a browser. Every digest is the file's, and every prediction is what the command line writes for the same rows.
//!
//! What the machine lacks is counted and told; `SMIDGEN_NEED_SMALL_TARGETS` and `SMIDGEN_NEED_BROWSER` make it a failure.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests may unwrap, and tell what they skip")]

#[path = "support/browser.rs"]
mod browser;
#[path = "support/run.rs"]
mod run;

use run::Place;
use serde_json::Value;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// What every fit of the set is told.
const FIT: &str = "--missing -999 --work 1 --folds 2 --quiet";

/// A model of the set, and how it is made of `mixed.csv`; `FIT` stands for what every fit is told.
const MODELS: &[(&str, &str)] = &[
    ("boosted", "fit mixed.csv --target y --drop n,k --types zone=category --set gbdt.n_trees=30 FIT"),
    ("forest", "fit mixed.csv --target k --drop y,n --types zone=category --set forest.n_trees=10 FIT"),
    ("linear", "fit mixed.csv --target n --drop y,k --types zone=category --learners ridge FIT"),
    ("bayes", "fit mixed.csv --target k --drop y,n,said --types zone=category --learners gaussian_nb FIT"),
    ("additive", "fit mixed.csv --target y --drop n,k,said --types zone=category --learners ebm FIT"),
    ("nearest", "fit mixed.csv --target y --drop n,k,said --learners knn FIT"),
    ("similar", "fit mixed.csv --target n --drop y,k,said --learners svm FIT"),
    ("text", "fit mixed.csv --target y --drop n,k,a,b,place --types said=text --learners logistic FIT"),
    (
        "ensemble",
        "compose boosted.smidgen additive.smidgen --data mixed.csv --target y --method average --quiet",
    ),
    ("several", "fit mixed.csv --target y --target z --drop n,k --set gbdt.n_trees=10 FIT"),
    (
        "columns",
        "prepare mixed.csv --drop y,k,said --transforms impute,standard,one_hot --missing -999 --quiet",
    ),
    ("past", "fit mixed.csv --target n --drop y,k,said --order day --group place --set gbdt.n_trees=10 FIT"),
    (
        "joined",
        "prepare mixed.csv --drop y,k,said --join second.csv --on place --by kind --missing -999 --quiet",
    ),
];

/// Models without classes, whose rows have no probabilities.
const NUMBERS: &[&str] = &["linear", "similar", "columns", "past", "joined"];

/// Rows with everything that a cell can be: blanks around it, markers, one of the user's, quotes, categories that are
/// numbers spelt in several ways, times, text, letters that are none of ASCII.
fn mixed() -> String {
    let mut seed = 7u64;
    let mut drawn = |n: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % n
    };
    let is = |odds: bool| if odds { "yes" } else { "no" };
    let mut table = String::from("day,a,b,zone,place,said,y,z,k,n\n");
    for row in 0..240 {
        let (a, b, zone, place) = (drawn(90), drawn(1000) as f64 / 8.0, drawn(4), drawn(5) as usize);
        let day = format!("2024-{:02}-{:02} {:02}:30", row / 20 + 1, row % 20 + 1, drawn(24));
        let score = a + 20 * zone + if place == 1 { 30 } else { 0 } + drawn(25);
        let a = ["", "NA", " ? "].get(drawn(30) as usize).map_or(a.to_string(), |m| String::from(*m));
        let b = ["-999", "1e-3", "nan"].get(drawn(30) as usize).map_or(b.to_string(), |m| String::from(*m));
        let zone = [format!("{zone}"), format!("0{zone}"), format!("{zone}.0")][drawn(3) as usize].clone();
        let place = PLACES[place];
        let said =
            format!("{} {} the {}", ["good", "bad", "fine"][(score % 3) as usize], drawn(9), is(score > 70));
        let (y, z) = (is(score > 70), is(drawn(2) == 0));
        let k = ["low", "mid", "high"][(score / 60).min(2) as usize];
        writeln!(table, "{day},{a},{b},{zone},{place},{said},{y},{z},{k},{}", score as f64 / 4.0).unwrap();
    }
    table
}

const PLACES: [&str; 5] = ["north", " south", "\"east, far\"", "wést", "\"the \"\"old\"\" town\""];

/// The set in a folder of its own: of each model its file, the rows that it predicts and what the command line predicts.
fn set() -> &'static Place {
    static SET: OnceLock<Place> = OnceLock::new();
    SET.get_or_init(|| {
        let place = Place::new();
        place.write("mixed.csv", mixed());
        let bought =
            (0..60).map(|i| format!("{},{},{}\n", PLACES[i % 4], ["x", "y", "z"][i % 3], i * i % 50));
        place.write(
            "second.csv",
            std::iter::once(String::from("place,kind,paid\n")).chain(bought).collect::<String>(),
        );
        for (name, line) in MODELS {
            place.good(&format!("{} -o {name}.smidgen", line.replace("FIT", FIT)));
            place.write(&format!("{name}.csv"), mixed());
            let proba = if NUMBERS.contains(name) { "" } else { " --proba" };
            let ran = place.good(&format!("predict {name}.smidgen {name}.csv{proba}"));
            place.write(&format!("{name}.expected.csv"), ran.out);
        }
        std::fs::copy(place.path("second.csv"), place.path("joined.join.csv")).unwrap();
        place
    })
}

/// True if there is a target and a program to run it; else tells how many are skipped, or fails if it must be there.
fn is_there(target: &str, program: &str, n_skipped: usize) -> bool {
    let said = |program: &str, arguments: &[&str]| {
        let out = Command::new(program).args(arguments).output().ok().filter(|out| out.status.success());
        out.map(|out| String::from_utf8_lossy(&out.stdout).trim().to_owned())
    };
    let libraries = said("rustc", &["--print", "target-libdir", "--target", target]);
    let is_installed = libraries.is_some_and(|folder| Path::new(&folder).is_dir());
    let lacks = match said(program, &["--version"]) {
        Some(_) if is_installed => return true,
        Some(_) => target,
        None => program,
    };
    assert!(std::env::var_os("SMIDGEN_NEED_SMALL_TARGETS").is_none(), "there is no {lacks}");
    println!("skipped: {n_skipped} models: there is no {lacks}");
    false
}

/// Builds a package by a cargo of its own, with some settings, and gives a copy of `file`, which comes out.
fn built(settings: &[(&str, &str)], arguments: &[&str], file: &str, copy: &str) -> PathBuf {
    // One folder, since what runs while building is the same for all; so one at a time.
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap();
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("small");
    let mut command = Command::new(env!("CARGO"));
    command.current_dir(ROOT).args(["build", "--locked", "--target-dir"]).arg(&target).args(arguments);
    command.env_remove("CARGO_ENCODED_RUSTFLAGS").env_remove("RUSTFLAGS").envs(settings.iter().copied());
    let out = command.output().unwrap();
    assert!(out.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&out.stderr));
    std::fs::copy(target.join(file), target.join(copy)).unwrap();
    target.join(copy)
}

/// The runtime as WebAssembly: small, or fast with vectors.
fn wasm(vectors: bool) -> &'static Path {
    static BUILT: [OnceLock<PathBuf>; 2] = [OnceLock::new(), OnceLock::new()];
    // Compiled for size there would be hardly a vector.
    let fast = [("RUSTFLAGS", "-C target-feature=+simd128"), ("CARGO_PROFILE_WASM_OPT_LEVEL", "3")];
    let (settings, copy) = if vectors { (&fast[..], "vectors.wasm") } else { (&[][..], "plain.wasm") };
    let arguments = ["-p", "smidgen-wasm", "--profile", "wasm", "--target", "wasm32-unknown-unknown"];
    let file = "wasm32-unknown-unknown/wasm/smidgen_wasm.wasm";
    BUILT[usize::from(vectors)].get_or_init(|| built(settings, &arguments, file, copy))
}

/// The lines of JSON that a script of `apps/wasm/tests` prints.
fn node(place: &Place, script: &str, arguments: &[&str]) -> Vec<Value> {
    let mut command = Command::new("node");
    command.current_dir(place.path("")).arg(format!("{ROOT}/apps/wasm/tests/{script}")).args(arguments);
    let out = command.output().unwrap();
    let (said, told) = (String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    assert!(out.status.success(), "{script}: {told}");
    said.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The first line of two CSV texts of the same rows that differs, numbers by their value: one that lies between two of
/// its shortest spellings is spelt either way.
fn difference<'a>(made: &'a str, expected: &'a str) -> Option<(&'a str, &'a str)> {
    let is_same = |a: &str, b: &str| a == b || a.parse().is_ok_and(|a: f64| b.parse() == Ok(a));
    let same_line = |a: &str, b: &str| {
        a.split(',').count() == b.split(',').count()
            && a.split(',').zip(b.split(',')).all(|(a, b)| is_same(a, b))
    };
    let n_lines = made.lines().count().max(expected.lines().count());
    let line = |text: &'a str, at| text.lines().nth(at).unwrap_or("");
    (0..n_lines).map(|at| (line(made, at), line(expected, at))).find(|(a, b)| !same_line(a, b))
}

fn read(place: &Place, name: &str) -> String {
    std::fs::read_to_string(place.path(name)).unwrap()
}

#[test]
fn webassembly_computes_every_model() {
    if !is_there("wasm32-unknown-unknown", "node", MODELS.len()) {
        return;
    }
    let place = set();
    let names: Vec<&str> = MODELS.iter().map(|(name, _)| *name).collect();
    for vectors in [false, true] {
        let runtime = wasm(vectors);
        let said = node(place, "score.mjs", &[&[runtime.to_str().unwrap()][..], &names[..]].concat());
        assert_eq!(said.len(), names.len());
        for (said, name) in said.iter().zip(&names) {
            let verified = place.good(&format!("verify {name}.smidgen")).out;
            assert_computed(place, said, name, (&verified, &format!("vectors {vectors}")));
        }
    }
    println!("{} models in Node.js, with vectors and without", names.len());
}

/// What JavaScript said of a model, and the rows that it predicted: as the command line does.
fn assert_computed(place: &Place, said: &Value, name: &str, (verified, how): (&str, &str)) {
    assert_eq!(said["error"], Value::Null, "{name}, {how}");
    let line = |p: &Value| format!("{} {} {}\n", p["path"], p["digest"], p["verdict"]).replace('"', "");
    let lines: String = said["verify"]["paths"].as_array().unwrap().iter().map(line).collect();
    assert_eq!(lines, verified, "{name}, {how}");
    let inspected = place.good(&format!("inspect {name}.smidgen --json")).json().unwrap();
    let signature = &said["signature"];
    for (ours, theirs) in [("task", "task"), ("inputs", "columns"), ("positive", "positive")] {
        assert_eq!(signature[ours], inspected[theirs], "{name}: {ours}");
    }
    assert_eq!(said["verify"]["digest"], inspected["self_test"], "{name}");
    let made = format!("{name}.out.csv");
    let (text, expected) = (read(place, &made), read(place, &format!("{name}.expected.csv")));
    assert_eq!(difference(&text, &expected), None, "{name}, {how}");
    std::fs::remove_file(place.path(&made)).unwrap();
}

/// Models whose rows hang on other rows, which are no WebAssembly files of their own.
const ON_OTHER_ROWS: &[&str] = &["past", "joined"];

/// Most bytes of a model as a WebAssembly file without its constants.
const MOST_BYTES_OF_CODE: u64 = 120_000;

#[test]
fn webassembly_of_a_model_computes_it() {
    if !is_there("wasm32-unknown-unknown", "node", MODELS.len() - ON_OTHER_ROWS.len()) {
        return;
    }
    let place = set();
    let names = MODELS.iter().map(|(name, _)| *name).filter(|name| !ON_OTHER_ROWS.contains(name));
    let names: Vec<&str> = names.collect();
    for name in &names {
        place.good(&format!("export {name}.smidgen --to wasm -o {name}.wasm --quiet"));
        let bytes = |suffix| std::fs::metadata(place.path(&format!("{name}.{suffix}"))).unwrap().len();
        // The constants of a model are no more than a few times its file, which is compressed.
        let most = MOST_BYTES_OF_CODE + 6 * bytes("smidgen");
        assert!(bytes("wasm") <= most, "{name}: {} bytes, at most {most} are meant", bytes("wasm"));
        println!("{name}: {} bytes, {} as a model file", bytes("wasm"), bytes("smidgen"));
    }
    let said = node(place, "score.mjs", &[&["own"][..], &names[..]].concat());
    assert_eq!(said.len(), names.len());
    for (said, name) in said.iter().zip(&names) {
        let digest = said["verify"]["digest"].as_str().unwrap_or_default();
        assert_computed(place, said, name, (&format!("wasm {digest} ok\n"), "its own"));
    }
    for name in ON_OTHER_ROWS {
        let ran = place.run(&format!("export {name}.smidgen --to wasm -o {name}.wasm"));
        assert!(ran.code == 3 && !place.path(&format!("{name}.wasm")).exists(), "{name}: {}", ran.err);
    }
}

#[test]
fn javascript_names_what_is_wrong() {
    if !is_there("wasm32-unknown-unknown", "node", 1) {
        return;
    }
    let place = set();
    for said in node(place, "faults.mjs", &[wasm(false).to_str().unwrap()]) {
        let (given, error, parts) =
            (&said["given"], said["error"].as_str(), said["says"].as_array().unwrap());
        let error = error.unwrap_or_else(|| panic!("{given}: no error"));
        for part in parts {
            assert!(error.contains(part.as_str().unwrap()), "{given}: {error}");
        }
    }
}

/// The runtime within its limit of bytes, which a new operator must not pass unseen.
#[test]
fn the_runtime_stays_small() {
    if !is_there("wasm32-unknown-unknown", "node", 1) {
        return;
    }
    let n_bytes = std::fs::metadata(wasm(false)).unwrap().len();
    assert!(n_bytes <= MOST_BYTES, "{n_bytes} bytes of WebAssembly, at most {MOST_BYTES} are meant");
    println!("{n_bytes} bytes of WebAssembly");
}

/// Most bytes of the runtime as WebAssembly, before compression.
const MOST_BYTES: u64 = 460_000;

#[test]
fn a_microcontroller_computes_every_model() {
    const QEMU: &str = "qemu-system-arm";
    if !is_there("thumbv7em-none-eabihf", QEMU, MODELS.len()) {
        return;
    }
    let place = set();
    let manifest = "crates/runtime/tests/cortex_m/Cargo.toml";
    let arguments = ["--release", "--manifest-path", manifest, "--target", "thumbv7em-none-eabihf"];
    let image = built(&[], &arguments, "thumbv7em-none-eabihf/release/smidgen-cortex-m", "image");
    for (name, _) in MODELS {
        let file = place.path(&format!("{name}.smidgen"));
        let length = std::fs::metadata(&file).unwrap().len();
        let mut command = Command::new(QEMU);
        command.args(["-M", "mps2-an386", "-display", "none", "-monitor", "none", "-serial", "none"]);
        command.args(["-semihosting-config", "enable=on,target=native", "-kernel"]).arg(&image);
        command.arg("-device").arg(format!("loader,file={},addr=0x200008,force-raw=on", file.display()));
        command.arg("-device").arg(format!("loader,addr=0x200000,data={length},data-len=4"));
        let out = command.output().unwrap();
        let told = String::from_utf8_lossy(&[out.stdout, out.stderr].concat()).into_owned();
        let expected = place.good(&format!("verify {name}.smidgen")).out;
        let heap =
            told.strip_prefix(&expected).unwrap_or_else(|| panic!("{name}: {told}, expected {expected}"));
        assert!(out.status.success() && heap.starts_with("heap "), "{name}: {told}");
        println!("{name}: {}", heap.trim());
    }
}

/// A model and a table dropped on the page: what it saves is what the command line predicts.
#[test]
fn a_page_predicts_what_is_dropped_on_it() {
    let Some(browser) = browser::browser() else {
        println!("skipped: 3 models on a page: there is no chromium");
        return;
    };
    if !is_there("wasm32-unknown-unknown", "node", 3) {
        return;
    }
    let place = set();
    let page = Place::new();
    let root = |name: &str| std::fs::read_to_string(Path::new(ROOT).join(name)).unwrap();
    for name in ["examples/browser/page.js", "examples/browser/csv.js", "apps/wasm/smidgen.js"] {
        page.write(name, root(name));
    }
    let drop = "<script type=\"module\" src=\"drop.js\"></script></html>";
    page.write("examples/browser/drop.js", include_str!("data/drop.js"));
    page.write("examples/browser/index.html", root("examples/browser/index.html").replace("</html>", drop));
    page.write("runtime.wasm", std::fs::read(wasm(false)).unwrap());
    let address =
        format!("{}?runtime=../../runtime.wasm", page.path("examples/browser/index.html").display());
    let folder = page.path("");
    for (name, window) in [("boosted", "1280,900"), ("several", "500,900"), ("linear", "1280,900")] {
        std::fs::copy(place.path(&format!("{name}.smidgen")), page.path("model.smidgen")).unwrap();
        page.write("table.csv", mixed());
        let window = format!("--window-size={window}");
        // Waiting takes virtual milliseconds as fast as the machine can count them, so that a slow one has a lot of them; who
        // waits no more is done at once.
        let flags = ["--allow-file-access-from-files", "--virtual-time-budget=20000000", &window];
        let (found, console) = browser::found(browser, &folder, &address, &flags);
        assert_eq!((&found["error"], console.as_str()), (&Value::Null, ""), "{name}: {}", found["said"]);
        let shown = (&found["said"], &found["shown"], &found["wide"]);
        let said = Value::from("240 rows predicted; the first 100 are shown.");
        assert_eq!(shown, (&said, &Value::from(100), &Value::from(false)), "{name}");
        assert_eq!(found["name"], "table_predicted.csv", "{name}");
        // The columns of the table stand before those that are predicted.
        let saved = found["saved"].as_str().unwrap();
        let expected = read(place, &format!("{name}.expected.csv"));
        let n = expected.lines().next().unwrap().split(',').count();
        let last = |line: &str| line.rsplitn(n + 1, ',').take(n).map(str::to_owned).collect::<Vec<_>>();
        let behind = |line: &str| last(line).into_iter().rev().collect::<Vec<_>>().join(",") + "\n";
        assert_eq!(difference(&saved.lines().map(behind).collect::<String>(), &expected), None, "{name}");
    }
}
