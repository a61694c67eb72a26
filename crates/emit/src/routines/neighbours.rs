//! Missing numbers of a row from its neighbours in a table.

//: _squared_distance needs _cell
/// The squared distance of `x` and a row of a table over the columns that are finite in both; none if there is none.
fn squared_distance(x: &[f64], cells: &[u8], n_bytes: usize, first: usize, scale: &[f64]) -> Option<f64> {
    let (mut sum, mut shared) = (0.0, 0u32);
    for (i, (&x, &scale)) in x.iter().zip(scale).enumerate() {
        let other = cell(cells, first + i, n_bytes);
        if x.is_finite() && other.is_finite() {
            let step = (x - other) / scale;
            sum += step * step;
            shared += 1;
        }
    }
    if shared > 0 {
        Some(sum * x.len() as f64 / f64::from(shared))
    } else {
        None
    }
}

//: _average_of_near needs _math
/// The average of values at squared distances, the nearest first.
fn average_of_near(near: &[f64], values: &[f64], by_distance: bool) -> f64 {
    let nearest = near[0];
    let weight = |distance: f64| {
        if !by_distance || nearest == f64::INFINITY || distance == nearest {
            1.0
        } else if nearest == 0.0 {
            0.0
        } else {
            math::sqrt(nearest / distance)
        }
    };
    let (mut total, mut sum, mut average) = (-0.0, -0.0, -0.0);
    for (&distance, &value) in near.iter().zip(values) {
        let weight = weight(distance);
        total += weight;
        sum += weight * value;
    }
    if f64::is_finite(sum) {
        return sum / total;
    }
    for (&distance, &value) in near.iter().zip(values) {
        average += weight(distance) / total * value;
    }
    average
}

//: impute_neighbours needs _average_of_near _cell _squared_distance
/// `x`, where it is NaN the average of that column over the `k` nearest of `n` rows that have it, else its fill.
/// `near`, `values`: room for `k` numbers each.
fn impute_neighbours(
    out: &mut [f64],
    near: &mut [f64],
    values: &mut [f64],
    x: &[f64],
    reference: &[u8],
    n_bytes: usize,
    scale: &[f64],
    fill: &[f64],
    n: usize,
    width: usize,
    k: usize,
    by_distance: i32,
) {
    for column in 0..width {
        let mut found = 0;
        out[column] = x[column];
        if !x[column].is_nan() {
            continue;
        }
        for row in 0..n {
            let value = cell(reference, row * width + column, n_bytes);
            if !value.is_finite() {
                continue;
            }
            let distance = squared_distance(&x[..width], reference, n_bytes, row * width, scale);
            let Some(distance) = distance else { continue };
            if found == k && distance >= near[k - 1] {
                continue;
            }
            // Behind those that are as near, which come first.
            if found < k {
                found += 1;
            }
            let mut at = found - 1;
            while at > 0 && distance < near[at - 1] {
                near[at] = near[at - 1];
                values[at] = values[at - 1];
                at -= 1;
            }
            near[at] = distance;
            values[at] = value;
        }
        out[column] = if found > 0 {
            average_of_near(&near[..found], &values[..found], by_distance != 0)
        } else {
            fill[column]
        };
    }
}
