//! Numbers: doubles of one row, NaN is missing. An operand with the step 0 is one number beside many, else its step
//! is 1.

//: _round_ties_even
fn round_ties_even(value: f64) -> f64 {
    const WHOLE: f64 = 4_503_599_627_370_496.0;
    if value.abs() < WHOLE {
        ((value.abs() + WHOLE) - WHOLE).copysign(value)
    } else {
        value
    }
}

//: _canonical
/// Every NaN as the one that stands for missing: machines differ in the sign and payload of a NaN that they make.
fn canonical(x: f64) -> f64 {
    if x.is_nan() {
        f64::NAN
    } else {
        x
    }
}

//: read_f64
/// The number given for a column, NaN where it is missing.
fn read_f64(out: &mut [f64], x: f64, is_missing: bool) {
    out[0] = if is_missing { f64::NAN } else { x };
}

//: read_i64
fn read_i64(out: &mut [f64], x: i64, is_missing: bool) {
    out[0] = if is_missing { f64::NAN } else { x as f64 };
}

//: fill
/// `out[i] = x[i step]` for `n` elements.
fn fill(out: &mut [f64], x: &[f64], step: usize, n: usize) {
    for (i, out) in out.iter_mut().enumerate().take(n) {
        *out = x[i * step];
    }
}

//: fill_table needs fill
fn fill_table(out: &mut [f64], x: &[f64], step: usize, n: usize) {
    fill(out, x, step, n);
}

//: cast_code
/// One of the codes as a number.
fn cast_code(out: &mut [f64], codes: &[u8], at: usize) {
    out[0] = codes[at].into();
}

//: cast_u8
fn cast_u8(out: &mut [f64], x: &[u8], n: usize) {
    for (out, &x) in out.iter_mut().zip(x).take(n) {
        *out = x.into();
    }
}

//: cast_i32
fn cast_i32(out: &mut [f64], x: &[i32], n: usize) {
    for (out, &x) in out.iter_mut().zip(x).take(n) {
        *out = x.into();
    }
}

//: cast_i64
fn cast_i64(out: &mut [f64], x: &[i64], n: usize) {
    for (out, &x) in out.iter_mut().zip(x).take(n) {
        *out = x as f64;
    }
}

//: _pairs
/// `out[i] = f(a[i a_step], b[i b_step])` for `n` elements.
fn pairs<T>(out: &mut [T], a: (&[f64], usize), b: (&[f64], usize), n: usize, f: impl Fn(f64, f64) -> T) {
    for (i, out) in out.iter_mut().enumerate().take(n) {
        *out = f(a.0[i * a.1], b.0[i * b.1]);
    }
}

//: _min
fn least(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() {
        f64::NAN
    } else if a == b {
        f64::from_bits(a.to_bits() | b.to_bits())
    } else if a < b {
        a
    } else {
        b
    }
}

//: _max
fn most(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() {
        f64::NAN
    } else if a == b {
        f64::from_bits(a.to_bits() & b.to_bits())
    } else if a > b {
        a
    } else {
        b
    }
}

//: add needs _canonical _pairs
fn add(out: &mut [f64], a: &[f64], a_step: usize, b: &[f64], b_step: usize, n: usize) {
    pairs(out, (a, a_step), (b, b_step), n, |a, b| canonical(a + b));
}

//: add_table needs add
fn add_table(out: &mut [f64], a: &[f64], a_step: usize, b: &[f64], b_step: usize, n: usize) {
    add(out, a, a_step, b, b_step, n);
}

//: sub needs _canonical _pairs
fn sub(out: &mut [f64], a: &[f64], a_step: usize, b: &[f64], b_step: usize, n: usize) {
    pairs(out, (a, a_step), (b, b_step), n, |a, b| canonical(a - b));
}

//: sub_table needs sub
fn sub_table(out: &mut [f64], a: &[f64], a_step: usize, b: &[f64], b_step: usize, n: usize) {
    sub(out, a, a_step, b, b_step, n);
}

//: table_sub needs sub
fn table_sub(out: &mut [f64], a: &[f64], a_step: usize, b: &[f64], b_step: usize, n: usize) {
    sub(out, a, a_step, b, b_step, n);
}

//: mul needs _canonical _pairs
fn mul(out: &mut [f64], a: &[f64], a_step: usize, b: &[f64], b_step: usize, n: usize) {
    pairs(out, (a, a_step), (b, b_step), n, |a, b| canonical(a * b));
}

//: mul_table needs mul
fn mul_table(out: &mut [f64], a: &[f64], a_step: usize, b: &[f64], b_step: usize, n: usize) {
    mul(out, a, a_step, b, b_step, n);
}

//: div needs _canonical _pairs
fn div(out: &mut [f64], a: &[f64], a_step: usize, b: &[f64], b_step: usize, n: usize) {
    pairs(out, (a, a_step), (b, b_step), n, |a, b| canonical(a / b));
}

//: div_table needs div
fn div_table(out: &mut [f64], a: &[f64], a_step: usize, b: &[f64], b_step: usize, n: usize) {
    div(out, a, a_step, b, b_step, n);
}

//: table_div needs div
fn table_div(out: &mut [f64], a: &[f64], a_step: usize, b: &[f64], b_step: usize, n: usize) {
    div(out, a, a_step, b, b_step, n);
}

//: min needs _min _pairs
fn min(out: &mut [f64], a: &[f64], a_step: usize, b: &[f64], b_step: usize, n: usize) {
    pairs(out, (a, a_step), (b, b_step), n, least);
}

//: min_table needs min
fn min_table(out: &mut [f64], a: &[f64], a_step: usize, b: &[f64], b_step: usize, n: usize) {
    min(out, a, a_step, b, b_step, n);
}

//: max needs _max _pairs
fn max(out: &mut [f64], a: &[f64], a_step: usize, b: &[f64], b_step: usize, n: usize) {
    pairs(out, (a, a_step), (b, b_step), n, most);
}

//: max_table needs max
fn max_table(out: &mut [f64], a: &[f64], a_step: usize, b: &[f64], b_step: usize, n: usize) {
    max(out, a, a_step, b, b_step, n);
}

//: equal needs _pairs
fn equal(out: &mut [u8], a: &[f64], a_step: usize, b: &[f64], b_step: usize, n: usize) {
    pairs(out, (a, a_step), (b, b_step), n, |a, b| u8::from(a == b));
}

//: equal_table needs equal
fn equal_table(out: &mut [u8], a: &[f64], a_step: usize, b: &[f64], b_step: usize, n: usize) {
    equal(out, a, a_step, b, b_step, n);
}

//: less needs _pairs
fn less(out: &mut [u8], a: &[f64], a_step: usize, b: &[f64], b_step: usize, n: usize) {
    pairs(out, (a, a_step), (b, b_step), n, |a, b| u8::from(a < b));
}

//: less_table needs less
fn less_table(out: &mut [u8], a: &[f64], a_step: usize, b: &[f64], b_step: usize, n: usize) {
    less(out, a, a_step, b, b_step, n);
}

//: less_or_equal needs _pairs
fn less_or_equal(out: &mut [u8], a: &[f64], a_step: usize, b: &[f64], b_step: usize, n: usize) {
    pairs(out, (a, a_step), (b, b_step), n, |a, b| u8::from(a <= b));
}

//: less_or_equal_table needs less_or_equal
fn less_or_equal_table(out: &mut [u8], a: &[f64], a_step: usize, b: &[f64], b_step: usize, n: usize) {
    less_or_equal(out, a, a_step, b, b_step, n);
}

//: greater_table needs _pairs
fn greater_table(out: &mut [u8], a: &[f64], a_step: usize, b: &[f64], b_step: usize, n: usize) {
    pairs(out, (a, a_step), (b, b_step), n, |a, b| u8::from(a > b));
}

//: greater_or_equal_table needs _pairs
fn greater_or_equal_table(out: &mut [u8], a: &[f64], a_step: usize, b: &[f64], b_step: usize, n: usize) {
    pairs(out, (a, a_step), (b, b_step), n, |a, b| u8::from(a >= b));
}

//: is_nan
fn is_nan(out: &mut [u8], x: &[f64], n: usize) {
    for (out, &x) in out.iter_mut().zip(x).take(n) {
        *out = x.is_nan().into();
    }
}

//: choose
/// `out[i] = a[i a_step]` where the truth holds, else it stays.
fn choose(out: &mut [f64], holds: &[u8], holds_step: usize, a: &[f64], a_step: usize, n: usize) {
    for (i, out) in out.iter_mut().enumerate().take(n) {
        if holds[i * holds_step] != 0 {
            *out = a[i * a_step];
        }
    }
}

//: choose_table needs choose
fn choose_table(out: &mut [f64], holds: &[u8], holds_step: usize, a: &[f64], a_step: usize, n: usize) {
    choose(out, holds, holds_step, a, a_step, n);
}

//: abs needs _canonical
fn abs(out: &mut [f64], x: &[f64], n: usize) {
    for (out, &x) in out.iter_mut().zip(x).take(n) {
        *out = canonical(x.abs());
    }
}

//: neg needs _canonical
fn neg(out: &mut [f64], x: &[f64], n: usize) {
    for (out, &x) in out.iter_mut().zip(x).take(n) {
        *out = canonical(-x);
    }
}

//: sqrt needs _canonical _math
fn sqrt(out: &mut [f64], x: &[f64], n: usize) {
    for (out, &x) in out.iter_mut().zip(x).take(n) {
        *out = canonical(math::sqrt(x));
    }
}

//: exp needs _canonical _math
fn exp(out: &mut [f64], x: &[f64], n: usize) {
    for (out, &x) in out.iter_mut().zip(x).take(n) {
        *out = canonical(math::exp(x));
    }
}

//: log needs _canonical _math
fn log(out: &mut [f64], x: &[f64], n: usize) {
    for (out, &x) in out.iter_mut().zip(x).take(n) {
        *out = canonical(math::log(x));
    }
}

//: sin needs _canonical _math
fn sin(out: &mut [f64], x: &[f64], n: usize) {
    for (out, &x) in out.iter_mut().zip(x).take(n) {
        *out = canonical(math::sin(x));
    }
}

//: cos needs _canonical _math
fn cos(out: &mut [f64], x: &[f64], n: usize) {
    for (out, &x) in out.iter_mut().zip(x).take(n) {
        *out = canonical(math::cos(x));
    }
}

//: floor needs _canonical _math
fn floor(out: &mut [f64], x: &[f64], n: usize) {
    for (out, &x) in out.iter_mut().zip(x).take(n) {
        *out = canonical(math::floor(x));
    }
}

//: sign
fn sign(out: &mut [f64], x: &[f64], n: usize) {
    for (out, &x) in out.iter_mut().zip(x).take(n) {
        *out = if x == 0.0 {
            0.0
        } else if x.is_nan() {
            f64::NAN
        } else {
            1.0f64.copysign(x)
        };
    }
}

//: normal_quantile needs _math
fn normal_quantile(out: &mut [f64], x: &[f64], n: usize) {
    for (out, &x) in out.iter_mut().zip(x).take(n) {
        *out = math::normal_quantile(x);
    }
}

//: gather_f64
fn gather_f64(out: &mut [f64], x: &[f64], at: &[u16], n: usize) {
    for (out, &at) in out.iter_mut().zip(at).take(n) {
        *out = x[usize::from(at)];
    }
}

//: gather_i32
fn gather_i32(out: &mut [i32], x: &[i32], at: &[u16], n: usize) {
    for (out, &at) in out.iter_mut().zip(at).take(n) {
        *out = x[usize::from(at)];
    }
}

//: _cell
/// A number of a table of `n_bytes` a number, little-endian: 2 a whole number (the least is infinity), 4 and 8 its
/// bits.
fn cell(cells: &[u8], at: usize, n_bytes: usize) -> f64 {
    let c = &cells[at * n_bytes..][..n_bytes];
    match *c {
        [a, b] => match i16::from_le_bytes([a, b]) {
            i16::MIN => f64::INFINITY,
            whole => whole.into(),
        },
        [a, b, c, d] => f32::from_le_bytes([a, b, c, d]).into(),
        [a, b, c, d, e, f, g, h] => f64::from_le_bytes([a, b, c, d, e, f, g, h]),
        _ => f64::NAN,
    }
}

//: matmul needs _canonical _cell
/// `out[j] = sum_k x[k] w[k, j]` in rising order of `k` from 0; `w [inner, width]`.
fn matmul(out: &mut [f64], x: &[f64], w: &[u8], n_bytes: usize, inner: usize, width: usize) {
    for out in out[..width].iter_mut() {
        *out = 0.0;
    }
    for (k, x) in x.iter().enumerate().take(inner) {
        for (j, out) in out.iter_mut().enumerate().take(width) {
            *out += x * cell(w, k * width + j, n_bytes);
        }
    }
    for out in out[..width].iter_mut() {
        *out = canonical(*out);
    }
}

//: reduce_sum needs _canonical
fn reduce_sum(out: &mut [f64], x: &[f64], n: usize) {
    let mut made = x[0];
    for &x in &x[1..n] {
        made = made + x;
    }
    out[0] = canonical(made);
}

//: reduce_max needs _canonical _max
fn reduce_max(out: &mut [f64], x: &[f64], n: usize) {
    let mut made = x[0];
    for &x in &x[1..n] {
        made = most(made, x);
    }
    out[0] = canonical(made);
}

//: reduce_l1 needs _canonical
fn reduce_l1(out: &mut [f64], x: &[f64], n: usize) {
    let mut made = x[0].abs();
    for &x in &x[1..n] {
        made = made + x.abs();
    }
    out[0] = canonical(made);
}

//: reduce_l2 needs _canonical _math
fn reduce_l2(out: &mut [f64], x: &[f64], n: usize) {
    let mut made = x[0] * x[0];
    for &x in &x[1..n] {
        made = made + x * x;
    }
    out[0] = canonical(math::sqrt(made));
}

//: interpolate needs _cell
/// The polygon through `n` knots, which rise, and their values.
fn interpolate(
    out: &mut [f64],
    x: &[f64],
    knots: &[u8],
    knot_bytes: usize,
    values: &[u8],
    value_bytes: usize,
    n: usize,
) {
    let (x, mut above, mut left) = (x[0], 0, n);
    if x.is_nan() {
        out[0] = f64::NAN;
        return;
    }
    while left > 0 {
        let half = left / 2;
        if cell(knots, above + half, knot_bytes) <= x {
            above += half + 1;
            left -= half + 1;
        } else {
            left = half;
        }
    }
    let value = cell(values, above.saturating_sub(1), value_bytes);
    out[0] = if above == 0 || above == n {
        value
    } else {
        let knot = cell(knots, above - 1, knot_bytes);
        value
            + (x - knot) * (cell(values, above, value_bytes) - value)
                / (cell(knots, above, knot_bytes) - knot)
    };
}

//: b_spline needs _canonical
/// The `n` B-splines of a degree of at most 10 over `n + degree + 1` knots, which rise.
fn b_spline(out: &mut [f64], x: &[f64], knots: &[f64], degree: usize, n: usize) {
    let x = x[0];
    for out in out[..n].iter_mut() {
        *out = if x.is_nan() { f64::NAN } else { 0.0 };
    }
    if x.is_nan() {
        return;
    }
    let x = if x < knots[degree] {
        knots[degree]
    } else if x > knots[n] {
        knots[n]
    } else {
        x
    };
    // The interval that holds it, the last one closed on the right.
    let above = degree + knots[degree..=n].partition_point(|&k| k <= x);
    let at = above.max(degree + 1).min(n) - 1;
    let (mut values, mut left, mut right) = ([0.0; 11], [0.0; 11], [0.0; 11]);
    values[0] = 1.0;
    for j in 1..=degree {
        left[j] = x - knots[at + 1 - j];
        right[j] = knots[at + j] - x;
        let mut saved = 0.0;
        for i in 0..j {
            let share = values[i] / (right[i + 1] + left[j - i]);
            values[i] = saved + right[i + 1] * share;
            saved = left[j - i] * share;
        }
        values[j] = saved;
    }
    for (out, &value) in out[at - degree..].iter_mut().zip(&values[..=degree]) {
        *out = canonical(value);
    }
}
