//! Numbers of 16 bits and fewer: storage, computed in single precision or as integers.
//!
//! One pair of functions reads and writes every small float, so that casts, quantization and emitted code
//! round alike: to nearest, ties to even, once, from the number as it is.

use super::{power_of_two, round_ties_even};

/// Floats of 16 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Half {
    /// IEEE half precision: 5 bits of exponent, 10 of fraction.
    F16,
    /// The upper half of single precision: 8 bits of exponent, 7 of fraction.
    BF16,
}

/// Numbers of at most 8 bits that ONNX has beside `i8` and `u8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Narrow {
    /// Float of 4 bits of exponent and 3 of fraction, NaN but no infinity.
    E4M3FN,
    /// The same with one zero and one NaN, which takes the code of -0.
    E4M3FNUZ,
    /// Float of 5 bits of exponent and 2 of fraction, as IEEE has it.
    E5M2,
    /// The same with one zero and one NaN, which takes the code of -0.
    E5M2FNUZ,
    /// A power of two from `2^-127` to `2^127`, or NaN: the scale of a block.
    E8M0,
    /// Float of 4 bits: 2 of exponent, 1 of fraction, neither NaN nor infinity.
    E2M1,
    /// 0 to 15.
    U4,
    /// -8 to 7.
    I4,
    /// 0 to 3.
    U2,
    /// -2 to 1.
    I2,
}

/// What a float does beyond its largest number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overflow {
    /// Becomes the largest number; so do infinities.
    Saturate,
    /// Becomes infinite, or NaN where there is no infinity.
    Special,
}

/// The rounding to a power of two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PowerRounding {
    /// To the next power that is not below.
    Up,
    /// To the next power that is not above.
    Down,
    /// To the nearest, ties up.
    Nearest,
}

/// Which codes are no finite numbers.
#[derive(Clone, Copy, PartialEq)]
enum Special {
    Ieee,
    NanOnly,
    NegativeZero,
    Finite,
}

#[derive(Clone, Copy)]
struct Layout {
    exponent_bits: u32,
    fraction_bits: u32,
    bias: i32,
    special: Special,
}

impl Layout {
    const fn new(exponent_bits: u32, fraction_bits: u32, bias: i32, special: Special) -> Layout {
        Layout { exponent_bits, fraction_bits, bias, special }
    }

    fn sign_bit(self) -> u32 {
        1 << (self.exponent_bits + self.fraction_bits)
    }

    /// Code of the largest number.
    fn largest(self) -> u32 {
        let all = self.sign_bit() - 1;
        match self.special {
            Special::Ieee => all - (1 << self.fraction_bits),
            Special::NanOnly => all - 1,
            Special::NegativeZero | Special::Finite => all,
        }
    }

    fn decode(self, code: u32) -> f64 {
        let magnitude = code & (self.sign_bit() - 1);
        let is_negative = code & self.sign_bit() != 0;
        if self.special == Special::NegativeZero && is_negative && magnitude == 0 {
            return f64::NAN;
        }
        if magnitude > self.largest() {
            let infinite = self.special == Special::Ieee && magnitude == self.largest() + 1;
            return match (infinite, is_negative) {
                (true, false) => f64::INFINITY,
                (true, true) => f64::NEG_INFINITY,
                (false, _) => f64::NAN,
            };
        }
        let fraction = magnitude & ((1 << self.fraction_bits) - 1);
        let field = (magnitude >> self.fraction_bits) as i32;
        let whole = if field == 0 { fraction } else { fraction | 1 << self.fraction_bits };
        let unit = field.max(1) - self.bias - self.fraction_bits as i32;
        let value = f64::from(whole) * power_of_two(unit);
        if is_negative { -value } else { value }
    }

    fn encode(self, x: f64, overflow: Overflow) -> u32 {
        let sign = if x.is_sign_negative() { self.sign_bit() } else { 0 };
        let all = self.sign_bit() - 1;
        if x.is_nan() {
            return match self.special {
                Special::Ieee => all - (1 << (self.fraction_bits - 1)) + 1,
                Special::NanOnly => all,
                Special::NegativeZero | Special::Finite => self.sign_bit(),
            };
        }
        let magnitude = x.abs();
        let least = 1 - self.bias;
        // The exponent field of the double; subnormal doubles are below every unit here.
        let exponent = ((magnitude.to_bits() >> 52) as i32 - 1023).max(least);
        let code = if exponent > 128 {
            u32::MAX
        } else {
            let scaled = magnitude * power_of_two(self.fraction_bits as i32 - exponent);
            (((exponent - least) as u32) << self.fraction_bits) + round_ties_even(scaled) as u32
        };
        if code > self.largest() {
            return match (overflow, self.special) {
                (Overflow::Saturate, _) | (_, Special::Finite) => sign | self.largest(),
                (Overflow::Special, Special::Ieee) => sign | (self.largest() + 1),
                (Overflow::Special, Special::NanOnly) => sign | all,
                (Overflow::Special, Special::NegativeZero) => self.sign_bit(),
            };
        }
        if code == 0 && self.special == Special::NegativeZero { 0 } else { sign | code }
    }
}

impl Half {
    fn layout(self) -> Layout {
        match self {
            Half::F16 => Layout::new(5, 10, 15, Special::Ieee),
            Half::BF16 => Layout::new(8, 7, 127, Special::Ieee),
        }
    }

    /// The number of these bits.
    #[inline]
    pub fn to_f32(self, bits: u16) -> f32 {
        match self {
            Half::F16 => self.layout().decode(bits.into()) as f32,
            Half::BF16 => f32::from_bits(u32::from(bits) << 16),
        }
    }

    /// The bits of the nearest number, ties to even; beyond the largest it is infinite.
    #[inline]
    pub fn of(self, x: f64) -> u16 {
        self.layout().encode(x, Overflow::Special) as u16
    }
}

impl Narrow {
    fn layout(self) -> Option<Layout> {
        match self {
            Narrow::E4M3FN => Some(Layout::new(4, 3, 7, Special::NanOnly)),
            Narrow::E4M3FNUZ => Some(Layout::new(4, 3, 8, Special::NegativeZero)),
            Narrow::E5M2 => Some(Layout::new(5, 2, 15, Special::Ieee)),
            Narrow::E5M2FNUZ => Some(Layout::new(5, 2, 16, Special::NegativeZero)),
            Narrow::E2M1 => Some(Layout::new(2, 1, 1, Special::Finite)),
            Narrow::E8M0 | Narrow::U4 | Narrow::I4 | Narrow::U2 | Narrow::I2 => None,
        }
    }

    /// Bits of a number.
    pub fn bits(self) -> u32 {
        match self {
            Narrow::E4M3FN | Narrow::E4M3FNUZ | Narrow::E5M2 | Narrow::E5M2FNUZ | Narrow::E8M0 => 8,
            Narrow::E2M1 | Narrow::U4 | Narrow::I4 => 4,
            Narrow::U2 | Narrow::I2 => 2,
        }
    }

    /// Least and largest integer; none of a float.
    pub fn whole_range(self) -> Option<(i8, i8)> {
        match self {
            Narrow::U4 => Some((0, 15)),
            Narrow::I4 => Some((-8, 7)),
            Narrow::U2 => Some((0, 3)),
            Narrow::I2 => Some((-2, 1)),
            Narrow::E4M3FN
            | Narrow::E4M3FNUZ
            | Narrow::E5M2
            | Narrow::E5M2FNUZ
            | Narrow::E8M0
            | Narrow::E2M1 => None,
        }
    }

    /// True if a byte is a code of this type.
    pub fn holds(self, code: u8) -> bool {
        match self.whole_range() {
            Some((lo, hi)) => (lo..=hi).contains(&code.cast_signed()),
            None => self.bits() == 8 || code < 16,
        }
    }

    /// The number of a code; exact.
    #[inline]
    pub fn to_f32(self, code: u8) -> f32 {
        match self.layout() {
            Some(layout) => layout.decode(code.into()) as f32,
            None if self != Narrow::E8M0 => code.cast_signed().into(),
            None if code == 255 => f32::NAN,
            None => power_of_two(i32::from(code) - 127) as f32,
        }
    }

    /// The code of the nearest float, ties to even; an integer is truncated, then saturates or keeps its low bits
    /// as `overflow` has it; a power of two is rounded up.
    #[inline]
    pub fn of(self, x: f64, overflow: Overflow) -> u8 {
        match (self.layout(), self.whole_range()) {
            (Some(layout), _) => layout.encode(x, overflow) as u8,
            (None, Some((lo, hi))) if overflow == Overflow::Saturate => {
                (x as i64).clamp(lo.into(), hi.into()) as i8 as u8
            }
            (None, Some(_)) => self.of_whole(x as i64),
            (None, None) => Narrow::power(x, PowerRounding::Up, overflow),
        }
    }

    /// The low bits of a whole number, as a code of an integer type.
    pub fn of_whole(self, x: i64) -> u8 {
        let unused = 8 - self.bits();
        let low = (x as u8) << unused;
        match self.whole_range() {
            Some((0, _)) | None => low >> unused,
            Some(_) => (low.cast_signed() >> unused).cast_unsigned(),
        }
    }

    /// The code of `E8M0` for a number: the sign is dropped; zero and what is below `2^-127` give `2^-127`.
    pub fn power(x: f64, rounding: PowerRounding, overflow: Overflow) -> u8 {
        let x = x.abs();
        if x.is_nan() || (x.is_infinite() && overflow == Overflow::Special) {
            return 255;
        }
        let exponent = (x.to_bits() >> 52) as i32 - 1023;
        let ratio = x * power_of_two(-exponent.max(-1022));
        let up = match rounding {
            PowerRounding::Up => ratio > 1.0,
            PowerRounding::Down => false,
            PowerRounding::Nearest => ratio >= 1.5,
        };
        let code = exponent + i32::from(up) + 127;
        if code > 254 {
            return if overflow == Overflow::Saturate { 254 } else { 255 };
        }
        code.max(0) as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_reads_and_writes_back() {
        for narrow in [Narrow::E4M3FN, Narrow::E4M3FNUZ, Narrow::E5M2, Narrow::E5M2FNUZ, Narrow::E2M1] {
            for code in 0..=255u8 {
                let x = narrow.to_f32(code);
                if narrow.holds(code) && !x.is_nan() {
                    assert_eq!(narrow.of(x.into(), Overflow::Special), code, "{narrow:?} {code} {x}");
                }
            }
        }
        for half in [Half::F16, Half::BF16] {
            for bits in 0..=u16::MAX {
                let x = half.to_f32(bits);
                if !x.is_nan() {
                    assert_eq!(half.of(x.into()), bits, "{half:?} {bits} {x}");
                }
            }
        }
    }

    #[test]
    fn known_numbers() {
        assert_eq!(Half::F16.to_f32(0x3c00), 1.0);
        assert_eq!(Half::F16.of(65_520.0), 0x7c00, "halfway above the largest is infinite");
        assert_eq!(Half::F16.of(65_519.0), 0x7bff);
        assert_eq!(Half::F16.of(f64::from(2f32.powi(-25))), 0, "a tie goes to the even zero");
        assert_eq!(Narrow::E4M3FN.to_f32(0x7e), 448.0);
        assert_eq!(Narrow::E4M3FN.of(1e9, Overflow::Saturate), 0x7e);
        assert_eq!(Narrow::E4M3FN.of(1e9, Overflow::Special), 0x7f);
        assert_eq!(Narrow::E4M3FNUZ.to_f32(0x7f), 240.0);
        assert_eq!(Narrow::E5M2.to_f32(0x7b), 57_344.0);
        assert_eq!(Narrow::E2M1.to_f32(0x7), 6.0);
        assert_eq!(Narrow::E2M1.of(2.5, Overflow::Saturate), 0x4, "a tie goes to the even 2");
    }

    #[test]
    fn integers_saturate_or_keep_their_low_bits() {
        assert_eq!(Narrow::I4.of(9.7, Overflow::Saturate), 7);
        assert_eq!(Narrow::I4.of_whole(9).cast_signed(), -7);
        assert_eq!(Narrow::U2.of_whole(-1), 3);
        assert!(Narrow::I4.holds(0xf8) && !Narrow::I4.holds(0xf7));
    }

    #[test]
    fn powers_of_two() {
        let code = |x| Narrow::power(x, PowerRounding::Up, Overflow::Saturate);
        assert_eq!([code(1.0), code(1.1), code(0.0), code(f64::INFINITY)], [127, 128, 0, 254]);
        assert_eq!(Narrow::power(1.5, PowerRounding::Nearest, Overflow::Saturate), 128);
    }
}
