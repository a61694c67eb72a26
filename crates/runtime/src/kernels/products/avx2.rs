//! Products of pairs with AVX2: `vpmaddwd` on activations of 16 bits and weights of 8 or 16.
//!
//! A pair of a row stands in all lanes; a product of two pairs is summed in 32 bits, exactly, which `vpmaddubsw`
//! with its 16 bits could not do.
#![expect(
    unsafe_code,
    reason = "instructions of one set, and loads by pointers whose bounds are checked first"
)]

use super::{PAIR, Panels, Rows, Span, sweep};
use crate::isa::{Isa, Machine};
use crate::kernels::LANES;
use crate::kernels::ending::{Ending, Sink};
use core::arch::x86_64::{
    __m256i, _mm_loadu_si128, _mm256_add_epi32, _mm256_cvtepi8_epi16, _mm256_loadu_si256, _mm256_madd_epi16,
    _mm256_set1_epi32, _mm256_setzero_si256, _mm256_storeu_si256,
};

/// Rows at once: 12 sums, the weights of a step and a pair of activations fit the 16 registers.
const ROWS: usize = 6;

/// Weights of a step of a panel, two outputs' pairs after the other, in 16 bits.
trait Weights: Copy + Default {
    /// # Safety
    /// `at` points to `2 * LANES` weights.
    unsafe fn step(at: *const Self) -> [__m256i; 2];
}

impl Weights for i8 {
    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn step(at: *const i8) -> [__m256i; 2] {
        // SAFETY: the caller gives 32 bytes.
        unsafe {
            let low = _mm_loadu_si128(at.cast());
            let high = _mm_loadu_si128(at.add(LANES).cast());
            [_mm256_cvtepi8_epi16(low), _mm256_cvtepi8_epi16(high)]
        }
    }
}

impl Weights for i16 {
    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn step(at: *const i16) -> [__m256i; 2] {
        // SAFETY: the caller gives 64 bytes.
        unsafe { [_mm256_loadu_si256(at.cast()), _mm256_loadu_si256(at.add(LANES).cast())] }
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn block<W: Weights, const R: usize>(
    cells: &[i16],
    stride: usize,
    n: usize,
    panel: &[W],
    out: &mut [[i32; LANES]],
) {
    let steps = panel.len() / (LANES * PAIR);
    // Rows that there are not repeat the last one.
    let starts: [usize; R] = core::array::from_fn(|row| row.min(n.saturating_sub(1)) * stride);
    assert!(n > 0 && cells.len() >= starts[R - 1] + steps * PAIR && out.len() >= R, "rows of a product");
    let mut sums = [[_mm256_setzero_si256(); 2]; R];
    for step in 0..steps {
        // SAFETY: a panel has `LANES * PAIR` weights a step.
        let weights = unsafe { W::step(panel.as_ptr().add(step * LANES * PAIR)) };
        for (sums, start) in sums.iter_mut().zip(starts) {
            // SAFETY: every row has `steps` pairs from its start on, which was checked for the last one.
            let pair = unsafe { cells.as_ptr().add(start + step * PAIR).cast::<i32>().read_unaligned() };
            let pair = _mm256_set1_epi32(pair);
            sums[0] = _mm256_add_epi32(sums[0], _mm256_madd_epi16(pair, weights[0]));
            sums[1] = _mm256_add_epi32(sums[1], _mm256_madd_epi16(pair, weights[1]));
        }
    }
    for (out, sums) in out.iter_mut().zip(sums) {
        // SAFETY: `out` has 16 numbers of 32 bits, twice 8.
        unsafe {
            _mm256_storeu_si256(out.as_mut_ptr().cast(), sums[0]);
            _mm256_storeu_si256(out.as_mut_ptr().add(LANES / 2).cast(), sums[1]);
        }
    }
}

#[target_feature(enable = "avx2")]
fn swept<W: Weights>(rows: Rows<'_, i16>, panels: (&Panels<W>, Span), ending: (&Ending, &mut Sink<'_>)) {
    sweep::<_, _, ROWS>(rows, panels, ending, |cells, stride, n, panel, sums| match n {
        1 => block::<W, 1>(cells, stride, n, panel, sums),
        2 => block::<W, 2>(cells, stride, n, panel, sums),
        3 => block::<W, 3>(cells, stride, n, panel, sums),
        4 => block::<W, 4>(cells, stride, n, panel, sums),
        _ => block::<W, ROWS>(cells, stride, n, panel, sums),
    });
}

pub(super) fn narrow_pairs(
    machine: Machine,
    rows: Rows<'_, i16>,
    panels: (&Panels<i8>, Span),
    ending: (&Ending, &mut Sink<'_>),
) {
    assert!(machine.isa() >= Isa::Avx2, "a machine with AVX2");
    // SAFETY: this machine has AVX2, as AVX-512 has.
    unsafe { swept(rows, panels, ending) }
}

pub(super) fn pairs(
    machine: Machine,
    rows: Rows<'_, i16>,
    panels: (&Panels<i16>, Span),
    ending: (&Ending, &mut Sink<'_>),
) {
    assert!(machine.isa() >= Isa::Avx2, "a machine with AVX2");
    // SAFETY: as above.
    unsafe { swept(rows, panels, ending) }
}
