//! What the command line does with dates, copies and suspicious columns before it learns.

#[path = "support/run.rs"]
mod run;

use run::Place;

/// Days of a week from Monday 2024-01-01 on; the target depends on the weekday alone.
fn dated(n: u32, spell: impl Fn(u32, u32, u32) -> String) -> String {
    let lengths = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut text = String::from("sold,noise,y\n");
    let (mut month, mut day) = (1, 1);
    for i in 0..n {
        let y = if i % 7 >= 5 { 10 } else { 20 } + i * 31 % 3;
        text.push_str(&format!("{},{},{y}.5\n", spell(2024, month, day), i * 17 % 23));
        day += 1;
        if day > lengths[month as usize - 1] {
            (month, day) = (month % 12 + 1, 1);
        }
    }
    text
}

#[test]
fn a_date_is_learnt_from_in_any_known_format() {
    let iso = |y: u32, m: u32, d: u32| format!("{y}-{m:02}-{d:02}");
    let german = |y: u32, m: u32, d: u32| format!("{d}.{m}.{y}");
    let stamp = |y: u32, m: u32, d: u32| format!("{y}-{m:02}-{d:02}T08:30:00Z");
    for text in [dated(350, iso), dated(350, german), dated(350, stamp)] {
        let place = Place::new();
        place.write("t.csv", &text);
        place.good("fit t.csv --target y --task regression --work 1 --folds 3");
        let seen = place.good("inspect model.smidgen").out;
        assert!(seen.contains("part = weekday"), "{seen}");
        let object = place.good("evaluate model.smidgen t.csv --json").json().unwrap();
        assert!(object["metrics"]["r2"].as_f64().unwrap() > 0.8, "{}", object["metrics"]);
        assert!(place.good("verify model.smidgen").out.lines().all(|l| l.ends_with(" ok")));
        // A cell that is no date counts as missing, and a row alone predicts as among others.
        place.write("one.csv", "sold,noise\nno date,3\n");
        assert_eq!(place.good("predict model.smidgen one.csv").out.lines().count(), 2);
    }
}

#[test]
fn suspicious_columns_are_named() {
    let place = Place::new();
    let mut rows = String::from("row,customer_id,age,city,twin,x,y\n");
    for i in 0..400u32 {
        let age = if i % 20 == 0 { -999 } else { (18 + i * 7 % 60) as i32 };
        let city = ["Bonn", "bonn", "Kiel", "Ulm"][(i * 13 % 4) as usize];
        let y = i * 37 % 100 > 50;
        rows.push_str(&format!(
            "{},{},{age},{city},{},{},{y}\n",
            i + 1,
            i * 7919 % 100_003,
            u8::from(y),
            i % 11
        ));
    }
    place.write("t.csv", &rows);
    let fit = place.good("fit t.csv --target y --work 1 --folds 2 --set gbdt.n_trees=5 --json");
    let object = fit.json().unwrap();
    let told: Vec<(String, String)> = object["warnings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|w| (w["code"].as_str().unwrap().into(), w["column"].as_str().unwrap_or("").into()))
        .collect();
    for (code, column) in [
        ("identifier", "row"),
        ("identifier", "customer_id"),
        ("sentinel", "age"),
        ("spellings", "city"),
        ("leak", "twin"),
    ] {
        assert!(told.contains(&(code.to_owned(), column.to_owned())), "{code} {column}: {told:?}");
    }
    // A marker that is declared is missing from then on, at prediction too.
    let declared =
        place.good("fit t.csv --target y --missing=-999 --work 1 --folds 2 --set gbdt.n_trees=5 --json");
    assert!(!declared.out.contains("sentinel"), "{}", declared.out);
    place.good("predict model.smidgen t.csv");
}

#[test]
fn copies_share_a_fold() {
    let place = Place::new();
    // Noise that a model could only know from copies: out of fold it must look like noise.
    let rows: Vec<String> = (0..150u32)
        .map(|i| {
            format!("{},{},{}\n", i * 7919 % 1009, i * 31 % 97, ((u64::from(i) * 2_654_435_761) >> 7) % 2)
        })
        .collect();
    place.write("t.csv", format!("a,b,y\n{0}{0}{0}", rows.concat()));
    let fit =
        place.good("fit t.csv --target y --work 1 --set gbdt.n_trees=60 --set gbdt.min_leaf_rows=2 --json");
    let object = fit.json().unwrap();
    assert!(object["score_oof"].as_f64().unwrap() < 0.75, "{}", object["score_oof"]);
    assert!(fit.out.contains("duplicate_rows"), "{}", fit.out);
}
