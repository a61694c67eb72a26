//! `codebook`: the levels of least squared error, wherever they lie.

use super::data::Data;
use super::format::IntegerFormat;
use super::k_means::{centers, groups};
use super::levels::Levels;
use super::table::Table;
use super::{Grid, GridEntry};
use crate::error::Error;
use crate::observe::Range;
use ir::fixed::round_ties_even;
use params::{ParamSpec, Params, Value};

/// The line of the table.
pub(super) static ENTRY: GridEntry = GridEntry {
    name: "codebook",
    doc: "the levels of the least squared error (k-means, exact)",
    bits: &[1, 2, 3, 4, 5, 6, 7, 8],
    spec: &[ParamSpec {
        name: "table",
        aliases: &[],
        default: Value::Word("auto"),
        range: params::Range::Words(&["auto", "i8", "i16"]),
        doc: "integers that levels are rounded to, times one scale; auto: i8 up to 4 bits, else i16",
    }],
    grid: &Codebook,
};

struct Codebook;

impl Grid for Codebook {
    /// `2^bits` centres of the least `sum (w - centre)^2`, exactly, then rounded to integers of `largest centre / 127`
    /// (or 32767), equal ones merged. A weight goes to the nearest. The range of an observer is not asked.
    /// O(2^bits n log n), n distinct weights; more than 8,192 are put into as many groups first.
    /// # Source  Han, Mao & Dally, Deep compression, ICLR 2016, section 3, for codebooks; [`centers`] for the centres.
    /// Deviation: centres are integers times one scale.
    fn levels(
        &self,
        data: &Data<'_>,
        _: Range,
        format: &IntegerFormat,
        params: &Params,
    ) -> Result<Levels, Error> {
        let centers = centers(&groups(&data.pieces()), 1 << format.bits());
        let largest = centers.iter().fold(0.0f64, |m, c| m.max(c.abs()));
        let most = match params.word("table") {
            "i8" => 127.0,
            "auto" if format.bits() <= 4 => 127.0,
            _ => 32_767.0,
        };
        let scale = ((largest / most) as f32).max(f32::MIN_POSITIVE);
        let whole = |c: &f64| round_ties_even(c / f64::from(scale)).clamp(-most, most) as i16;
        let mut values: Vec<i16> = centers.iter().map(whole).collect();
        values.dedup();
        if values.is_empty() {
            values.push(0);
        }
        Ok(Levels::Table(Table::half_way(scale, values)?))
    }
}

#[cfg(test)]
mod tests {
    use super::super::laws::levels;
    use super::*;
    use crate::grid::Affine;
    use crate::rounding::Rounding;

    fn error(levels: &Levels, values: &[f32]) -> f64 {
        let back = levels.values(&levels.codes(values, &Rounding::HALF_EVEN));
        values.iter().zip(&back).map(|(x, y)| f64::from(x - y).powi(2)).sum()
    }

    #[test]
    fn few_distinct_weights_are_kept() {
        let values = [0.5, -1.27, 0.5, 1.0, -1.27];
        let range = Range::try_new(-1.27, 1.0).unwrap();
        let levels =
            levels("codebook", &Data::Values(&values), range, &IntegerFormat::weights(2).unwrap()).unwrap();
        let Levels::Table(table) = &levels else { panic!("{levels:?}") };
        assert_eq!(table.values(), [-127, 50, 100]);
        assert!(error(&levels, &values) < 1e-12);
    }

    #[test]
    fn below_the_error_of_even_steps() {
        let values = crate::observe::bell(3000, 1);
        for bits in 2..=8 {
            let format = IntegerFormat::weights(bits).unwrap();
            let range = crate::observe::range("mse", &crate::Channel::of(&values), &format);
            let even = error(&Levels::Affine(Affine::of_range(range, &format)), &values);
            let books = ["codebook", "codebook:table=i16"];
            let [auto, fine] = books
                .map(|book| error(&levels(book, &Data::Values(&values), range, &format).unwrap(), &values));
            assert!(auto < 0.95 * even, "{bits} bits: {auto} {even}");
            assert!(fine < 1.001 * auto, "{bits} bits: {fine} {auto}");
        }
    }
}
