//! The product of two matrices that lie in slices: by the `gemm` crate, or by plain loops where it is left out.

use super::each::Real;

/// A matrix inside a slice: element `(i, j)` stands at `i * row_step + j * column_step`.
#[derive(Clone, Copy)]
pub(super) struct Matrix<'v, T> {
    pub(super) values: &'v [T],
    pub(super) row_step: usize,
    pub(super) column_step: usize,
}

impl<'v, T> Matrix<'v, T> {
    /// Rows one after the other.
    pub(super) fn dense(values: &'v [T], columns: usize) -> Matrix<'v, T> {
        Matrix { values, row_step: columns, column_step: 1 }
    }

    /// Columns one after the other.
    pub(super) fn turned(values: &'v [T], rows: usize) -> Matrix<'v, T> {
        Matrix { values, row_step: 1, column_step: rows }
    }

    fn holds(&self, rows: usize, columns: usize) -> bool {
        let last = || {
            let down = rows.checked_sub(1)?.checked_mul(self.row_step)?;
            down.checked_add(columns.checked_sub(1)?.checked_mul(self.column_step)?)
        };
        last().is_some_and(|last| last < self.values.len())
    }
}

/// `out = a b`, `[m, k]` by `[k, n]`; rows of `out` stand `out_step` apart. Nothing is written where a matrix does not
/// fit its slice.
pub(super) fn product<T: Real>(
    out: &mut [T],
    out_step: usize,
    [m, k, n]: [usize; 3],
    a: Matrix<'_, T>,
    b: Matrix<'_, T>,
) {
    let fits = Matrix { values: &*out, row_step: out_step, column_step: 1 }.holds(m, n);
    if !fits {
        return;
    }
    if k == 0 || !a.holds(m, k) || !b.holds(k, n) {
        out.chunks_mut(out_step.max(1)).take(m).for_each(|row| row[..n].fill(T::default()));
        return;
    }
    multiply(out, out_step, [m, k, n], a, b);
}

#[cfg(feature = "std")]
#[expect(unsafe_code, reason = "the one call of the gemm crate, which takes pointers")]
fn multiply<T: Real>(
    out: &mut [T],
    out_step: usize,
    [m, k, n]: [usize; 3],
    a: Matrix<'_, T>,
    b: Matrix<'_, T>,
) {
    // SAFETY: `product` checks that all `m * n` places of `out`, and those of `a` and `b`, lie in their slices; `out` is
    // borrowed for writing, so it does not overlap the others.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out.as_mut_ptr(),
            1,
            out_step as isize,
            false,
            a.values.as_ptr(),
            a.column_step as isize,
            a.row_step as isize,
            b.values.as_ptr(),
            b.column_step as isize,
            b.row_step as isize,
            T::default(),
            T::ONE,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

#[cfg(not(feature = "std"))]
fn multiply<T: Real>(
    out: &mut [T],
    out_step: usize,
    [m, k, n]: [usize; 3],
    a: Matrix<'_, T>,
    b: Matrix<'_, T>,
) {
    for (i, row) in out.chunks_mut(out_step.max(1)).take(m).enumerate() {
        let row = &mut row[..n];
        row.fill(T::default());
        for l in 0..k {
            let x = a.values[i * a.row_step + l * a.column_step];
            for (j, sum) in row.iter_mut().enumerate() {
                *sum = sum.plus(x.times(b.values[l * b.row_step + j * b.column_step]));
            }
        }
    }
}
