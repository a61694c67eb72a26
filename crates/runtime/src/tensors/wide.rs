//! Loops over floats, by the widest vectors that the machine has.

use super::each::Number;

/// Sums that grow side by side, so that vectors hold them.
const LANES: usize = 8;

/// The sum of what a function makes of each element: element `i` goes to sum `i % 8`, then the eight sums are added,
/// so the order is the same on every machine.
#[inline(always)]
pub(super) fn sum<T: Copy, S: Number>(v: &[T], f: impl Fn(T) -> S) -> S {
    let mut sums = [S::default(); LANES];
    let blocks = v.chunks_exact(LANES);
    let rest = blocks.remainder();
    for block in blocks {
        for (sum, &x) in sums.iter_mut().zip(block) {
            *sum = sum.plus(f(x));
        }
    }
    for (sum, &x) in sums.iter_mut().zip(rest) {
        *sum = sum.plus(f(x));
    }
    sums.into_iter().fold(S::default(), Number::plus)
}

/// Runs a loop that was compiled for each set of instructions, as the pulp crate finds them. What it calls, and itself,
/// must be inlined: `wide(#[inline(always)] || ..)` around plain loops, since a chain of iterators that ends in a function
/// of its own is compiled without these instructions. Sums and products are not fused, so values are those of the loop.
#[cfg(feature = "std")]
#[inline]
pub(super) fn wide<R>(run: impl FnOnce() -> R) -> R {
    pulp::Arch::new().dispatch(run)
}

/// Runs a loop.
#[cfg(not(feature = "std"))]
#[inline]
pub(super) fn wide<R>(run: impl FnOnce() -> R) -> R {
    run()
}
