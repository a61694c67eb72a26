//! Ridge regression by its normal equations.

use super::design::{Moments, add_scaled};
use super::{Problem, Unfit, Weights};
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::{cholesky::llt, evd, matmul};
use faer::{Accum, Mat, MatRef, Par};
use jobs::Ctx;

/// Equations that are solved at most: their matrix takes 2 GiB, and as much again while it is solved.
const MOST_EQUATIONS: usize = 16_384;
/// Rows that are centred at a time.
const PIECE_ROWS: usize = 4096;
/// Columns of the matrix that one task sums.
const TASK_COLUMNS: usize = 64;
/// A pivot below this, of a matrix with ones on its diagonal, means that columns depend on each other.
const LEAST_PIVOT: f64 = 1e-11;
/// Eigenvalues below this share of the largest are 0 but for rounding.
const LEAST_EIGENVALUE: f64 = 1e-12;

/// Minimises the objective with `Loss::Squared` and no absolute penalty: on centred columns
///
/// ```text
/// (X'VX + l2 P^2) w = X'V y                                   while there are no more columns than rows, else
/// w = P^-2 X'V^(1/2) a,  (V^(1/2) X P^-2 X' V^(1/2) + l2) a = V^(1/2) y    if every column is penalised
/// ```
/// by Cholesky's factors. Columns that depend on each other, with nothing that chooses among their weights,
/// get those of least `sum_j variance_j w_j^2`, by eigenvalues; so equal columns share their weight.
/// O(cells n_columns) on all threads and O(n^3) on one, `n` the smaller of rows and columns.
/// # Errors  `Equations` beyond 16384 of them, `Decomposition` if eigenvalues do not converge.
/// # Source  Hoerl & Kennard, Technometrics 12, 1970; Saunders, Gammerman, Vovk, ICML 1998 (the second form).
pub(crate) fn solve(problem: &Problem<'_>, ctx: &Ctx<'_>) -> Result<Weights, Unfit> {
    let design = problem.design;
    let total = problem.total_weight();
    let moments = design.moments(&|row| problem.row_weight(row), ctx.threads);
    let mean =
        (0..design.n_rows()).map(|row| problem.row_weight(row) * problem.targets[row]).sum::<f64>() / total;
    let errors: Vec<f64> = problem.targets.iter().map(|y| y - mean).collect();
    let penalised = (0..design.n_columns()).all(|column| problem.l2_of(column) > 0.0);
    let by_rows = design.n_columns() > design.n_rows() && (penalised || problem.l2 == 0.0);
    let n = if by_rows { design.n_rows() } else { design.n_columns() };
    if n > MOST_EQUATIONS {
        return Err(Unfit::Equations { n, most: MOST_EQUATIONS });
    }
    let coefficients = if by_rows {
        by_rows_solution(problem, &moments, &errors, ctx)?
    } else {
        by_columns_solution(problem, &moments, &errors, ctx)?
    };
    let moved: f64 = coefficients.iter().zip(&moments.means).map(|(w, m)| w * m).sum();
    Ok(Weights { coefficients, intercepts: vec![mean - moved], n_iterations: 0, converged: true })
}

/// The first form: one equation a column.
fn by_columns_solution(
    problem: &Problem<'_>,
    moments: &Moments,
    errors: &[f64],
    ctx: &Ctx<'_>,
) -> Result<Vec<f64>, Unfit> {
    let design = problem.design;
    let n = design.n_columns();
    let mut matrix = products_of_columns(problem, moments, ctx);
    let mut right = vec![0.0; n];
    let mut sum = 0.0;
    for (row, &error) in errors.iter().enumerate() {
        let slope = problem.row_weight(row) * error;
        sum += slope;
        design.add_row(row, &[slope], &mut right);
    }
    add_scaled(&mut right, -sum, &moments.means);
    let mut scales = vec![0.0; n];
    for column in 0..n {
        matrix[(column, column)] += problem.l2_of(column);
        if moments.variances[column] > 0.0 && matrix[(column, column)] > 0.0 {
            scales[column] = 1.0 / matrix[(column, column)].sqrt();
        }
    }
    symmetric_solution(matrix, right, &scales)
}

/// The second form: one equation a row.
fn by_rows_solution(
    problem: &Problem<'_>,
    moments: &Moments,
    errors: &[f64],
    ctx: &Ctx<'_>,
) -> Result<Vec<f64>, Unfit> {
    let design = problem.design;
    let n = design.n_rows();
    // P^-2; without a penalty the inverse variance, so that the least weights are those of the first form.
    let of_column = |column: usize| match (moments.variances[column], problem.factor(column)) {
        (0.0, _) => 0.0,
        (variance, _) if problem.l2 == 0.0 => 1.0 / variance,
        (_, p) => 1.0 / (p * p),
    };
    let squares: Vec<f64> = (0..design.n_columns()).map(of_column).collect();
    let roots: Vec<f64> = (0..n).map(|row| problem.row_weight(row).sqrt()).collect();
    let mut matrix = products_of_rows(problem, moments, &squares, ctx);
    let mut most = 0.0f64;
    for row in 0..n {
        for other in 0..=row {
            matrix[(row, other)] *= roots[row] * roots[other];
        }
        matrix[(row, row)] += problem.l2;
        most = most.max(matrix[(row, row)]);
    }
    let scale = if most > 0.0 { 1.0 / most.sqrt() } else { 0.0 };
    let right = errors.iter().zip(&roots).map(|(e, root)| e * root).collect();
    let shares = symmetric_solution(matrix, right, &vec![scale; n])?;
    let mut coefficients = vec![0.0; design.n_columns()];
    let mut sum = 0.0;
    for (row, (share, root)) in shares.iter().zip(&roots).enumerate() {
        sum += share * root;
        design.add_row(row, &[share * root], &mut coefficients);
    }
    for ((w, m), square) in coefficients.iter_mut().zip(&moments.means).zip(&squares) {
        *w = square * (*w - sum * m);
    }
    Ok(coefficients)
}

/// `sum_i v_i (x_ij - m_j) (x_ik - m_k)`, on and below the diagonal.
fn products_of_columns(problem: &Problem<'_>, moments: &Moments, ctx: &Ctx<'_>) -> Mat<f64> {
    let design = problem.design;
    let (n_dense, n) = (design.n_dense(), design.n_columns());
    let mut matrix = Mat::zeros(n, n);
    let firsts = (0..n_dense).step_by(TASK_COLUMNS);
    let width = |first: usize| TASK_COLUMNS.min(n_dense - first);
    let mut blocks: Vec<(usize, Mat<f64>)> =
        firsts.map(|first| (first, Mat::zeros(width(first), first + width(first)))).collect();
    for piece in (0..if n_dense > 0 { design.n_rows() } else { 0 }).step_by(PIECE_ROWS) {
        let rows = piece..(piece + PIECE_ROWS).min(design.n_rows());
        let mut cells = Vec::with_capacity(rows.len() * n_dense);
        for row in rows.clone() {
            let root = problem.row_weight(row).sqrt();
            cells.extend(design.dense_row(row).iter().zip(&moments.means).map(|(x, m)| root * (x - m)));
        }
        let cells = MatRef::from_row_major_slice(&cells, rows.len(), n_dense);
        ctx.threads.each(&mut blocks, |_, (first, block)| {
            let (left, right) =
                (cells.subcols(*first, width(*first)), cells.subcols(0, *first + width(*first)));
            matmul::matmul(block.as_mut(), Accum::Add, left.transpose(), right, 1.0, Par::Seq);
        });
    }
    for (first, block) in &blocks {
        for row in 0..block.nrows() {
            (0..=first + row).for_each(|column| matrix[(first + row, column)] = block[(row, column)]);
        }
    }
    // A sparse column with all before it: cells that are absent count only through the means.
    let total = problem.total_weight();
    let of_sparse = ctx.threads.map(design.n_sparse(), |id| {
        let mut sums = vec![0.0; n];
        for (row, x) in design.sparse_column(id) {
            let vx = problem.row_weight(row) * x;
            for ((s, x), m) in sums.iter_mut().zip(design.dense_row(row)).zip(&moments.means) {
                *s += vx * (x - m);
            }
            design
                .sparse_row(row)
                .take_while(|cell| cell.0 <= id)
                .for_each(|(k, x)| sums[n_dense + k] += vx * x);
        }
        sums.truncate(n_dense + id + 1);
        let mean = total * moments.means[n_dense + id];
        add_scaled(&mut sums[n_dense..], -mean, &moments.means[n_dense..]);
        sums
    });
    for (id, sums) in of_sparse.iter().enumerate() {
        sums.iter().enumerate().for_each(|(column, &s)| matrix[(n_dense + id, column)] = s);
    }
    matrix
}

/// `sum_j squares_j (x_ij - m_j) (x_kj - m_j)`, on and below the diagonal.
fn products_of_rows(problem: &Problem<'_>, moments: &Moments, squares: &[f64], ctx: &Ctx<'_>) -> Mat<f64> {
    let design = problem.design;
    let (n_dense, n) = (design.n_dense(), design.n_rows());
    let (dense_means, means) = moments.means.split_at(n_dense);
    let (dense_squares, squares) = squares.split_at(n_dense);
    let means_square: f64 = means.iter().zip(squares).map(|(m, s)| s * m * m).sum();
    let with_means: Vec<f64> =
        (0..n).map(|row| design.sparse_row(row).map(|(id, x)| squares[id] * means[id] * x).sum()).collect();
    let rows = ctx.threads.map(n, |row| {
        let centred: Vec<f64> = design
            .dense_row(row)
            .iter()
            .zip(dense_means)
            .zip(dense_squares)
            .map(|((x, m), s)| s * (x - m))
            .collect();
        let shift = means_square - with_means[row];
        let mut products: Vec<f64> = with_means[..=row].iter().map(|other| shift - other).collect();
        for (other, product) in products.iter_mut().enumerate() {
            let cells = design.dense_row(other).iter().zip(dense_means).zip(&centred);
            *product += cells.map(|((x, m), c)| c * (x - m)).sum::<f64>();
        }
        for (id, x) in design.sparse_row(row) {
            let sx = squares[id] * x;
            design
                .sparse_column(id)
                .take_while(|cell| cell.0 <= row)
                .for_each(|(k, x)| products[k] += sx * x);
        }
        products
    });
    let mut matrix = Mat::zeros(n, n);
    for (row, products) in rows.iter().enumerate() {
        products.iter().enumerate().for_each(|(other, &p)| matrix[(row, other)] = p);
    }
    matrix
}

/// `x` with `matrix x = right` for a matrix without negative eigenvalues, given on and below its diagonal.
/// Solved for `x / scales`, with the matrix scaled on both sides; of several solutions the least in these
/// units. Where the scale is 0, `x` is 0.
fn symmetric_solution(mut matrix: Mat<f64>, mut right: Vec<f64>, scales: &[f64]) -> Result<Vec<f64>, Unfit> {
    let n = right.len();
    if n == 0 {
        return Ok(right);
    }
    for column in 0..n {
        for row in column..n {
            matrix[(row, column)] *= scales[row] * scales[column];
        }
        right[column] *= scales[column];
        if scales[column] == 0.0 {
            matrix[(column, column)] = 1.0;
        }
    }
    let mut factor = matrix.clone();
    let need = llt::factor::cholesky_in_place_scratch::<f64>(n, Par::Seq, Default::default());
    let mut memory = MemBuffer::new(need);
    let factored = llt::factor::cholesky_in_place(
        factor.as_mut(),
        Default::default(),
        Par::Seq,
        MemStack::new(&mut memory),
        Default::default(),
    );
    let independent = (0..n).all(|k| factor[(k, k)] * factor[(k, k)] > LEAST_PIVOT);
    let mut solution = Mat::from_fn(n, 1, |row, _| right[row]);
    if factored.is_ok() && independent {
        let need = llt::solve::solve_in_place_scratch::<f64>(n, 1, Par::Seq);
        let mut memory = MemBuffer::new(need);
        let stack = MemStack::new(&mut memory);
        llt::solve::solve_in_place(factor.as_ref(), solution.as_mut(), Par::Seq, stack);
    } else {
        solution = least_solution(&matrix, &solution)?;
    }
    Ok(scales.iter().enumerate().map(|(row, scale)| scale * solution[(row, 0)]).collect())
}

/// The least `x` that minimises `|matrix x - right|`, by eigenvalues.
fn least_solution(matrix: &Mat<f64>, right: &Mat<f64>) -> Result<Mat<f64>, Unfit> {
    let n = matrix.nrows();
    let mut values = faer::diag::Diag::<f64>::zeros(n);
    let mut vectors = Mat::<f64>::zeros(n, n);
    let with_vectors = evd::ComputeEigenvectors::Yes;
    let need = evd::self_adjoint_evd_scratch::<f64>(n, with_vectors, Par::Seq, Default::default());
    let mut memory = MemBuffer::new(need);
    let stack = MemStack::new(&mut memory);
    evd::self_adjoint_evd(
        matrix.as_ref(),
        values.as_mut(),
        Some(vectors.as_mut()),
        Par::Seq,
        stack,
        Default::default(),
    )
    .map_err(|_| Unfit::Decomposition { n })?;
    let most = (0..n).map(|k| values[k]).fold(0.0, f64::max);
    let mut shares = Mat::zeros(n, 1);
    matmul::matmul(shares.as_mut(), Accum::Replace, vectors.transpose(), right, 1.0, Par::Seq);
    for k in 0..n {
        let inverse = if values[k] > LEAST_EIGENVALUE * most { 1.0 / values[k] } else { 0.0 };
        shares[(k, 0)] *= inverse;
    }
    let mut solution = Mat::zeros(n, 1);
    matmul::matmul(solution.as_mut(), Accum::Replace, vectors.as_ref(), &shares, 1.0, Par::Seq);
    Ok(solution)
}
