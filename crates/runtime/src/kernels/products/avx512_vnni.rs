//! Products of quads with AVX-512 VNNI: `vpdpbusd` on unsigned activations and signed weights of 8 bits.
//!
//! Four products are summed in 32 bits without saturation.
#![expect(
    unsafe_code,
    reason = "instructions of one set, and loads by pointers whose bounds are checked first"
)]

use super::{Panels, QUAD, Rows, Span, sweep};
use crate::isa::{Isa, Machine};
use crate::kernels::LANES;
use crate::kernels::ending::{Ending, Sink};
use core::arch::x86_64::{
    _mm512_dpbusd_epi32, _mm512_loadu_si512, _mm512_set1_epi32, _mm512_setzero_si512, _mm512_storeu_si512,
};

/// Rows at once: so many sums hide the latency of an instruction, and its loads keep pace.
const ROWS: usize = 14;

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn block<const R: usize>(cells: &[u8], stride: usize, n: usize, panel: &[i8], out: &mut [[i32; LANES]]) {
    let steps = panel.len() / (LANES * QUAD);
    // Rows that there are not repeat the last one.
    let starts: [usize; R] = core::array::from_fn(|row| row.min(n.saturating_sub(1)) * stride);
    assert!(n > 0 && cells.len() >= starts[R - 1] + steps * QUAD && out.len() >= R, "rows of a product");
    let mut sums = [_mm512_setzero_si512(); R];
    for step in 0..steps {
        // SAFETY: a panel has `LANES * QUAD` = 64 weights a step.
        let weights = unsafe { _mm512_loadu_si512(panel.as_ptr().add(step * LANES * QUAD).cast()) };
        for (sum, start) in sums.iter_mut().zip(starts) {
            // SAFETY: every row has `steps` quads from its start on, which was checked for the last one.
            let quad = unsafe { cells.as_ptr().add(start + step * QUAD).cast::<i32>().read_unaligned() };
            *sum = _mm512_dpbusd_epi32(*sum, _mm512_set1_epi32(quad), weights);
        }
    }
    for (out, sum) in out.iter_mut().zip(sums) {
        // SAFETY: `out` has 16 numbers of 32 bits.
        unsafe { _mm512_storeu_si512(out.as_mut_ptr().cast(), sum) }
    }
}

#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl,avx512vnni")]
fn swept(rows: Rows<'_, u8>, panels: (&Panels<i8>, Span), ending: (&Ending, &mut Sink<'_>)) {
    sweep::<_, _, ROWS>(rows, panels, ending, |cells, stride, n, panel, sums| match n {
        1 => block::<1>(cells, stride, n, panel, sums),
        2..=4 => block::<4>(cells, stride, n, panel, sums),
        5..=8 => block::<8>(cells, stride, n, panel, sums),
        _ => block::<ROWS>(cells, stride, n, panel, sums),
    });
}

pub(super) fn quads(
    machine: Machine,
    rows: Rows<'_, u8>,
    panels: (&Panels<i8>, Span),
    ending: (&Ending, &mut Sink<'_>),
) {
    assert!(machine.isa() >= Isa::Avx512Vnni, "a machine with AVX-512 VNNI");
    // SAFETY: this machine has AVX-512 F, BW, VL and VNNI, and AVX2.
    unsafe { swept(rows, panels, ending) }
}
