//! Single precision to codes of 8 and 16 bits and back, a run of elements of one scale at a time. The bits are those
//! of the general way, which computes in double precision and rounds: a quotient, and a product with a whole number
//! below `2^24`, are rounded once in both.

use super::wide::wide;
use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;
use ir::{DType, TensorData};

/// Floats near it are whole: adding and taking it off rounds to the nearest whole number, ties to even, up to `2^22`.
const ROUND: f32 = 1.5 * (1u32 << 23) as f32;
/// Quotients beyond it are beyond all codes.
const MOST: f32 = (1u32 << 21) as f32;

/// A code that is stored.
trait Code: Copy + Default {
    /// Of a whole number that it holds; 0 of NaN.
    fn of(x: f32) -> Self;
    /// As a float; exact.
    fn float(self) -> f32;
}

macro_rules! codes {
    ($($code:ty),*) => {
        $(impl Code for $code {
            #[inline(always)]
            fn of(x: f32) -> $code {
                // Through 32 bits, which vectors convert to.
                (x as i32) as $code
            }

            #[inline(always)]
            fn float(self) -> f32 {
                self.into()
            }
        })*
    };
}

codes!(u8, i8, u16, i16);

/// `clamp(round(x / scale) + zero_point)` in codes of a dtype; none for dtypes of other sizes. `runs` are elements with
/// the place of their scale, in order.
pub(super) fn quantized(
    to: DType,
    x: &[f32],
    runs: impl Iterator<Item = (Range<usize>, usize)>,
    (scales, zeros): (&[f64], &[f64]),
) -> Option<TensorData> {
    let (least, most) = to.whole_range()?;
    let range = (least as f32, most as f32);
    Some(match to {
        DType::U8 => TensorData::U8(codes(x, runs, (scales, zeros), range)),
        DType::I8 => TensorData::I8(codes(x, runs, (scales, zeros), range)),
        DType::U16 => TensorData::U16(codes(x, runs, (scales, zeros), range)),
        DType::I16 => TensorData::I16(codes(x, runs, (scales, zeros), range)),
        _ => return None,
    })
}

fn codes<C: Code>(
    x: &[f32],
    runs: impl Iterator<Item = (Range<usize>, usize)>,
    (scales, zeros): (&[f64], &[f64]),
    (least, most): (f32, f32),
) -> Vec<C> {
    let mut made = vec![C::default(); x.len()];
    wide(
        #[inline(always)]
        || {
            for (run, place) in runs {
                let (scale, zero) = (scales[place] as f32, zeros[place] as f32);
                for (code, &x) in made[run.clone()].iter_mut().zip(&x[run]) {
                    let q = x / scale;
                    let q = if q > MOST { MOST } else { q };
                    let q = if q < -MOST { -MOST } else { q };
                    let q = ((q + ROUND) - ROUND) + zero;
                    let q = if q > most { most } else { q };
                    *code = C::of(if q < least { least } else { q });
                }
            }
        },
    );
    made
}

/// `(q - zero_point) * scale` in single precision; none for codes of other sizes.
pub(super) fn reals(
    q: &TensorData,
    runs: impl Iterator<Item = (Range<usize>, usize)>,
    (scales, zeros): (&[f64], &[f64]),
) -> Option<TensorData> {
    Some(TensorData::F32(match q {
        TensorData::U8(v) => floats(v, runs, (scales, zeros)),
        TensorData::I8(v) => floats(v, runs, (scales, zeros)),
        TensorData::U16(v) => floats(v, runs, (scales, zeros)),
        TensorData::I16(v) => floats(v, runs, (scales, zeros)),
        _ => return None,
    }))
}

fn floats<C: Code>(
    q: &[C],
    runs: impl Iterator<Item = (Range<usize>, usize)>,
    (scales, zeros): (&[f64], &[f64]),
) -> Vec<f32> {
    let mut made = vec![0.0; q.len()];
    wide(
        #[inline(always)]
        || {
            for (run, place) in runs {
                let (scale, zero) = (scales[place] as f32, zeros[place] as f32);
                for (y, q) in made[run.clone()].iter_mut().zip(&q[run]) {
                    *y = (q.float() - zero) * scale;
                }
            }
        },
    );
    made
}

#[cfg(test)]
mod tests {
    use super::*;
    use ir::digest::SplitMix64;
    use ir::fixed::round_ties_even;

    /// Any bits, values about codes, and their ties.
    fn drawn() -> Vec<f32> {
        let mut random = SplitMix64::new(7);
        let special = [0.0, -0.0, f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, f32::MIN_POSITIVE];
        let any = (0..2000).map(|_| f32::from_bits(random.below(u32::MAX)));
        let mut values: Vec<f32> = special.into_iter().chain(any).collect();
        values.extend((-600..600).map(|k| k as f32 * 0.25));
        values.extend((0..2000).map(|k| (k as f32 - 1000.0) * 0.0937));
        values
    }

    #[test]
    fn runs_give_the_bits_of_the_general_way() {
        let x = drawn();
        let scales = [0.5f64, f64::from(0.1f32), f64::from(1e-42f32), f64::from(3e38f32)];
        let inner = 5;
        let runs = || (0..x.len() / inner).map(|k| (k * inner..(k + 1) * inner, k % scales.len()));
        let x = &x[..x.len() / inner * inner];
        for (to, zeros) in [
            (DType::U8, [0.0, 128.0, 255.0, 3.0]),
            (DType::I8, [0.0, -128.0, 127.0, 5.0]),
            (DType::U16, [0.0, 65535.0, 1.0, 300.0]),
            (DType::I16, [0.0, -32768.0, 32767.0, 9.0]),
        ] {
            let (least, most) = to.whole_range().unwrap();
            let whole = |at: usize| {
                let place = at / inner % scales.len();
                let q = f64::from((f64::from(x[at]) / scales[place]) as f32);
                let q = round_ties_even(q) + zeros[place];
                if q.is_nan() { 0 } else { q.clamp(least as f64, most as f64) as i64 }
            };
            let expected: Vec<i64> = (0..x.len()).map(whole).collect();
            let got = quantized(to, x, runs(), (&scales, &zeros)).unwrap();
            assert_eq!(got.whole_numbers().unwrap(), expected, "{to}");
            let back = reals(&got, runs(), (&scales, &zeros)).unwrap();
            let real = |(at, &q): (usize, &i64)| {
                let place = at / inner % scales.len();
                ((q as f64 - zeros[place]) * scales[place]) as f32
            };
            assert_eq!(back, TensorData::F32(expected.iter().enumerate().map(real).collect()), "{to}");
        }
        assert!(quantized(DType::I32, x, runs(), (&scales, &[0.0; 4])).is_none());
    }
}
