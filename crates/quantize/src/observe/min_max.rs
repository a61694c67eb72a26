//! `min_max`: from the least to the largest value.
//!
//! Nothing is cut off, so one outlier makes all steps coarse.

use super::observer::{Observer, ObserverEntry};
use crate::grid::IntegerFormat;
use crate::statistics::Channel;
use params::Params;

/// The line of the table.
pub(super) static ENTRY: ObserverEntry = ObserverEntry {
    name: "min_max",
    aliases: &["minmax"],
    doc: "from the least to the largest value",
    spec: &[],
    observer: &MinMax,
};

struct MinMax;

impl Observer for MinMax {
    /// `[min x, max x]`.
    /// # Source  Jacob et al., Quantization and training of neural networks for efficient integer-arithmetic-only
    /// inference, CVPR 2018, section 3.
    fn range(&self, seen: &Channel, _: &IntegerFormat, _: &Params) -> (f64, f64) {
        let (low, high) = seen.whole().extremes().unwrap_or_default();
        (low.into(), high.into())
    }
}
