//! `Exp`, `Log`, `Sin`, `Cos`, normal quantiles: the formulas of [`ir::fixed::math`], operation by operation.
//!
//! ONNX has these functions but says nothing of their last bits, and a sine of `-1e-16` instead of `1e-16` puts a row into
//! another bin. Each `+ - * /` of the formula is a node of its own, rounded once, so every runtime that computes doubles
//! as IEEE 754 has it gives the bits of the model.

use super::step::Step;
use crate::writer::Attribute;
use ir::DType;
use ir::fixed::{math, power_of_two};
use ir::op::Function;
use std::f64::consts::{E, FRAC_2_PI, LOG2_E, SQRT_2, TAU};

// The constants of `ir::fixed::math`: ln 2 in two parts, pi / 2 in three, the angle from which a turn is taken off first.
const LN_2_HIGH: f64 = 0.693_147_180_369_123_8;
const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;
const HALF_PI: [f64; 3] = [1.570_796_326_734_125_6, 6.077_100_506_303_966e-11, 2.022_266_248_795_950_6e-21];
const FAR: f64 = 1e6;

pub(super) fn function(s: &mut Step<'_>, op: Function, x: &str) -> String {
    let mut f = Formula { s };
    match op {
        Function::Abs => f.of("Abs", x),
        Function::Neg => f.of("Neg", x),
        Function::Sqrt => f.of("Sqrt", x),
        Function::Floor => f.of("Floor", x),
        Function::Sign => f.of("Sign", x),
        Function::Exp => f.exp(x),
        Function::Log => f.log(x),
        Function::Sin => f.wave(x, 0),
        // A quarter of a turn ahead.
        Function::Cos => f.wave(x, 1),
        Function::NormalQuantile => f.normal_quantile(x),
    }
}

/// Doubles `[..]` and constants, in the notation of the formulas.
struct Formula<'s, 'e> {
    s: &'s mut Step<'e>,
}

impl Formula<'_, '_> {
    fn of(&mut self, op: &str, x: &str) -> String {
        self.s.w.op(op, &[x])
    }

    fn two(&mut self, op: &str, a: &str, b: &str) -> String {
        self.s.w.op(op, &[a, b])
    }

    fn by(&mut self, op: &str, x: &str, constant: f64) -> String {
        let constant = self.s.w.double(constant);
        self.s.w.op(op, &[x, &constant])
    }

    fn from(&mut self, constant: f64, op: &str, x: &str) -> String {
        let constant = self.s.w.double(constant);
        self.s.w.op(op, &[&constant, x])
    }

    fn choose(&mut self, condition: &str, yes: &str, no: &str) -> String {
        self.s.w.op("Where", &[condition, yes, no])
    }

    fn set(&mut self, condition: &str, value: f64, no: &str) -> String {
        let value = self.s.w.double(value);
        self.choose(condition, &value, no)
    }

    /// `((c_0 x + c_1) x + c_2) ..`
    fn polynomial(&mut self, x: &str, coefficients: &[f64]) -> String {
        let mut sum = self.s.w.double(coefficients.first().copied().unwrap_or(0.0));
        for &c in coefficients.iter().skip(1) {
            let product = self.two("Mul", &sum, x);
            sum = self.by("Add", &product, c);
        }
        sum
    }

    /// `2^n` of whole doubles within -1022 and 1023.
    fn power_of_two(&mut self, n: &str) -> String {
        let powers: Vec<f64> = (-1022..=1023).map(power_of_two).collect();
        let powers = self.s.w.doubles(&[powers.len()], &powers);
        let at = self.by("Add", n, 1022.0);
        let at = self.s.w.cast(&at, DType::I64);
        self.s.w.gather(&powers, &at, 0)
    }

    fn exp(&mut self, x: &str) -> String {
        // From 709 on e^(x - 1) e, so that no power of two overflows; NaN and what is far below count as -708 meanwhile.
        let is_large = self.by("Greater", x, 709.0);
        let less = self.by("Sub", x, 1.0);
        let y = self.choose(&is_large, &less, x);
        let most = self.s.w.double(709.0);
        let is_inside = self.by("GreaterOrEqual", &y, -708.0);
        let y = self.s.w.op("Min", &[&y, &most]);
        let low = self.s.w.double(-708.0);
        let y = self.choose(&is_inside, &y, &low);

        let n = self.by("Mul", &y, LOG2_E);
        let n = self.of("Round", &n);
        let high = self.by("Mul", &n, LN_2_HIGH);
        let low = self.by("Mul", &n, LN_2_LOW);
        let r = self.two("Sub", &y, &high);
        let r = self.two("Sub", &r, &low);
        let mut terms = vec![1.0];
        for k in (1..=13).map(f64::from) {
            terms.push(terms.last().copied().unwrap_or(1.0) * k);
        }
        let terms: Vec<f64> = terms.iter().rev().map(|factorial| 1.0 / factorial).collect();
        let p = self.polynomial(&r, &terms);
        let power = self.power_of_two(&n);
        let result = self.two("Mul", &p, &power);

        let larger = self.by("Mul", &result, E);
        let result = self.choose(&is_large, &larger, &result);
        let overflows = self.by("Greater", x, 709.782_712_893_384);
        let result = self.set(&overflows, f64::INFINITY, &result);
        let is_none = self.by("Less", x, -708.0);
        let result = self.set(&is_none, 0.0, &result);
        let is_missing = self.of("IsNaN", x);
        self.choose(&is_missing, x, &result)
    }

    fn log(&mut self, x: &str) -> String {
        let is_inside = self.by("Greater", x, 0.0);
        let is_end = self.by("Equal", x, f64::INFINITY);
        let one = self.s.w.double(1.0);
        let y = self.choose(&is_inside, x, &one);
        let y = self.choose(&is_end, &one, &y);
        // Subnormals are scaled into the normal range first.
        let is_small = self.by("Less", &y, f64::MIN_POSITIVE);
        let scaled = self.by("Mul", &y, power_of_two(54));
        let y = self.choose(&is_small, &scaled, &y);
        let (zero, bias) = (self.s.w.double(0.0), self.s.w.double(54.0));
        let bias = self.choose(&is_small, &bias, &zero);

        // `y = m 2^n` with `1 <= m < 2`: n from a logarithm that may be 1 off, then mended.
        let n = self.of("Log", &y);
        let n = self.by("Mul", &n, LOG2_E);
        let n = self.of("Floor", &n);
        let (least, most) = (self.s.w.double(-1022.0), self.s.w.double(1022.0));
        let n = self.s.w.op("Clip", &[&n, &least, &most]);
        let minus = self.of("Neg", &n);
        let power = self.power_of_two(&minus);
        let m = self.two("Mul", &y, &power);
        let mend = |f: &mut Self, m: String, n: String, op: &str, limit: f64, factor: f64, step: f64| {
            let is = f.by(op, &m, limit);
            let (other_m, other_n) = (f.by("Mul", &m, factor), f.by("Add", &n, step));
            (f.choose(&is, &other_m, &m), f.choose(&is, &other_n, &n))
        };
        let (m, n) = mend(self, m, n, "GreaterOrEqual", 2.0, 0.5, 1.0);
        let (m, n) = mend(self, m, n, "Less", 1.0, 2.0, -1.0);
        let (m, n) = mend(self, m, n, "Greater", SQRT_2, 0.5, 1.0);
        let n = self.two("Sub", &n, &bias);

        let (up, down) = (self.by("Sub", &m, 1.0), self.by("Add", &m, 1.0));
        let q = self.two("Div", &up, &down);
        let z = self.two("Mul", &q, &q);
        let terms: Vec<f64> = (1..=11).rev().map(|k| 1.0 / f64::from(2 * k + 1)).collect();
        let p = self.polynomial(&z, &terms);
        let twice = self.by("Mul", &q, 2.0);
        let rest = self.two("Mul", &twice, &z);
        let rest = self.two("Mul", &rest, &p);
        let low = self.by("Mul", &n, LN_2_LOW);
        let rest = self.two("Add", &rest, &low);
        let sum = self.two("Add", &twice, &rest);
        let high = self.by("Mul", &n, LN_2_HIGH);
        let result = self.two("Add", &high, &sum);

        let result = self.choose(&is_end, x, &result);
        let is_zero = self.by("Equal", x, 0.0);
        let no = self.s.w.double(f64::NAN);
        let below = self.set(&is_zero, f64::NEG_INFINITY, &no);
        self.choose(&is_inside, &result, &below)
    }

    /// The sine of an angle `ahead` quarters of a turn further.
    fn wave(&mut self, x: &str, ahead: i64) -> String {
        let size = self.of("Abs", x);
        let is_far = self.by("Greater", &size, FAR);
        // Infinities and NaN are 0 meanwhile, and NaN in the end.
        let is_finite = self.by("LessOrEqual", &size, f64::MAX);
        let zero = self.s.w.double(0.0);
        let y = self.choose(&is_finite, x, &zero);
        let turn = self.s.w.double(TAU);
        let rest = self.s.w.with("Mod", &[&y, &turn], vec![("fmod", Attribute::Int(1))]);
        let y = self.choose(&is_far, &rest, &y);

        let n = self.by("Mul", &y, FRAC_2_PI);
        let n = self.of("Round", &n);
        let mut r = y;
        for part in HALF_PI {
            let part = self.by("Mul", &n, part);
            r = self.two("Sub", &r, &part);
        }
        let z = self.two("Mul", &r, &r);
        let sine = {
            let p = self.series(&z, &[17, 15, 13, 11, 9, 7, 5, 3]);
            let rest = self.two("Mul", &r, &z);
            let rest = self.two("Mul", &rest, &p);
            self.two("Add", &r, &rest)
        };
        let cosine = {
            let p = self.series(&z, &[18, 16, 14, 12, 10, 8, 6, 4]);
            let half = self.by("Mul", &z, 0.5);
            let first = self.from(1.0, "Sub", &half);
            let rest = self.two("Mul", &z, &z);
            let rest = self.two("Mul", &rest, &p);
            self.two("Add", &first, &rest)
        };
        let quadrant = self.s.w.cast(&n, DType::I64);
        let (ahead, four, two) = (self.s.w.int(ahead), self.s.w.int(4), self.s.w.int(2));
        let (whole_zero, one) = (self.s.w.int(0), self.s.w.int(1));
        let quadrant = self.two("Add", &quadrant, &ahead);
        let quadrant = self.two("Mod", &quadrant, &four);
        let odd = self.two("Mod", &quadrant, &two);
        let is_even = self.two("Equal", &odd, &whole_zero);
        let value = self.choose(&is_even, &sine, &cosine);
        let minus = self.of("Neg", &value);
        let is_second = self.two("Greater", &quadrant, &one);
        let value = self.choose(&is_second, &minus, &value);
        let nan = self.s.w.double(f64::NAN);
        self.choose(&is_finite, &value, &nan)
    }

    /// The polynomial of `z` with the terms `±1 / k!`, the last one of the sine's sign at `k = 3` and 1 at `k = 4`.
    fn series(&mut self, z: &str, orders: &[u32]) -> String {
        let factorial = |k: u32| (1..=k).map(f64::from).product::<f64>();
        let sign = |k: u32| if (k / 2).is_multiple_of(2) { 1.0 } else { -1.0 };
        let terms: Vec<f64> = orders.iter().map(|&k| sign(k) / factorial(k)).collect();
        self.polynomial(z, &terms)
    }

    fn normal_quantile(&mut self, p: &str) -> String {
        let [a, b, c, d, e, f] = math::NORMAL_QUANTILE;
        let q = self.by("Sub", p, 0.5);
        let square = self.two("Mul", &q, &q);
        let r = self.from(0.180_625, "Sub", &square);
        let (up, down) = (self.polynomial(&r, &a), self.polynomial(&r, &b));
        let up = self.two("Mul", &q, &up);
        let middle = self.two("Div", &up, &down);

        let is_low = self.by("Less", &q, 0.0);
        let other = self.from(1.0, "Sub", p);
        let tail = self.choose(&is_low, p, &other);
        let log = self.log(&tail);
        let minus = self.of("Neg", &log);
        let r = self.of("Sqrt", &minus);
        let sides = [(1.6, c, d), (5.0, e, f)].map(|(from, up, down)| {
            let r = self.by("Sub", &r, from);
            let (up, down) = (self.polynomial(&r, &up), self.polynomial(&r, &down));
            self.two("Div", &up, &down)
        });
        let is_near = self.by("LessOrEqual", &r, 5.0);
        let z = self.choose(&is_near, &sides[0], &sides[1]);
        let is_end = self.by("Equal", &tail, 0.0);
        let z = self.set(&is_end, f64::INFINITY, &z);
        let minus = self.of("Neg", &z);
        let z = self.choose(&is_low, &minus, &z);

        let size = self.of("Abs", &q);
        let is_middle = self.by("LessOrEqual", &size, 0.425);
        self.choose(&is_middle, &middle, &z)
    }
}
