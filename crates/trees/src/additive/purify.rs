//! One reading of every term: main effects belong to features, means to the intercept.
//!
//! A pair's table could hold what its features hold, and any term a constant, without a change of the
//! scores. Here rows and columns of pairs get mean 0 over the training rows and so does every term, which
//! pins what a value means.

/// Passes over a table; correlated axes need some, each a constant factor nearer.
const MOST_PASSES: usize = 1000;

/// Takes the weighted means of rows and columns out of a table, until both are 0.
///
/// `table: [n, m, width]`, `weights: [n, m]`. Gives what was taken, `[n, width]` and `[m, width]`: the
/// sum of all three is the table as it was. Rows and columns without weight keep their values less
/// what the crossing ones lose. Bound: means end below 1e-12 of the largest value, unless the axes are so
/// correlated that 1000 passes do not get there.
/// # Source  Lengerich et al., Purifying Interaction Effects with the Functional ANOVA, AISTATS 2020.
pub(super) fn purify(table: &mut [f64], weights: &[f64], m: usize, width: usize) -> [Vec<f64>; 2] {
    let n = weights.len() / m.max(1);
    let mut taken = [vec![0.0; n * width], vec![0.0; m * width]];
    let largest = table.iter().fold(0.0f64, |most, v| most.max(v.abs()));
    for _ in 0..MOST_PASSES {
        let mut moved = 0.0f64;
        for (axis, (lines, across)) in [(n, m), (m, n)].into_iter().enumerate() {
            let cell = |line: usize, at: usize| if axis == 0 { line * m + at } else { at * m + line };
            for line in 0..lines {
                let weight: f64 = (0..across).map(|at| weights[cell(line, at)]).sum();
                if weight <= 0.0 {
                    continue;
                }
                for k in 0..width {
                    let sum: f64 = (0..across)
                        .map(|at| weights[cell(line, at)] * table[cell(line, at) * width + k])
                        .sum();
                    let mean = sum / weight;
                    (0..across).for_each(|at| table[cell(line, at) * width + k] -= mean);
                    taken[axis][line * width + k] += mean;
                    moved = moved.max(mean.abs());
                }
            }
        }
        if moved <= largest * 1e-12 {
            break;
        }
    }
    taken
}

/// Takes the weighted mean out of a table `[n_cells, width]`; gives it, one an output.
pub(super) fn centre(table: &mut [f64], weights: &[f64], width: usize) -> Vec<f64> {
    let total: f64 = weights.iter().sum();
    let mut means = vec![0.0; width];
    for (values, weight) in table.chunks_exact(width).zip(weights) {
        means.iter_mut().zip(values).for_each(|(mean, value)| *mean += weight * value);
    }
    means.iter_mut().for_each(|mean| *mean /= total);
    for values in table.chunks_exact_mut(width) {
        values.iter_mut().zip(&means).for_each(|(value, mean)| *value -= mean);
    }
    means
}

/// Takes the mean over outputs out of each cell, which no softmax sees.
pub(super) fn centre_outputs(table: &mut [f64], width: usize) {
    for values in table.chunks_exact_mut(width) {
        let mean = values.iter().sum::<f64>() / width as f64;
        values.iter_mut().for_each(|value| *value -= mean);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn main_effects_leave_a_pair() {
        let weights = [3.0, 1.0, 0.0, 2.0, 5.0, 0.0, 1.0, 1.0, 0.0];
        let before: Vec<f64> = (0..9).map(|i| f64::from(i * i % 7) - 2.0).collect();
        let mut table = before.clone();
        let [rows, columns] = purify(&mut table, &weights, 3, 1);
        for i in 0..3 {
            let row: f64 = (0..3).map(|j| weights[i * 3 + j] * table[i * 3 + j]).sum();
            let column: f64 = (0..3).map(|j| weights[j * 3 + i] * table[j * 3 + i]).sum();
            assert!(row.abs() < 1e-10 && column.abs() < 1e-10);
            for j in 0..3 {
                assert!((table[i * 3 + j] + rows[i] + columns[j] - before[i * 3 + j]).abs() < 1e-12);
            }
        }
        // A table of main effects is left empty.
        let mut table: Vec<f64> = (0..9).map(|i| f64::from(i / 3) + 10.0 * f64::from(i % 3)).collect();
        purify(&mut table, &[1.0; 9], 3, 1);
        assert!(table.iter().all(|v| v.abs() < 1e-10), "{table:?}");
    }

    #[test]
    fn means_leave_a_term() {
        let mut table = vec![1.0, 10.0, 5.0, 30.0];
        assert_eq!(centre(&mut table, &[3.0, 1.0], 2), [2.0, 15.0]);
        assert_eq!(table, [-1.0, -5.0, 3.0, 15.0]);
        centre_outputs(&mut table, 2);
        assert_eq!(table, [2.0, -2.0, -6.0, 6.0]);
    }
}
