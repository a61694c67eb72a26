//! Numbers to small integers without a branch.

use ir::{Column, ColumnData};

/// One column of a `QuantizeLinear` node, with what is taken off its numbers before.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Quantizer {
    center: f64,
    scale: f64,
    most: f64,
}

impl Quantizer {
    /// `most` is the largest integer, below 2^15.
    pub(crate) fn new(center: f64, scale: f64, most: i32) -> Quantizer {
        Quantizer { center, scale, most: most.into() }
    }

    /// The integer of a number.
    #[inline]
    pub(crate) fn of(self, x: f64) -> i16 {
        // 2^52 + 2^51: adding it drops the fraction with IEEE rounding, and the last bits are the integer, of
        // either sign. Clamping first changes nothing, because the ends are whole.
        const WHOLE: f64 = 6_755_399_441_055_744.0;
        let q = (x - self.center) / self.scale;
        let q = if q < -self.most { -self.most } else { q };
        let q = if q > self.most { self.most } else { q };
        let q = if q.is_nan() { 0.0 } else { q };
        (q + WHOLE).to_bits() as i16
    }

    /// The integers of a column; those of another dtype than `f64` and `i64` are all missing.
    pub(crate) fn column_into(self, column: &Column<'_>, out: &mut [i16]) {
        match column.data() {
            ColumnData::F64(values) => self.values_into(values.iter().copied(), out),
            ColumnData::I64(values) => self.values_into(values.iter().map(|&v| v as f64), out),
            _ => out.fill(0),
        }
        if !column.all_valid() {
            for (row, cell) in out.iter_mut().enumerate() {
                if !column.is_valid(row) {
                    *cell = 0;
                }
            }
        }
    }

    /// The integers of numbers.
    #[inline]
    pub(crate) fn values_into(self, values: impl Iterator<Item = f64>, out: &mut [i16]) {
        out.iter_mut().zip(values).for_each(|(out, v)| *out = self.of(v));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ir::digest::SplitMix64;
    use ir::op::{Arithmetic, QuantizeLinear};

    #[test]
    fn equals_the_operators() {
        let mut random = SplitMix64::new(1);
        let ends =
            [0.0, -0.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, f64::MAX, f64::MIN_POSITIVE, 5e-324];
        for _ in 0..200_000 {
            let mut real = || match random.below(8) {
                0 => ends[random.below(8) as usize],
                1 => f64::from_bits(random.next_word()),
                // Ties and the numbers beside them.
                2 => (f64::from(random.below(70_000)) - 35_000.5).next_up(),
                3 => (f64::from(random.below(70_000)) - 35_000.5).next_down(),
                4 => f64::from(random.below(140_000)) / 2.0 - 35_000.0,
                _ => f64::from(random.below(1000)) / 8.0 - 62.5,
            };
            let (x, center, scale) = (real(), real(), real().abs());
            let scale = if scale.is_finite() && scale > 0.0 { scale } else { 1.0 };
            let op = QuantizeLinear { bits: 2 + random.below(15) as u8 };
            let meant = op.of(Arithmetic::Sub.of(x, center), scale);
            assert_eq!(
                Quantizer::new(center, scale, op.most()).of(x),
                meant,
                "{op:?} of {x} - {center} by {scale}"
            );
        }
    }
}
