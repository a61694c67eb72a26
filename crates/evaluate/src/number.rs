//! How numbers look to a person: on the page, on a terminal.

/// Four digits that count; large ones with thousands apart, those that no count reaches with an exponent.
pub fn short(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() {
        "-".to_owned()
    } else if size >= 1e15 {
        format!("{value:.3e}")
    } else if size >= 100_000.0 {
        format!("{}{}", if value < 0.0 { "-" } else { "" }, count(size.round() as u64))
    } else if size >= 1000.0 {
        format!("{value:.0}")
    } else if size >= 100.0 {
        format!("{value:.1}")
    } else if size >= 10.0 {
        format!("{value:.2}")
    } else if size >= 0.001 || size == 0.0 {
        format!("{value:.4}")
    } else {
        format!("{value:.2e}")
    }
}

/// A number at an axis: as few digits as it needs.
pub(crate) fn tick(value: &f64) -> String {
    let size = value.abs();
    let text = if size >= 1e6 || (size > 0.0 && size < 1e-3) {
        return format!("{value:.0e}");
    } else if size >= 100.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.3}")
    };
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// A count with thousands apart.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(c);
    }
    text
}

/// A share as a percentage.
pub fn percent(share: f64) -> String {
    let percent = 100.0 * share;
    if percent > 0.0 && percent < 0.1 {
        "< 0.1 %".to_owned()
    } else if percent > 99.99 && percent < 100.0 {
        "> 99.99 %".to_owned()
    } else if (99.0..100.0).contains(&percent) {
        // What is left to all counts here.
        format!("{percent:.2} %")
    } else if percent < 10.0 {
        format!("{percent:.1} %")
    } else {
        format!("{percent:.0} %")
    }
}

/// How probable chance is, as the field writes it.
pub fn p_value(p: f64) -> String {
    if p < 0.001 { "p < 0.001".to_owned() } else { format!("p = {p:.3}") }
}

/// A length in bytes.
pub fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}

/// A time in nanoseconds.
pub fn nanoseconds(ns: f64) -> String {
    if ns < 1e3 {
        format!("{ns:.0} ns")
    } else if ns < 1e6 {
        format!("{:.1} us", ns / 1e3)
    } else {
        format!("{:.1} ms", ns / 1e6)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        let cases = [
            (short(0.93456), "0.9346"),
            (short(1234.56), "1235"),
            (short(-1_234_567.0), "-1,234,567"),
            (short(2e300), "2.000e300"),
            (count(12), "12"),
            (count(1_234_567), "1,234,567"),
            (size(999), "999 B"),
            (short(0.00001), "1.00e-5"),
            (short(f64::NAN), "-"),
            (tick(&0.25), "0.25"),
            (tick(&-0.0), "0"),
            (tick(&1500.0), "1500"),
            (tick(&2e7), "2e7"),
            (percent(0.0004), "< 0.1 %"),
            (percent(0.5), "50 %"),
            (percent(0.9996), "99.96 %"),
            (p_value(0.0004), "p < 0.001"),
            (p_value(0.0416), "p = 0.042"),
            (percent(0.0), "0.0 %"),
            (size(12_345), "12.3 kB"),
            (nanoseconds(1500.0), "1.5 us"),
        ];
        for (got, expected) in cases {
            assert_eq!(got, expected);
        }
    }
}
