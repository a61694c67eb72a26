//! Tables that can be learnt, made row by row from the row's number: any range of rows, any time.
//!
//! Columns: `age` whole numbers, `income` numbers with missing cells, `city` categories with missing
//! cells, `w` row weights of 0.5, 1 or 2, and the target `y`.

use std::ops::Range;

/// What the target asks.
#[derive(Clone, Copy, Debug)]
pub enum Asks {
    /// `no`, `yes`.
    Binary,
    /// `high`, `low`, `mid`.
    Multiclass,
    /// A number.
    Regression,
}

/// The header and these rows.
pub fn table(asks: Asks, rows: Range<u64>) -> String {
    let mut text = String::from("age,income,city,w,y\n");
    for row in rows {
        let draw = |column: u64| noise(row * 8 + column);
        let age = 18 + (draw(0) * 60.0) as u32;
        let income = draw(1) * 1000.0;
        let city = ["Bonn", "Köln", "Mainz", "Trier"][(draw(2) * 4.0) as usize];
        let value = f64::from(age) / 30.0 + income / 500.0 + if city == "Bonn" { 2.0 } else { 0.0 } + draw(3);
        let y = match asks {
            Asks::Binary => if value > 3.6 { "yes" } else { "no" }.to_owned(),
            Asks::Multiclass if value < 3.0 => "low".to_owned(),
            Asks::Multiclass => if value < 4.5 { "mid" } else { "high" }.to_owned(),
            Asks::Regression => format!("{value:.4}"),
        };
        let income = if draw(4) < 0.1 { "?".to_owned() } else { format!("{income:.2}") };
        let city = if draw(5) < 0.1 { "" } else { city };
        let weight = ["0.5", "1", "2"][(draw(6) * 3.0) as usize];
        text.push_str(&format!("{age},{income},{city},{weight},{y}\n"));
    }
    text
}

/// Numbers in 0..1 that look drawn at random (splitmix64).
pub fn noise(of: u64) -> f64 {
    let mut z = of.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}
