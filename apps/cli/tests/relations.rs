//! Earlier rows and a second table: features, predictions from the same inputs, folds, and real tables.

#[path = "support/run.rs"]
mod run;

use run::Place;
use std::path::PathBuf;

/// A series in which the next value hangs on the last one of its own shop alone.
fn series(n: u32) -> String {
    let mut text = String::from("day,shop,sold,next\n");
    // Numbers that neither the day nor the shop tells.
    let value = |shop: u32, day: u32| {
        let z = u64::from(day * 3 + shop + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let z = (z ^ z >> 31).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (z ^ z >> 29) % 50
    };
    for day in 1..n {
        for shop in 0..3 {
            let next = value(shop, day - 1) * 2;
            text.push_str(&format!("{day},s{shop},{},{next}\n", value(shop, day)));
        }
    }
    text
}

#[test]
fn the_last_row_of_the_same_group_is_learnt_from() {
    let place = Place::new();
    place.write("t.csv", series(150));
    let fit = "fit t.csv --target next --task regression --metric r2 --work 1 --set gbdt.n_trees=200 --json";
    let without = place.good(fit).json().unwrap();
    let with = place.good(&format!("{fit} --order day --group shop --folds 3")).json().unwrap();
    let score = |o: &serde_json::Value| o["score_oof"].as_f64().unwrap();
    assert!(score(&without) < 0.5, "{}", score(&without));
    // Folds are whole shops, so a shop's own level is not seen before.
    place.good("verify model.smidgen");
    let seen = place.good("inspect model.smidgen").out;
    assert!(seen.contains("Past("), "{seen}");
    let object = place.good("evaluate model.smidgen t.csv --json").json().unwrap();
    assert!(object["metrics"]["r2"].as_f64().unwrap() > 0.95, "{}", object["metrics"]);
    assert!(score(&with) > score(&without), "{} beside {}", score(&with), score(&without));
    // Rows in another order have the same past.
    let text = series(150);
    let mut lines: Vec<&str> = text.lines().collect();
    let straight = place.good("predict model.smidgen t.csv --keep day,shop").out;
    lines[1..].reverse();
    place.write("back.csv", lines.join("\n") + "\n");
    let mut back: Vec<String> =
        place.good("predict model.smidgen back.csv --keep day,shop").out.lines().map(str::to_owned).collect();
    back[1..].reverse();
    assert_eq!(back.join("\n") + "\n", straight);
}

#[test]
fn ordered_rows_are_folded_in_blocks() {
    let place = Place::new();
    let mut text = String::from("t,x,y\n");
    for i in 0..400u32 {
        // A level that drifts: neighbours know it, other blocks do not.
        text.push_str(&format!("{i},{},{}\n", i * 17 % 23, i / 20 * 100 + i % 3));
    }
    place.write("t.csv", text);
    let fit =
        "fit t.csv --target y --task regression --metric rmse --work 1 --json --types t=category --drop x";
    let score = |flags: &str| -> f64 {
        let fit = fit.replace("--types t=category --drop x", flags);
        place.good(&fit).json().unwrap()["score_oof"].as_f64().unwrap()
    };
    let (mixed, blocks) = (score("--types t=number"), score("--types t=number --order t"));
    assert!(blocks > 2.0 * mixed, "{blocks} beside {mixed}");
    let last = score("--types t=number --order t --holdout 0.2");
    assert!(last > 100.0, "{last}");
}

const CUSTOMERS: &str = "customer,since,y\n";

/// Customers whose target hangs on the sum of their purchases before a date.
fn shop(place: &Place) {
    let mut customers = String::from(CUSTOMERS);
    let mut bought = String::from("customer,day,price,kind\n");
    for c in 0..300u32 {
        let mut sum = 0;
        for k in 0..c * 7 % 6 {
            let (day, price) = (1 + (c * 13 + k * 5) % 28, 5 + (c * 31 + k * 17) % 40);
            let kind = ["book", "film"][((c + k) % 2) as usize];
            bought.push_str(&format!("c{c},2024-03-{day:02},{price},{kind}\n"));
            sum += if day < 15 { price } else { 0 };
        }
        customers.push_str(&format!("c{c},2024-03-15,{}\n", u8::from(sum > 40)));
    }
    place.write("customers.csv", customers);
    place.write("bought.csv", bought);
}

#[test]
fn a_second_table_is_summed_up_for_each_row() {
    let place = Place::new();
    shop(&place);
    place.good(
        "prepare customers.csv --target y --types since=time --join bought.csv --on customer --by kind -o made.csv",
    );
    let made = std::fs::read_to_string(place.path("made.csv")).unwrap();
    let header = made.lines().next().unwrap();
    for name in ["rows of bought", "sum of bought \"\"price\"\"", "share of bought \"\"kind\"\"=book"] {
        assert!(header.contains(name), "{name}: {header}");
    }
}

#[test]
fn a_model_takes_the_second_table_again() {
    let place = Place::new();
    shop(&place);
    // All customers have one date: it is no feature, but it says which purchases came before.
    let fit = place.good(
        "fit customers.csv --target y --join bought.csv --on customer --before since=day --by kind --work 1 --folds 4 --json",
    );
    let object = fit.json().unwrap();
    assert!(object["score_oof"].as_f64().unwrap() > 0.97, "{}", object["score_oof"]);
    assert!(object["command"].as_str().unwrap().contains("--before since=day"), "{}", object["command"]);
    assert!(place.good("verify model.smidgen").out.lines().all(|l| l.ends_with(" ok")));
    let first = place.good("predict model.smidgen customers.csv --proba").out;
    // From the same inputs elsewhere the same predictions; from another table others.
    std::fs::rename(place.path("bought.csv"), place.path("moved.csv")).unwrap();
    let lost = place.run("predict model.smidgen customers.csv");
    assert_eq!(lost.code, 2);
    assert!(lost.err.contains("bought.csv") && lost.err.contains("--join FILE"), "{}", lost.err);
    assert_eq!(place.good("predict model.smidgen customers.csv --proba --join moved.csv").out, first);
    place.good("evaluate model.smidgen customers.csv --join moved.csv");
    let over = place.run("predict model.smidgen customers.csv --join moved.csv -o moved.csv");
    assert_eq!(over.code, 2);
    assert!(over.err.contains("it is the input as well"), "{}", over.err);
    place.write("empty.csv", "customer,day,price,kind\nnobody,2024-03-01,1,book\n");
    let other = place.good("predict model.smidgen customers.csv --proba --join empty.csv").out;
    assert_ne!(other, first);
    // One row alone has the same related rows.
    let one: String = std::fs::read_to_string(place.path("customers.csv"))
        .unwrap()
        .lines()
        .take(2)
        .map(|l| format!("{l}\n"))
        .collect();
    place.write("one.csv", one);
    let alone = place.good("predict model.smidgen one.csv --proba --join moved.csv").out;
    assert_eq!(alone.lines().nth(1), first.lines().nth(1));
    // A model without a second table takes none.
    place.good("fit customers.csv --target y --types customer=category --work 1 --folds 2 -o plain.smidgen");
    let refused = place.run("predict plain.smidgen customers.csv --join moved.csv");
    assert_eq!(refused.code, 2);
    assert!(refused.err.contains("takes no second table"), "{}", refused.err);
}

#[test]
fn rows_that_cannot_be_parted() {
    let place = Place::new();
    let one: String = (0..40u32).map(|i| format!("{},only,{}\n", i * 17 % 23, i % 2)).collect();
    place.write("g.csv", format!("x,g,y\n{one}"));
    let refused = place.run("fit g.csv --target y --types g=category --group g --work 1");
    assert_eq!(refused.code, 2, "{}", refused.err);
    let three: String = (0..200u32).map(|i| format!("{},g{},{}\n", i * 17 % 23, i % 3, i % 2)).collect();
    place.write("g.csv", format!("x,g,y\n{three}"));
    for seed in 0..8 {
        let line = format!("fit g.csv --target y --group g --holdout 0.2 --seed {seed} --work 1 --json");
        place.good(&line);
    }
    let few: String = (0..8u32).map(|i| format!("{i},{},{}\n", i * 3 % 5, i % 2)).collect();
    place.write("o.csv", format!("t,x,y\n{few}"));
    place.good("fit o.csv --target y --types t=number --order t --holdout 0.95 --work 1");
}

#[test]
fn roles_that_are_not_there() {
    let place = Place::new();
    shop(&place);
    for (flags, message) in [
        ("--join nowhere.csv --on customer", "nowhere.csv"),
        ("--join bought.csv --on custmer=customer", "no column \"custmer\"; did you mean \"customer\"?"),
        ("--join bought.csv --on customer=custmer", "custmer"),
        ("--join bought.csv --on customer --by knd", "knd"),
        ("--join bought.csv --on customer --before y=kind", "--before"),
        ("--join bought.csv --on customer --before since=price", "the kinds of both tables"),
        ("--join bought.csv --on customer -o bought.csv", "it is the input as well"),
        ("--join - --on customer", "name a file"),
        ("--join bought.csv --on customer --set join.max_shares=0", "max_shares must be"),
        ("--group nobody", "no column \"nobody\""),
    ] {
        let ran = place.run(&format!("fit customers.csv --target y --work 1 {flags}"));
        assert_eq!(ran.code, 2, "{flags}: {}", ran.err);
        assert!(ran.err.contains(message), "{flags}: {}", ran.err);
    }
}

/// Loans with the transactions before them, and customers with their purchases: real tables.
#[test]
fn real_relations() {
    let Some(data) = std::env::var_os("SMIDGEN_DATA").map(PathBuf::from) else {
        eprintln!("skipped: 2 relational tables, SMIDGEN_DATA is not set");
        return;
    };
    let place = Place::new();
    for (folder, table, second, flags, floor) in [
        (
            "berka_bank",
            "loan.csv",
            "trans.csv.gz",
            "--target bad --drop status,loan_id --on account_id --before date --by operation",
            0.90,
        ),
        (
            "cdnow",
            "customers.csv",
            "purchases.csv.gz",
            "--target buys_again --drop purchases_after,amount_after --on customer_id --folds 3",
            0.76,
        ),
    ] {
        let (table, second) = (data.join(folder).join(table), data.join(folder).join(second));
        let line = format!(
            "fit {} --join {} {flags} --set gbdt.n_trees=60 --work 1 --json",
            table.display(),
            second.display()
        );
        let object = place.good(&line).json().unwrap();
        let score = object["score_oof"].as_f64().unwrap();
        assert!(score > floor, "{folder}: {score}");
        let again = place.good(&format!("evaluate model.smidgen {} --json", table.display())).json().unwrap();
        assert!(again["score"].as_f64().unwrap() > score, "{folder}: {}", again["score"]);
    }
}
