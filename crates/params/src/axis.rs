//! How a parameter is searched: part of its range, on a scale, as a place between 0 and 1.

use std::fmt;

/// A parameter that a search changes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Axis {
    /// Name of the parameter.
    pub name: &'static str,
    /// The values that are tried.
    pub scale: Scale,
}

/// Values of an axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scale {
    /// Whole numbers, both ends included, evenly in their logarithm.
    Int(i64, i64),
    /// Numbers, both ends included, evenly.
    Even(f64, f64),
    /// Positive numbers, both ends included, evenly in their logarithm.
    Log(f64, f64),
    /// Words.
    Words(&'static [&'static str]),
}

/// Digits of a number that is tried: a person may read and copy it.
const DIGITS: i32 = 3;

impl Axis {
    /// The value at a place in `0..=1`, as a user would write it.
    pub fn text(&self, place: f64) -> String {
        let place = place.clamp(0.0, 1.0);
        match self.scale {
            Scale::Int(low, high) => {
                let [from, to] = [low, high].map(|end| above_zero(end as f64, low).ln());
                let value = between(from, to, place).exp() - above_zero(0.0, low);
                (value.round() as i64).clamp(low, high).to_string()
            }
            Scale::Even(low, high) => short(between(low, high, place), low, high),
            Scale::Log(low, high) => short(between(low.ln(), high.ln(), place).exp(), low, high),
            Scale::Words(words) => {
                let at = (place * words.len() as f64) as usize;
                words.get(at.min(words.len().saturating_sub(1))).copied().unwrap_or_default().to_owned()
            }
        }
    }

    /// The place of a value; the middle for one that the axis does not have.
    pub fn place(&self, value: &dyn fmt::Display) -> f64 {
        let text = value.to_string();
        let number = text.parse::<f64>().ok();
        let of = |low: f64, high: f64, number: f64| ((number - low) / (high - low)).clamp(0.0, 1.0);
        let place = match self.scale {
            Scale::Int(low, high) => number.map(|n| {
                let [from, to, n] = [low as f64, high as f64, n].map(|v| above_zero(v, low).ln());
                of(from, to, n)
            }),
            Scale::Even(low, high) => number.map(|n| of(low, high, n)),
            Scale::Log(low, high) => number.filter(|n| *n > 0.0).map(|n| of(low.ln(), high.ln(), n.ln())),
            Scale::Words(words) => {
                words.iter().position(|w| *w == text).map(|at| (at as f64 + 0.5) / words.len().max(1) as f64)
            }
        };
        place.filter(|p| p.is_finite()).unwrap_or(0.5)
    }
}

/// A number of an axis that begins at `low`, moved up so that all have a logarithm.
fn above_zero(number: f64, low: i64) -> f64 {
    number + (1 - low).max(0) as f64
}

fn between(low: f64, high: f64, place: f64) -> f64 {
    low + (high - low) * place
}

/// A few digits of a number, within its ends.
fn short(number: f64, low: f64, high: f64) -> String {
    let size = number.abs().log10().floor();
    if !size.is_finite() {
        return number.to_string();
    }
    let unit = 10f64.powi(DIGITS - 1 - size as i32);
    ((number * unit).round() / unit).clamp(low, high).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_and_values() {
        let axis = |scale| Axis { name: "x", scale };
        let words = Scale::Words(&["no", "yes"]);
        let cases = [
            (Scale::Int(4, 256), 0.0, "4"),
            (Scale::Int(4, 256), 0.5, "32"),
            (Scale::Int(4, 256), 1.0, "256"),
            (Scale::Int(0, 8), 0.0, "0"),
            (Scale::Even(0.5, 1.0), 0.5, "0.75"),
            (Scale::Log(1e-3, 0.1), 0.5, "0.01"),
            (Scale::Log(1e-3, 0.1), 0.77, "0.0347"),
            (Scale::Log(1e-3, 0.1), 2.0, "0.1"),
            (words, 0.2, "no"),
            (words, 0.5, "yes"),
            (words, 1.0, "yes"),
        ];
        for (scale, place, text) in cases {
            assert_eq!(axis(scale).text(place), text, "{scale:?} at {place}");
        }
        // A value's place gives it back.
        for scale in [Scale::Int(2, 300), Scale::Even(-1.0, 3.0), Scale::Log(0.01, 5.0), words] {
            for step in 0..=20 {
                let text = axis(scale).text(f64::from(step) / 20.0);
                assert_eq!(axis(scale).text(axis(scale).place(&text)), text, "{scale:?}");
            }
        }
        assert_eq!(axis(Scale::Log(0.1, 1.0)).place(&"none"), 0.5);
        assert_eq!(axis(Scale::Log(0.1, 1.0)).place(&0), 0.5);
    }
}
