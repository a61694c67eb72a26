//! Small integers, and what becomes of scores: products, rows that are compared, sums, curves, decisions.

//: _clamp_i32
/// The nearer end of 32 bits, or the number itself.
fn _clamp_i32(x: i64) -> i32 {
    x.clamp(i32::MIN as i64, i32::MAX as i64) as i32
}

//: _requantize
/// `acc multiplier 2^-shift`, rounded half up; the multiplier is below 2^31, the shift `1..=62`.
fn _requantize(acc: i32, multiplier: i32, shift: u8) -> i64 {
    (acc as i64 * multiplier as i64 + (1 << (shift - 1))) >> shift
}

//: _round_scaled needs _clamp_i32
/// `x 2^shift` to the nearest integer, ties to even, clamped to 32 bits; 0 of NaN. By the bits of `x` alone.
fn _round_scaled(x: f64, shift: i32) -> i32 {
    let bits = x.to_bits();
    let is_negative = bits >> 63 != 0;
    let exponent = (bits >> 52 & 0x7ff) as i32;
    let fraction = bits & ((1 << 52) - 1);
    if exponent == 0x7ff && fraction != 0 {
        return 0;
    }
    if exponent == 0x7ff || exponent - 1023 + shift > 30 {
        return if is_negative { i32::MIN } else { i32::MAX };
    }
    // Below a half; a subnormal number is below it at any shift up to 1000.
    let drop = 52 - (exponent - 1023 + shift);
    if drop > 53 {
        return 0;
    }
    let mantissa = fraction | 1 << 52;
    let (floor, rest, half) = (mantissa >> drop, mantissa & ((1 << drop) - 1), 1 << (drop - 1));
    let size = (floor + u64::from(rest > half || (rest == half && floor & 1 == 1))) as i64;
    _clamp_i32(if is_negative { -size } else { size })
}

//: argmax
/// The place of the largest score, the first of equals.
fn argmax(label: &mut [i64], scores: &[i32], n: usize) {
    let mut best = 0;
    for k in 1..n {
        if scores[k] > scores[best] {
            best = k;
        }
    }
    label[0] = best as i64;
}

//: threshold
/// 1 for a score above the threshold, else 0.
fn threshold(label: &mut [i64], score: &[i32], above: i32) {
    label[0] = i64::from(score[0] > above);
}

//: least_cost
/// The class `k` whose cost `sum_j p_j cost_jk` is least, the first of equals; `p`: bits of `f32`, `cost: [n, n]`.
fn least_cost(label: &mut [i64], p: &[u32], cost: &[f64], n: usize) {
    let mut least = f64::INFINITY;
    label[0] = 0;
    for k in 0..n {
        let mut expected = 0.0;
        for j in 0..n {
            expected += f64::from(f32::from_bits(p[j])) * cost[j * n + k];
        }
        if expected < least {
            least = expected;
            label[0] = k as i64;
        }
    }
}

//: quantize needs _round_scaled
/// `q_j = x_j / scale_j` to the nearest integer, ties to even, at most `most` in size; missing is 0.
fn quantize(q: &mut [i16], x: &[f64], scale: &[f64], n: usize, most: i32) {
    for j in 0..n {
        q[j] = _round_scaled(x[j] / scale[j], 0).clamp(-most, most) as i16;
    }
}

//: to_scores needs _round_scaled
/// `x_k 2^shift` to the nearest integer, ties to even, clamped to 32 bits; missing is 0.
fn to_scores(scores: &mut [i32], x: &[f64], n: usize, shift: i32) {
    for k in 0..n {
        scores[k] = _round_scaled(x[k], shift);
    }
}

//: _product needs _requantize _clamp_i32
/// `score_j = bias_j + sum_k x_k w_jk`, requantized; `weights: [n_outputs, n_inputs]`. No sum leaves 32 bits.
fn _product<T: Copy + Into<i32>>(
    scores: &mut [i32],
    x: &[i16],
    weights: &[T],
    bias: &[i32],
    multipliers: &[i32],
    shifts: &[u8],
    n_inputs: usize,
) {
    for (j, score) in scores.iter_mut().enumerate() {
        let of_output = &weights[j * n_inputs..(j + 1) * n_inputs];
        let acc = x.iter().zip(of_output).fold(bias[j], |acc, (&x, &w)| acc + i32::from(x) * w.into());
        *score = _clamp_i32(_requantize(acc, multipliers[j], shifts[j]));
    }
}

//: product_i8 needs _product
/// Scores of a row by weights of 8 bits.
fn product_i8(
    scores: &mut [i32],
    x: &[i16],
    weights: &[i8],
    bias: &[i32],
    multipliers: &[i32],
    shifts: &[u8],
    n_inputs: usize,
    n_outputs: usize,
) {
    _product(&mut scores[..n_outputs], x, weights, bias, multipliers, shifts, n_inputs);
}

//: product_i16 needs _product
/// Scores of a row by weights of 16 bits.
fn product_i16(
    scores: &mut [i32],
    x: &[i16],
    weights: &[i16],
    bias: &[i32],
    multipliers: &[i32],
    shifts: &[u8],
    n_inputs: usize,
    n_outputs: usize,
) {
    _product(&mut scores[..n_outputs], x, weights, bias, multipliers, shifts, n_inputs);
}

//: sum_of_two
/// Scores added, clamped to 32 bits.
fn sum_of_two(scores: &mut [i32], a: &[i32], b: &[i32], n: usize) {
    for k in 0..n {
        scores[k] = a[k].saturating_add(b[k]);
    }
}

//: sums_begin
/// Sums that begin with constants.
fn sums_begin(sums: &mut [i64], first: &[i64], n: usize) {
    sums[..n].copy_from_slice(&first[..n]);
}

//: sums_begin_with
/// Sums that begin with scores.
fn sums_begin_with(sums: &mut [i64], scores: &[i32], n: usize) {
    for k in 0..n {
        sums[k] = i64::from(scores[k]);
    }
}

//: sums_add
/// Adds scores to sums, each by one weight.
fn sums_add(sums: &mut [i64], scores: &[i32], n: usize, weight: i64) {
    for k in 0..n {
        sums[k] += weight * i64::from(scores[k]);
    }
}

//: sums_add_each
/// Adds scores to sums, each by a weight of its own.
fn sums_add_each(sums: &mut [i64], scores: &[i32], weights: &[i32], n: usize) {
    for k in 0..n {
        sums[k] += i64::from(weights[k]) * i64::from(scores[k]);
    }
}

//: sums_end needs _clamp_i32
/// `floor(sum 2^-shift)`, clamped to 32 bits.
fn sums_end(scores: &mut [i32], sums: &[i64], n: usize, shift: u32) {
    for k in 0..n {
        scores[k] = _clamp_i32(sums[k] >> shift);
    }
}

//: cascade_of_two
/// The first score where it is at least `margin` from `offset`, else the second one.
fn cascade_of_two(score: &mut [i32], first: &[i32], second: &[i32], offset: i32, margin: i64) {
    score[0] = if i64::from(first[0].abs_diff(offset)) >= margin { first[0] } else { second[0] };
}

//: cascade
/// The first scores where the largest is at least `margin` above the next one, else the second ones; `n` is at least 2.
fn cascade(scores: &mut [i32], first: &[i32], second: &[i32], n: usize, margin: i64) {
    let (mut largest, mut next) = (i32::MIN, i32::MIN);
    for &score in &first[..n] {
        if score > largest {
            next = largest;
            largest = score;
        } else if score > next {
            next = score;
        }
    }
    let taken = if i64::from(largest.abs_diff(next)) >= margin { first } else { second };
    scores[..n].copy_from_slice(&taken[..n]);
}

//: gate
/// The first scores where the gate is at least 0, else the second ones.
fn gate(scores: &mut [i32], gate: &[i32], first: &[i32], second: &[i32], n: usize) {
    let taken = if gate[0] >= 0 { first } else { second };
    scores[..n].copy_from_slice(&taken[..n]);
}

//: curves
/// A polygon at a score: between two of the knots, which rise, on their line, rounded to the nearest, ties to even; at
/// and beyond the ends their values.
fn _curve(score: i32, knots: &[i32], values: &[i32]) -> i32 {
    let above = knots.partition_point(|&knot| knot <= score);
    if above == 0 {
        return values[0];
    }
    if above == knots.len() {
        return values[above - 1];
    }
    let (from, to) = (values[above - 1], values[above]);
    // Both factors are below 2^32.
    let product = u64::from(score.abs_diff(knots[above - 1])) * u64::from(to.abs_diff(from));
    let width = u64::from(knots[above].abs_diff(knots[above - 1]));
    let (floor, twice) = (product / width, 2 * (product % width));
    // The parity of the result is that of the value and the step together.
    let is_odd = (floor ^ u64::from(from.unsigned_abs())) & 1 == 1;
    let step = (floor + u64::from(twice > width || (twice == width && is_odd))) as i64;
    (i64::from(from) + if to < from { -step } else { step }) as i32
}

/// Each score by its polygon; the knots of score `k` are `sizes_k` long, one after the other.
fn curves(made: &mut [i32], scores: &[i32], sizes: &[u32], knots: &[i32], values: &[i32], n: usize) {
    let mut first = 0;
    for k in 0..n {
        let last = first + sizes[k] as usize;
        made[k] = _curve(scores[k], &knots[first..last], &values[first..last]);
        first = last;
    }
}

//: _distance
/// `sum_j (x_j - row_j)^2`; a square is below 2^32.
fn _distance<T: Copy + Into<i32>>(x: &[i16], row: &[T]) -> i64 {
    let square = |(&x, &r): (&i16, &T)| {
        let away = i32::from(x).abs_diff(r.into());
        i64::from(away * away)
    };
    x.iter().zip(row).map(square).sum()
}

//: _nearest needs _distance
/// The `k` nearest of the known rows `[n_known, width]` and their squared distances, by rising distance, the first of
/// equals before; `1 <= k <= n_known`.
fn _nearest<T: Copy + Into<i32>>(
    distances: &mut [i64],
    rows: &mut [u32],
    x: &[i16],
    known: &[T],
    (width, k): (usize, usize),
) {
    let mut n = 0;
    for (row, cells) in known.chunks_exact(width).enumerate() {
        let distance = _distance(x, cells);
        let mut at = n;
        if n == k {
            at = n - 1;
            if distances[at] <= distance {
                continue;
            }
        } else {
            n += 1;
        }
        while at > 0 && distances[at - 1] > distance {
            distances[at] = distances[at - 1];
            rows[at] = rows[at - 1];
            at -= 1;
        }
        distances[at] = distance;
        rows[at] = row as u32;
    }
}

//: nearest_i8 needs _nearest
/// The nearest of known rows of 8 bits.
fn nearest_i8(
    distances: &mut [i64],
    rows: &mut [u32],
    x: &[i16],
    known: &[i8],
    n_known: usize,
    width: usize,
    k: usize,
) {
    _nearest(distances, rows, x, &known[..n_known * width], (width, k));
}

//: nearest_i16 needs _nearest
/// The nearest of known rows of 16 bits.
fn nearest_i16(
    distances: &mut [i64],
    rows: &mut [u32],
    x: &[i16],
    known: &[i16],
    n_known: usize,
    width: usize,
    k: usize,
) {
    _nearest(distances, rows, x, &known[..n_known * width], (width, k));
}

//: weigh_alike
/// A weight of 1 in the place of each distance.
fn weigh_alike(distances: &mut [i64], n: usize) {
    distances[..n].fill(1);
}

//: weigh_by_distance
/// Weights in the place of rising distances: where the first is 0, 1 for each that is 0 and 0 for others; else
/// `floor(2^30 / floor(sqrt(distance)))`.
fn weigh_by_distance(distances: &mut [i64], n: usize) {
    let is_at_zero = distances[0] == 0;
    for distance in &mut distances[..n] {
        *distance = if is_at_zero { i64::from(*distance == 0) } else { (1 << 30) / distance.isqrt() };
    }
}

//: _add_votes
/// `sum_k = sum_i weight_i votes_(row_i)k` of the rows that vote; `votes: [all, width]`.
fn _add_votes<T: Copy + Into<i64>>(
    sums: &mut [i64],
    weights: &[i64],
    rows: &[u32],
    votes: &[T],
    width: usize,
) {
    for (k, sum) in sums[..width].iter_mut().enumerate() {
        let product = |(&weight, &row): (&i64, &u32)| weight * votes[row as usize * width + k].into();
        *sum = weights.iter().zip(rows).map(product).sum();
    }
}

//: add_votes_i16 needs _add_votes
/// Weighted votes of 16 bits.
fn add_votes_i16(sums: &mut [i64], weights: &[i64], rows: &[u32], votes: &[i16], n: usize, width: usize) {
    _add_votes(sums, &weights[..n], &rows[..n], votes, width);
}

//: add_votes_i32 needs _add_votes
/// Weighted votes of 32 bits.
fn add_votes_i32(sums: &mut [i64], weights: &[i64], rows: &[u32], votes: &[i32], n: usize, width: usize) {
    _add_votes(sums, &weights[..n], &rows[..n], votes, width);
}

//: mean_of_votes needs _clamp_i32
/// `n sum_k / (the sum of all n weights)`, rounded half up, clamped to 32 bits.
fn mean_of_votes(scores: &mut [i32], sums: &[i64], weights: &[i64], n: usize, width: usize) {
    let total: i64 = weights[..n].iter().sum();
    for k in 0..width {
        let (whole, rest) = (sums[k].div_euclid(total), sums[k].rem_euclid(total));
        // The total is at most 2^46 and n at most 2^16, so this is below 2^64.
        let halves = 2 * n as u64 * rest as u64 + total as u64;
        scores[k] = _clamp_i32(whole * n as i64 + (halves / (2 * total as u64)) as i64);
    }
}

//: _similarity
/// The entry of a table at a squared distance; entries are `2^step` apart, between two it is their line, past the end 0.
fn _similarity(distance: i64, table: &[i32], step: u32) -> i32 {
    let at = distance >> step;
    if at >= table.len() as i64 {
        return 0;
    }
    let here = table[at as usize];
    let next = table.get(at as usize + 1).copied().unwrap_or(0);
    // Entries do not rise and are at most 2^16. In two factors, so that it fits 64 bits.
    let (part, fall) = (distance as u64 & ((1 << step) - 1), (here - next) as u64);
    let (high, low) = (fall * (part >> 16), fall * (part & 0xffff));
    here - if step < 16 { low >> step } else { (high + (low >> 16)) >> (step - 16) } as i32
}

//: _similarities needs _distance _similarity
/// `sum_k = sum_s coefficient_sk similarity(x, vector_s)`; `vectors: [n_vectors, n]`, `coefficients: [n_vectors, width]`.
fn _similarities<T: Copy + Into<i32>>(
    sums: &mut [i64],
    x: &[i16],
    vectors: &[T],
    coefficients: &[i16],
    table: &[i32],
    (n_vectors, step): (usize, u32),
) {
    sums.fill(0);
    let each = vectors.chunks_exact(x.len()).zip(coefficients.chunks_exact(sums.len()));
    for (vector, coefficients) in each.take(n_vectors) {
        let similarity = i64::from(_similarity(_distance(x, vector), table, step));
        for (sum, &coefficient) in sums.iter_mut().zip(coefficients) {
            *sum += i64::from(coefficient) * similarity;
        }
    }
}

//: similarities_i8 needs _similarities
/// Weighted similarities to vectors of 8 bits.
fn similarities_i8(
    sums: &mut [i64],
    x: &[i16],
    vectors: &[i8],
    coefficients: &[i16],
    table: &[i32],
    n_table: usize,
    n_vectors: usize,
    n: usize,
    width: usize,
    step: u32,
) {
    _similarities(&mut sums[..width], &x[..n], vectors, coefficients, &table[..n_table], (n_vectors, step));
}

//: similarities_i16 needs _similarities
/// Weighted similarities to vectors of 16 bits.
fn similarities_i16(
    sums: &mut [i64],
    x: &[i16],
    vectors: &[i16],
    coefficients: &[i16],
    table: &[i32],
    n_table: usize,
    n_vectors: usize,
    n: usize,
    width: usize,
    step: u32,
) {
    _similarities(&mut sums[..width], &x[..n], vectors, coefficients, &table[..n_table], (n_vectors, step));
}

//: similarities_end needs _requantize _clamp_i32
/// `start_k` and the sum's upper part, `floor((sum_k + 2^15) / 2^16)`, requantized; clamped to 32 bits.
fn similarities_end(
    scores: &mut [i32],
    sums: &[i64],
    start: &[i32],
    multipliers: &[i32],
    shifts: &[u8],
    width: usize,
) {
    for k in 0..width {
        let acc = ((sums[k] + (1 << 15)) >> 16) as i32;
        scores[k] = _clamp_i32(_requantize(acc, multipliers[k], shifts[k]) + i64::from(start[k]));
    }
}
