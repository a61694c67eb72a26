use super::*;
use crate::{ReadOptions, Source, batches, profile};

fn summaries(text: &str) -> Vec<ColumnSummary> {
    let source = Source::spool("t.csv", text.as_bytes()).unwrap();
    let options = ReadOptions::default();
    let profile = profile(&source, &options).unwrap();
    let mut summaries = Summaries::new(&profile);
    for batch in batches(&source, &options, &profile).unwrap() {
        summaries.see(&batch.unwrap());
    }
    summaries.finish()
}

/// `min q1 q2 q3 max, mean; value count, ..`
fn told(summary: &ColumnSummary) -> String {
    let spread = summary.spread.as_ref().map_or_else(String::new, |s| {
        let [a, b, c] = &s.quartiles;
        let mean = s.mean.as_ref().map_or_else(|| String::from("-"), Value::to_string);
        assert!(s.exact);
        format!("{} {a} {b} {c} {}, {mean}", s.min, s.max)
    });
    assert!(summary.frequent_exact);
    let frequent: Vec<String> = summary.frequent.iter().map(|(v, n)| format!("{v} {n}")).collect();
    format!("{spread}; {}", frequent.join(", "))
}

#[test]
fn columns() {
    for (cells, expected) in [
        (&["1", "2", "3", "4", "5"][..], "1 2 3 4 5, 3; 1 1, 2 1, 3 1, 4 1, 5 1"),
        (&["3", "", "1", "3"], "1 1 3 3 3, 2.3333333333333335; 3 2, 1 1"),
        (&["-0.5", "0.0", "-0.0", "inf"], "-0.5 -0.5 0 0 0, -0.16666666666666666; 0 2, -0.5 1, inf 1"),
        (&["9007199254740993", "1"], "1 1 1 1 9007199254740993, 4503599627370497; 1 1, 9007199254740993 1"),
        (&["", "?"], "; "),
        (&["b", "a", "b"], "; b 2, a 1"),
        (
            &["2026-01-01", "2026-01-03", "2026-01-31"],
            "2026-01-01 2026-01-01 2026-01-03 2026-01-03 2026-01-31, 2026-01-11; \
             2026-01-01 1, 2026-01-03 1, 2026-01-31 1",
        ),
        (
            &["3.2.2026 10:00", "1.12.2025 9:00"],
            "01.12.2025 09:00 01.12.2025 09:00 01.12.2025 09:00 01.12.2025 09:00 03.02.2026 10:00, 02.01.2026 09:30; \
             1.12.2025 9:00 1, 3.2.2026 10:00 1",
        ),
    ] {
        let rows: String = cells.iter().map(|cell| format!("{cell},x\n")).collect();
        let summary = &summaries(&format!("c,d\n{rows}"))[0];
        assert_eq!(told(summary), expected);
    }
}

#[test]
fn a_mean_beyond_doubles_is_not_told() {
    let spread = summaries("c,d\n1e308,x\n1.5e308,x\n").remove(0).spread.unwrap();
    assert_eq!((spread.max, spread.mean), (Value::Float(1.5e308), None));
}

#[test]
fn keys_of_doubles_order_as_they_do() {
    let values = [f64::NEG_INFINITY, -1e300, -1.0, -1e-310, 0.0, 1e-310, 0.5, 1.0, f64::INFINITY];
    for pair in values.windows(2) {
        assert!(float_key(pair[0]) < float_key(pair[1]), "{pair:?}");
    }
    for value in values {
        assert_eq!(float_of(float_key(value)).to_bits(), value.to_bits());
    }
}

/// Of many values quartiles are near, but exact while the different ones can be counted.
#[test]
fn quartiles_of_many_cells() {
    for (n_values, exact) in [(1_000, true), (50_000, false)] {
        let rows: String = (0..100_000).map(|i| format!("{},x\n", i * 7919 % n_values)).collect();
        let summary = summaries(&format!("c,d\n{rows}")).remove(0);
        let spread = summary.spread.unwrap();
        assert_eq!((spread.exact, summary.frequent_exact), (exact, exact));
        for (p, quartile) in [0.25, 0.5, 0.75].into_iter().zip(&spread.quartiles) {
            let Value::Int(value) = *quartile else { panic!("{quartile:?}") };
            let off = (value as f64 / n_values as f64 - p).abs();
            assert!(off < if exact { 0.0015 } else { 0.002 }, "{value} {p}");
        }
        assert_eq!((spread.min, spread.max), (Value::Int(0), Value::Int(n_values - 1)));
    }
}
