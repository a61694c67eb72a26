//! Tables at the edges of what people bring: a sensible model, or a clear refusal.
#![allow(clippy::unwrap_used, reason = "tests may unwrap")]

#[path = "support/run.rs"]
mod run;

use run::Place;
use serde_json::Value;
use smidgen::Clock;

/// Random numbers in `0..1`.
struct Random(u64);

impl Random {
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as f64 / f64::from(1u32 << 31)
    }
}

/// A table of rows, each made of its number and of random numbers.
fn write(place: &Place, head: &str, n_rows: usize, row: impl Fn(usize, &mut Random) -> String) {
    let mut random = Random(3);
    let mut table = format!("{head}\n");
    for at in 0..n_rows {
        table.push_str(&row(at, &mut random));
        table.push('\n');
    }
    place.write("t.csv", table);
}

/// A fit that must do, within its time and a tenth and two seconds.
fn fit(place: &Place, seconds: u32, more: &str) -> Value {
    let began = Clock::start();
    let said =
        place.good(&format!("fit t.csv --target y --time {seconds} -o m.smidgen --json --quiet {more}"));
    let took = began.seconds();
    assert!(took < f64::from(seconds) * 1.1 + 2.0, "{took} s of {seconds} s");
    place.good("verify m.smidgen");
    said.json().unwrap()
}

fn has(said: &Value, code: &str) -> bool {
    said["warnings"].as_array().unwrap().iter().any(|w| w["code"] == code)
}

#[test]
fn thousands_of_columns() {
    let place = Place::new();
    let head = (0..2000).map(|c| format!("c{c}")).collect::<Vec<_>>().join(",");
    write(&place, &format!("{head},y"), 120, |_, random| {
        let cells: Vec<f64> = (0..2000).map(|_| random.unit()).collect();
        let y = u8::from(cells[7] + 0.2 * random.unit() > 0.6);
        format!("{},{y}", cells.iter().map(|v| format!("{v:.3}")).collect::<Vec<_>>().join(","))
    });
    let said = fit(&place, 8, "");
    assert!(said["score_oof"].as_f64().unwrap() > 0.6, "{}", said["score_oof"]);
}

#[test]
fn many_rows() {
    let place = Place::new();
    write(&place, "a,b,g,y", 200_000, |_, random| {
        let (a, b, g) = (random.unit(), random.unit(), (random.unit() * 5.0) as u32);
        format!("{a:.4},{b:.4},k{g},{:.4}", a * b + f64::from(g % 2) + 0.1 * random.unit())
    });
    let said = fit(&place, 10, "");
    assert!(said["score_oof"].as_f64().unwrap() < 0.1, "{}", said["score_oof"]);
    assert!(said["work"].as_u64().unwrap() > 1, "{}", said["work"]);
}

#[test]
fn almost_one_class() {
    let place = Place::new();
    write(&place, "a,b,y", 4000, |at, random| {
        let rare = at % 500 == 3;
        let a = random.unit() + if rare { 0.5 } else { 0.0 };
        format!("{a:.4},{:.4},{}", random.unit(), if rare { "yes" } else { "no" })
    });
    let said = fit(&place, 6, "");
    assert!(said["score_oof"].as_f64().unwrap() > 0.6, "{}", said["score_oof"]);
}

#[test]
fn texts_alone_and_identifiers_alone() {
    let place = Place::new();
    write(&place, "note,y", 300, |_, random| {
        let is = random.unit() < 0.5;
        let word = if is { "refund broken late" } else { "thanks great fast" };
        let other = ["the parcel came", "we called", "my order was"][(random.unit() * 3.0) as usize];
        format!("{other} {word} {},{}", (random.unit() * 1000.0) as u32, u8::from(is))
    });
    let said = fit(&place, 6, "");
    assert!(said["score_oof"].as_f64().unwrap() > 0.95, "{}", said["score_oof"]);

    write(&place, "customer_id,key,y", 300, |at, random| {
        format!("{},u{},{}", 7919 * at % 10_007, 31 * at, u8::from(random.unit() < 0.5))
    });
    let refused = place.run("fit t.csv --target y --time 3 -o n.smidgen");
    assert!(refused.code == 2, "{}", refused.code);
    assert!(refused.err.contains("customer_id") || refused.err.contains("column"), "{}", refused.err);
    assert!(!place.path("n.smidgen").exists());
}

#[test]
fn one_second() {
    let place = Place::new();
    write(&place, "a,b,c,y", 2000, |_, random| {
        let a = random.unit();
        format!("{a:.4},{:.4},{:.4},{:.4}", random.unit(), random.unit(), a + 0.1 * random.unit())
    });
    let said = fit(&place, 1, "");
    assert!(said["score_oof"].as_f64().unwrap() < 0.15, "{}", said["score_oof"]);
}

#[test]
fn memory_is_kept_or_refused() {
    let place = Place::new();
    write(&place, "a,b,c,y", 20_000, |_, random| {
        let a = random.unit();
        format!("{a:.4},{:.4},{:.4},{:.4}", random.unit(), random.unit(), a + 0.1 * random.unit())
    });
    // A forest of leaves of one row would take more; others do.
    let said = fit(&place, 6, "--memory 200MB");
    assert!(said["score_oof"].as_f64().unwrap() < 0.15, "{}", said["score_oof"]);
    let line = "fit t.csv --target y --learners forest --work 3 -o n.smidgen";
    let refused = place.run(&format!("{line} --memory 60MB"));
    assert!(refused.code == 2 && refused.err.contains("--memory"), "{} {}", refused.code, refused.err);
    let refused = place.run(&format!("{line} --memory 1MB"));
    assert!(refused.code == 2 && refused.err.contains("rows"), "{} {}", refused.code, refused.err);
    assert!(!place.path("n.smidgen").exists());
}

#[test]
fn what_looks_odd_is_told() {
    let place = Place::new();
    let row = |moved: f64| {
        move |at: usize, random: &mut Random| {
            let a = random.unit() + moved;
            let y = a - moved + 0.2 * random.unit() * (1.0 + 20.0 * moved) > 0.6;
            format!(
                "p{},2024-01-{:02} {:02}:{:02},{a:.4},{}",
                at % 40,
                1 + at % 28,
                at % 24,
                at % 60,
                u8::from(y)
            )
        }
    };
    write(&place, "patient,seen,a,y", 400, row(0.4));
    std::fs::rename(place.path("t.csv"), place.path("test.csv")).unwrap();
    write(&place, "patient,seen,a,y", 400, row(0.0));
    let line = "fit t.csv --target y --learners logistic --work 2 -o m.smidgen --json --test test.csv";
    let said = place.good(line).json().unwrap();
    for code in ["maybe_group", "maybe_order", "drift", "overfit"] {
        assert!(has(&said, code), "{code}: {}", said["warnings"]);
    }
    let said = place.good(&line.replace("test.csv", "t.csv")).json().unwrap();
    assert!(!has(&said, "drift") && !has(&said, "overfit"), "{}", said["warnings"]);
}

#[test]
fn what_stands_before_a_learner() {
    let place = Place::new();
    write(&place, "a,b,g,y", 300, |at, random| {
        let (a, b) = (1.0 + random.unit(), 1.0 + random.unit());
        format!("{a:.4},{b:.4},k{},{}", at % 4, u8::from(a / b > 1.4))
    });
    let line = "fit t.csv --target y --learners tree --work 1 -o m.smidgen --json";
    for (before, recipe) in [
        ("--augment smote", "smote; tree"),
        ("--augment smote --set smote.k=3", "smote k=3; tree"),
        ("--transforms target_encode:keep=yes:smoothing=5(g)", "target_encode keep=yes smoothing=5(g); tree"),
        ("--transforms construct:kinds=ratios;sums:most=2", "construct most=2 kinds=ratios;sums; tree"),
        ("--augment none", "tree"),
    ] {
        let said = place.good(&format!("{line} {before}")).json().unwrap();
        assert_eq!(said["recipe"], recipe);
        let first = std::fs::read(place.path("m.smidgen")).unwrap();
        place.good("verify m.smidgen");
        let command = said["command"].as_str().unwrap().replace("smidgen fit", "fit").replace('\'', "");
        place.good(&command);
        assert_eq!(first, std::fs::read(place.path("m.smidgen")).unwrap(), "{before}");
    }
    for (before, told) in [
        ("--augment smoothe", "smote"),
        ("--augment smote --set smote.k=0", "smote: k must be"),
        ("--transforms construct:kinds=roots", "roots"),
        ("--transforms construct:kinds", "without a value"),
    ] {
        let refused = place.run(&format!("{line} {before}"));
        assert!(refused.code == 2 && refused.err.contains(told), "{before}: {}", refused.err);
    }
    let refused = place.run("fit t.csv --target a --learners tree --work 1 -o n.smidgen --augment smote");
    assert!(refused.err.contains("classes"), "{}", refused.err);
}
