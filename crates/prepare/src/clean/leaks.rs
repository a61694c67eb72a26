//! Columns that give the target away.

use trees::CodeMatrix;

/// The target of all rows, for the search for leaks.
#[derive(Clone, Copy, Debug)]
pub enum LeakTarget<'a> {
    /// Class of each row.
    Classes(&'a [u32], usize),
    /// Number of each row.
    Values(&'a [f64]),
}

/// Rows below which one column may predict the rest by chance.
const FEWEST_ROWS: usize = 100;

/// Share of the error of a constant guess below which a column gives the target away.
const MOST_ERROR: f64 = 0.01;

/// Says how well the codes of one column alone predict the target, if that is suspiciously well:
/// the most frequent class (or the mean) of each code, learnt on even rows and tried on odd ones,
/// leaves less than a hundredth of the error of a constant guess.
pub fn leak(codes: &CodeMatrix, feature: usize, rows: &[u32], target: LeakTarget<'_>) -> Option<String> {
    if rows.len() < FEWEST_ROWS {
        return None;
    }
    let (learn, test): (Vec<u32>, Vec<u32>) = rows.iter().partition(|&&r| r % 2 == 0);
    let code = |row: u32| usize::from(codes.code(feature, row));
    match target {
        LeakTarget::Classes(labels, n_classes) => {
            let mut counts = vec![0u32; 256 * n_classes];
            for &row in &learn {
                counts[code(row) * n_classes + labels[row as usize] as usize] += 1;
            }
            let most = |c: usize| {
                let part = &counts[c * n_classes..(c + 1) * n_classes];
                (0..n_classes).max_by_key(|&k| (part[k], std::cmp::Reverse(k))).unwrap_or(0)
            };
            let mut totals = vec![0u32; n_classes];
            test.iter().for_each(|&r| totals[labels[r as usize] as usize] += 1);
            let guess = test.len() - totals.iter().max().copied().unwrap_or(0) as usize;
            let wrong = test.iter().filter(|&&r| most(code(r)) != labels[r as usize] as usize).count();
            let right = 100.0 * (1.0 - wrong as f64 / test.len().max(1) as f64);
            ((wrong as f64) < MOST_ERROR * guess as f64).then(|| {
                format!("alone it predicts {right:.1} % of the rows rightly; is it known beforehand?")
            })
        }
        LeakTarget::Values(values) => {
            let mut sums = vec![(0.0, 0u32); 256];
            for &row in &learn {
                let sum = &mut sums[code(row)];
                *sum = (sum.0 + values[row as usize], sum.1 + 1);
            }
            let mean = learn.iter().map(|&r| values[r as usize]).sum::<f64>() / learn.len().max(1) as f64;
            let (mut left, mut guess) = (0.0, 0.0);
            for &row in &test {
                let (sum, n) = sums[code(row)];
                let guessed = if n > 0 { sum / f64::from(n) } else { mean };
                left += (values[row as usize] - guessed).powi(2);
                guess += (values[row as usize] - mean).powi(2);
            }
            let r2 = 1.0 - left / guess;
            (left < MOST_ERROR * guess)
                .then(|| format!("alone it explains the target (R2 {r2:.4}); is it known beforehand?"))
        }
    }
}
