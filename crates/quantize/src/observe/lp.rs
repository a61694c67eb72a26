//! `lp`: the range of the least error to some power.

use super::observer::{Observer, ObserverEntry};
use super::search::least_error;
use crate::grid::IntegerFormat;
use crate::statistics::Channel;
use params::{ParamSpec, Params, Range, Value};

/// The line of the table.
pub(super) static ENTRY: ObserverEntry = ObserverEntry {
    name: "lp",
    aliases: &[],
    doc: "the range of the least mean error to the power p of even steps",
    spec: &[ParamSpec {
        name: "p",
        aliases: &["norm"],
        default: Value::Real(2.4),
        range: Range::Real { low: 1.0, high: 8.0 },
        doc: "power of an error; the larger, the less is cut off",
    }],
    observer: &Lp,
};

struct Lp;

impl Observer for Lp {
    /// The range of the least `sum |x - level|^p`, from the histogram, among hundredths of the extremes.
    /// # Source  Nahshan et al., Loss aware post-training quantization, arXiv 1911.07190, section 4; 2.4 is what
    /// GPTQ and BRECQ take.
    fn range(&self, seen: &Channel, format: &IntegerFormat, params: &Params) -> (f64, f64) {
        least_error(&seen.whole(), format, params.real("p"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::laws::{bell, range};
    use super::*;

    #[test]
    fn the_square_is_mse_and_larger_powers_cut_off_less() {
        let seen = Channel::of(&bell(5000, 6));
        for bits in [2, 4, 8] {
            for format in [IntegerFormat::weights(bits).unwrap(), IntegerFormat::activations(bits).unwrap()] {
                assert_eq!(range("lp:p=2", &seen, &format), range("mse", &seen, &format));
                let of = |p: &str| range(p, &seen, &format).largest();
                assert!(of("lp:p=1") <= of("lp") && of("lp") <= of("lp:p=8"));
            }
        }
    }
}
