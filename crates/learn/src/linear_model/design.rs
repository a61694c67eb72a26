//! The rows that linear models learn from: dense columns, then sparse ones.
//!
//! Dense columns are numbers; sparse ones are categories (one-hot) and bags of terms. Rows serve scores and
//! batches, columns serve coordinate descent and gradients, so sparse cells are held both ways.
//! Invariant: lengths agree, ids are below `n_sparse` and rise within a row, all numbers are finite.

use super::Unfit;
use ir::Bags;
use jobs::Threads;

/// What is summed over rows is summed in chunks of this many, and the sums are added in order.
pub(crate) const CHUNK_ROWS: usize = 1024;

/// A column whose variance is below this share of its squared mean is constant: what differs is rounding.
const CONSTANT: f64 = 1e-26;

/// Rows of numbers, `[n_rows, n_dense + n_sparse]`.
#[derive(Debug)]
pub(crate) struct Design {
    n_rows: usize,
    dense: Vec<f64>,
    n_dense: usize,
    rows: Bags,
    columns: Bags,
    n_sparse: usize,
}

/// Weighted mean and variance of each column; a constant column has variance 0.
#[derive(Debug)]
pub(crate) struct Moments {
    pub means: Vec<f64>,
    pub variances: Vec<f64>,
}

impl Design {
    /// `dense: [n_rows, n_dense]`, row-major; `sparse` has `n_rows` rows of rising ids below `n_sparse`.
    /// O(cells).
    ///
    /// # Errors
    /// `Shape`, `NotFinite` or `Ids`, when the parts do not fit together.
    pub fn try_new(
        n_rows: usize,
        dense: Vec<f64>,
        n_dense: usize,
        sparse: Bags,
        n_sparse: usize,
    ) -> Result<Design, Unfit> {
        let shape = |what, expected, got| Unfit::Shape { what, expected, got };
        let n_cells = n_rows.saturating_mul(n_dense);
        if dense.len() != n_cells {
            return Err(shape("dense cells", n_cells, dense.len()));
        }
        if sparse.n_rows() != n_rows {
            return Err(shape("sparse rows", n_rows, sparse.n_rows()));
        }
        if sparse.weights.len() != sparse.ids.len() {
            return Err(shape("sparse weights", sparse.ids.len(), sparse.weights.len()));
        }
        if sparse.offsets.last() != Some(&sparse.ids.len()) || !sparse.offsets.is_sorted() {
            return Err(Unfit::Ids { n_sparse });
        }
        let rises = |row: usize| {
            let ids = &sparse.ids[sparse.offsets[row]..sparse.offsets[row + 1]];
            ids.windows(2).all(|w| w[0] < w[1]) && ids.last().is_none_or(|&id| (id as usize) < n_sparse)
        };
        if !(0..n_rows).all(rises) {
            return Err(Unfit::Ids { n_sparse });
        }
        if u32::try_from(n_rows).is_err() {
            return Err(shape("rows, at most", u32::MAX as usize, n_rows));
        }
        if !dense.iter().chain(&sparse.weights).all(|x| x.is_finite()) {
            return Err(Unfit::NotFinite { what: "columns" });
        }
        let columns = transposed(&sparse, n_sparse);
        Ok(Design { n_rows, dense, n_dense, rows: sparse, columns, n_sparse })
    }

    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    pub fn n_dense(&self) -> usize {
        self.n_dense
    }

    pub fn n_sparse(&self) -> usize {
        self.n_sparse
    }

    pub fn n_columns(&self) -> usize {
        self.n_dense + self.n_sparse
    }

    /// Number of chunks that rows are summed in.
    pub fn n_chunks(&self) -> usize {
        self.n_rows.div_ceil(CHUNK_ROWS)
    }

    /// The rows of a chunk.
    pub fn chunk(&self, chunk: usize) -> std::ops::Range<usize> {
        chunk * CHUNK_ROWS..((chunk + 1) * CHUNK_ROWS).min(self.n_rows)
    }

    /// Dense cells of a row.
    pub fn dense_row(&self, row: usize) -> &[f64] {
        &self.dense[row * self.n_dense..(row + 1) * self.n_dense]
    }

    /// Sparse cells of a row: index of the sparse column, value.
    pub fn sparse_row(&self, row: usize) -> impl Iterator<Item = (usize, f64)> + '_ {
        self.rows.row(row).map(|(id, x)| (id as usize, x))
    }

    /// Cells of a sparse column: row, value; rows rise.
    pub fn sparse_column(&self, id: usize) -> impl Iterator<Item = (usize, f64)> + '_ {
        self.columns.row(id).map(|(row, x)| (row as usize, x))
    }

    /// `scores = intercepts + x_row coefficients`; `coefficients: [n_columns, n_outputs]`.
    pub fn scores(&self, row: usize, coefficients: &[f64], intercepts: &[f64], scores: &mut [f64]) {
        let n_outputs = intercepts.len();
        scores.copy_from_slice(intercepts);
        let dense = self.dense_row(row);
        let (of_dense, of_sparse) = coefficients.split_at(self.n_dense * n_outputs);
        if let [score] = scores {
            *score += dot(dense, of_dense);
            *score += self.sparse_row(row).map(|(id, x)| x * of_sparse[id]).sum::<f64>();
            return;
        }
        for (&x, w) in dense.iter().zip(of_dense.chunks_exact(n_outputs)) {
            add_scaled(scores, x, w);
        }
        for (id, x) in self.sparse_row(row) {
            add_scaled(scores, x, &of_sparse[id * n_outputs..(id + 1) * n_outputs]);
        }
    }

    /// `gradient += x_row^T slopes` on the dense columns; `gradient: [n_dense, n_outputs]`.
    pub fn add_dense_row(&self, row: usize, slopes: &[f64], gradient: &mut [f64]) {
        let dense = self.dense_row(row);
        if let [slope] = slopes {
            return add_scaled(gradient, *slope, dense);
        }
        for (&x, g) in dense.iter().zip(gradient.chunks_exact_mut(slopes.len())) {
            add_scaled(g, x, slopes);
        }
    }

    /// `gradient += x_row^T slopes` on all columns; `gradient: [n_columns, n_outputs]`.
    pub fn add_row(&self, row: usize, slopes: &[f64], gradient: &mut [f64]) {
        let n_outputs = slopes.len();
        let (of_dense, of_sparse) = gradient.split_at_mut(self.n_dense * n_outputs);
        self.add_dense_row(row, slopes, of_dense);
        for (id, x) in self.sparse_row(row) {
            add_scaled(&mut of_sparse[id * n_outputs..(id + 1) * n_outputs], x, slopes);
        }
    }

    /// Weighted moments of the columns, in two passes.
    pub fn moments(&self, row_weight: &(impl Fn(usize) -> f64 + Sync), threads: &Threads) -> Moments {
        let total: f64 = (0..self.n_rows).map(row_weight).sum();
        let mut means = self.sum_of_chunks(threads, |row, sums| {
            add_scaled(sums, row_weight(row), self.dense_row(row));
        });
        means.iter_mut().for_each(|m| *m /= total);
        let mut variances = self.sum_of_chunks(threads, |row, sums| {
            let v = row_weight(row);
            for ((s, &x), &m) in sums.iter_mut().zip(self.dense_row(row)).zip(&means) {
                *s += v * (x - m) * (x - m);
            }
        });
        variances.iter_mut().for_each(|s| *s /= total);
        let of_sparse = threads.map(self.n_sparse, |id| {
            let cells = || self.sparse_column(id).map(|(row, x)| (row_weight(row), x));
            let mean = cells().map(|(v, x)| v * x).sum::<f64>() / total;
            let (present, squares) =
                cells().fold((0.0, 0.0), |(n, s), (v, x)| (n + v, s + v * (x - mean) * (x - mean)));
            (mean, (squares + (total - present).max(0.0) * mean * mean) / total)
        });
        for (mean, variance) in of_sparse {
            means.push(mean);
            variances.push(variance);
        }
        for (variance, mean) in variances.iter_mut().zip(&means) {
            if *variance <= CONSTANT * mean * mean {
                *variance = 0.0;
            }
        }
        Moments { means, variances }
    }

    /// Dense columns less their means, column-major.
    pub fn centred_columns(&self, means: &[f64]) -> Vec<f64> {
        let mut columns = vec![0.0; self.dense.len()];
        for (column, cells) in columns.chunks_exact_mut(self.n_rows.max(1)).enumerate() {
            for (row, cell) in cells.iter_mut().enumerate() {
                *cell = self.dense[row * self.n_dense + column] - means[column];
            }
        }
        columns
    }

    /// A sum over rows of something with a number for each dense column.
    fn sum_of_chunks(&self, threads: &Threads, add: impl Fn(usize, &mut [f64]) + Sync + Send) -> Vec<f64> {
        let sums = threads.map(self.n_chunks(), |chunk| {
            let mut sums = vec![0.0; self.n_dense];
            self.chunk(chunk).for_each(|row| add(row, &mut sums));
            sums
        });
        let mut total = vec![0.0; self.n_dense];
        sums.iter().for_each(|s| add_scaled(&mut total, 1.0, s));
        total
    }
}

/// Cells by column: row `id` of the result holds the rows that have the id.
fn transposed(rows: &Bags, n_columns: usize) -> Bags {
    let mut offsets = vec![0usize; n_columns + 1];
    for &id in &rows.ids {
        offsets[id as usize + 1] += 1;
    }
    for column in 0..n_columns {
        offsets[column + 1] += offsets[column];
    }
    let mut next = offsets.clone();
    let mut columns = Bags { offsets, ids: vec![0; rows.ids.len()], weights: vec![0.0; rows.ids.len()] };
    for (number, row) in (0..rows.n_rows()).zip(0u32..) {
        for (id, x) in rows.row(number) {
            let place = &mut next[id as usize];
            columns.ids[*place] = row;
            columns.weights[*place] = x;
            *place += 1;
        }
    }
    columns
}

/// `sum_i a_i b_i`, in eight sums that are added in pairs: the order is part of the result, and lets the
/// compiler use vectors.
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0f64; 8];
    let (a8, b8) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f64 = a8.remainder().iter().zip(b8.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in a8.zip(b8) {
        for k in 0..8 {
            sums[k] += x[k] * y[k];
        }
    }
    let [a, b, c, d, e, f, g, h] = sums;
    (((a + b) + (c + d)) + ((e + f) + (g + h))) + rest
}

/// `sum += factor x`.
pub(crate) fn add_scaled(sum: &mut [f64], factor: f64, x: &[f64]) {
    for (s, &x) in sum.iter_mut().zip(x) {
        *s += factor * x;
    }
}
