//! `log`: powers of two, so that products are shifts; fine near zero, coarse far from it.

use super::format::IntegerFormat;
use super::levels::Levels;
use super::table::Table;
use super::{Grid, GridEntry, Part};
use crate::error::Error;
use crate::observe::Range;
use ir::fixed::power_of_two;
use params::{ParamSpec, Params, Value};

/// The line of the table.
pub(super) static ENTRY: GridEntry = GridEntry {
    name: "log",
    aliases: &["logarithmic"],
    doc: "powers of two with a sign, and zero",
    bits: &[2, 3, 4, 5],
    spec: &[ParamSpec {
        name: "decision",
        aliases: &[],
        default: Value::Word("geometric"),
        range: params::Range::Words(&["geometric", "arithmetic"]),
        doc: "where a number goes to the larger of two powers: from sqrt(2), or from 1.5 times the smaller one on",
    }],
    grid: &Log,
};

struct Log;

impl Grid for Log {
    /// `sign(x) s 2^clip(round(log2(|x| / s)), -(2^(bits - 1) - 2), 0)`, zero below half the smallest level; s is the
    /// larger size of an end of the range. Levels are signed whatever the format's sign: `2^bits - 1` of them.
    /// # Source  Miyashita, Lee & Murmann, Convolutional neural networks using logarithmic data representation,
    /// arXiv 1603.01025, section 3; deviation: a code for zero.
    fn levels(
        &self,
        parts: &[Part<'_>],
        format: &IntegerFormat,
        params: &Params,
    ) -> Result<Vec<Levels>, Error> {
        let ratio = if params.word("decision") == "arithmetic" { 1.5 } else { std::f64::consts::SQRT_2 };
        parts.iter().map(|part| powers(part.range, format.bits(), ratio).map(Levels::Table)).collect()
    }
}

/// Powers of two up to the larger end of a range; one takes what is above `ratio` times the power below.
fn powers(range: Range, bits: u8, ratio: f64) -> Result<Table, Error> {
    let n_powers = (1u32 << (bits - 1)) - 1;
    let largest = if range.largest() > 0.0 { f64::from(range.largest()) } else { 1.0 };
    let least = largest * power_of_two(1 - n_powers as i32);
    let scale = (least as f32).max(f32::MIN_POSITIVE);
    let powers: Vec<i16> = (0..n_powers).map(|k| 1 << k).collect();
    let from = |factor: f64| (f64::from(scale) * factor) as f32;
    let above = powers.iter().skip(1).map(|p| from(f64::from(*p) / 2.0 * ratio));
    let borders: Vec<f32> = std::iter::once(from(0.5)).chain(above).collect();
    let values = powers.iter().rev().map(|p| -p).chain([0]).chain(powers.iter().copied()).collect();
    let borders = borders.iter().rev().map(|b| -b).chain(borders.iter().copied()).collect();
    Table::try_new(scale, values, borders)
}

#[cfg(test)]
mod tests {
    use super::super::laws::levels;
    use super::*;
    use crate::grid::Data;
    use crate::rounding::Rounding;

    #[test]
    fn hand_computed() {
        let values = [-0.3, 0.0, 0.01, 0.1, 0.2, 0.3, 0.4, 0.5];
        let range = Range::try_new(-0.3, 0.5).unwrap();
        let levels =
            levels("log", &Data::Values(&values), range, &IntegerFormat::weights(3).unwrap()).unwrap();
        let codes = levels.codes(&values, &Rounding::HALF_EVEN);
        assert_eq!(levels.values(&codes), [-0.25, 0.0, 0.0, 0.125, 0.25, 0.25, 0.5, 0.5]);
    }

    #[test]
    fn every_number_follows_the_formula() {
        for bits in 2..=5u8 {
            let s = 0.7f32;
            let range = Range::try_new(-s, s).unwrap();
            let levels =
                levels("log", &Data::Values(&[]), range, &IntegerFormat::weights(bits).unwrap()).unwrap();
            let lowest = f64::from(-(1 << (bits - 1)) + 2);
            for i in -4000..4000 {
                let x = i as f32 * 2.1e-4;
                let exponent = (f64::from(x.abs()) / f64::from(s)).log2();
                let expected = match exponent.round_ties_even().clamp(lowest, 0.0) {
                    _ if exponent < lowest - 1.0 => 0.0,
                    e => f64::from(s) * e.exp2() * f64::from(x.signum()),
                };
                let got = f64::from(levels.value(levels.code(x, 0, &Rounding::HALF_EVEN)));
                assert!((got - expected).abs() < 1e-6, "{bits} bits, {x}: {got} {expected}");
            }
        }
    }
}
