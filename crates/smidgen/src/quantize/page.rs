//! The page of a quantization, from its figures.

use super::{Guard, MaxDrop, QuantizeOptions, QuantizeReport};
use crate::{Error, Evaluated};
use ::quantize::{Effect, LayerReport};
use evaluate::report::{
    BesideLine, Demand, Distance, Histogram, LayerFigures, Quantization, RangeLine, Unit, quantization_html,
};
use std::path::Path;

/// Bins of a drawing.
const N_BINS: usize = 64;

/// The report of a quantization as one HTML page; `command` makes network and page again.
///
/// # Errors
/// The network was quantized without rows, or a drawing fails.
pub fn quantization_page(
    made: &QuantizeReport,
    options: &QuantizeOptions,
    command: &str,
) -> Result<String, Error> {
    let Some(effect) = made.effect else {
        return Err(Error::input(
            "report: a page compares both networks on rows; quantize with rows to calibrate on",
        ));
    };
    let both = made.evaluation.as_ref().and_then(|e| e.models.first_chunk::<2>());
    let name = |path: &Path| path.file_name().map_or(String::new(), |n| n.to_string_lossy().into_owned());
    let (source, title) = (name(&options.model), name(&options.output));
    let scheme = Some(options.recipe()).filter(|r| !r.is_empty());
    let page = quantization_html(&Quantization {
        bytes: made.bytes,
        n_rows: made.n_rows,
        distance: made.distance(effect),
        accuracy: both.and_then(|[a, b]| Some([a.score?, b.score?])),
        interval: both.and_then(|[_, b]| b.interval),
        ns_per_row: made.speed.map(|both| both.map(|s| s.ns_per_row)),
        demand: made.guarded.as_ref().map(|guard| demand(guard, made)),
        lines: lines(made, both, made.distance(effect)),
        sentences: made
            .evaluation
            .as_ref()
            .map_or(Vec::new(), |e| e.sentences(&[source.clone(), title.clone()])),
        classes: both.map_or(&[], |[a, _]| &a.classes),
        confusion: both.map(|both| both.each_ref().map(|e| &e.confusion[..])),
        observer: made.observer.clone(),
        layers: made.layers.iter().map(|layer| figures(layer, made)).collect(),
        floats: &made.floats,
        recipe: vec![
            ("scheme".to_owned(), scheme.unwrap_or_else(|| "the default".to_owned())),
            ("took".to_owned(), format!("{:.1} s", made.seconds)),
        ],
        command: command.to_owned(),
        title,
        source,
    });
    page.map_err(|e| Error::bug(e.to_string()))
}

impl QuantizeReport {
    fn distance(&self, effect: Effect) -> Distance {
        let labels = (self.n_classes > 0).then_some((effect.agreement, effect.divergence));
        Distance { labels, noise: effect.noise }
    }
}

impl MaxDrop {
    /// The bound and what it is one of.
    pub(super) fn bound(self, has_truth: bool) -> String {
        match (self, has_truth) {
            (MaxDrop::Absolute(_), true) => format!("{self} of accuracy"),
            (MaxDrop::Relative(_), true) => format!("{self} of the float network's error"),
            (_, false) => format!("{self} of the rows"),
        }
    }
}

fn demand(guard: &Guard, made: &QuantizeReport) -> Demand {
    Demand {
        bound: guard.max_drop.bound(made.evaluation.is_some()),
        holds: made.unmet.is_none(),
        drop: guard.drop,
        interval: guard.interval,
        wide: guard.wide.clone(),
        widest: guard.widest.clone(),
        floats: guard.floats.clone(),
        n_checks: guard.n_checks,
        passes: guard.passes,
    }
}

/// Figures of both networks: metrics, how far apart they are, what they cost.
fn lines(made: &QuantizeReport, both: Option<&[Evaluated; 2]>, distance: Distance) -> Vec<BesideLine> {
    let line = |name: &str, meaning, unit, float: Option<f64>, integer: Option<f64>| BesideLine {
        name: name.to_owned(),
        meaning,
        unit,
        float,
        integer,
    };
    let mut lines = Vec::new();
    if let Some([float, integer]) = both {
        for (name, value) in &float.metrics {
            let less = metrics::metric(name).is_ok_and(|m| !m.greater_is_better);
            let other = integer.metrics.iter().find(|(n, _)| n == name).map(|(_, v)| *v);
            let meaning = if less { "less is better" } else { "more is better" };
            lines.push(line(name, meaning, Unit::Score, Some(*value), other));
        }
    }
    if let Some((agreement, divergence)) = distance.labels {
        let of = "share of rows with the float network's label";
        lines.push(line("agreement", of, Unit::Share, None, Some(agreement)));
        let of = "KL divergence from the float network's probabilities, nats";
        lines.push(line("divergence", of, Unit::Score, None, Some(divergence)));
    }
    if !made.forms.is_empty() {
        let [n, differing] = made.forms.iter().fold([0, 0], |[n, d], f| [n + f.n, d + f.differing]);
        let of = "codes of the integer form that are a step from those of the QDQ form, on equal inputs";
        let share = Some(differing as f64 / n.max(1) as f64);
        lines.push(line("codes apart", of, Unit::Share, None, share));
    }
    let of = "power of the outputs' error against that of the outputs";
    lines.push(line("noise", of, Unit::Score, None, Some(distance.noise)));
    let [a, b] = made.bytes.map(|n| Some(n as f64));
    lines.push(line("size of the file", "", Unit::Bytes, a, b));
    let [a, b] = made.row_costs.map(|c| Some(c.multiply_adds as f64));
    lines.push(line("multiply-adds", "of one row", Unit::Count, a, b));
    let [a, b] = made.row_costs.map(|c| Some(c.on_integers as f64));
    lines.push(line("on integers", "those of them whose factors are integers", Unit::Count, a, b));
    let [a, b] = made.row_costs.map(|c| c.peak_bytes.map(|n| n as f64));
    let of =
        "values of one row that live at once, without weights; with integers also what their engines need";
    lines.push(line("peak memory", of, Unit::Bytes, a, b));
    if let Some([a, b]) = made.speed {
        let of = "in batch, on one thread of this machine";
        lines.push(line("time of a row", of, Unit::Nanoseconds, Some(a.ns_per_row), Some(b.ns_per_row)));
        lines.push(line("time of a single row", "", Unit::Nanoseconds, Some(a.ns_single), Some(b.ns_single)));
    }
    lines
}

fn figures(of: &LayerReport, made: &QuantizeReport) -> LayerFigures {
    let bins = of.bins(N_BINS);
    let range = |&(name, low, high, error): &(&'static str, f32, f32, f64)| RangeLine {
        name,
        range: [low.into(), high.into()],
        error,
    };
    LayerFigures {
        name: of.name.clone(),
        op: of.op,
        bits: of.bits,
        n_weights: of.n_weights,
        signal_to_noise: [of.signal_to_noise, of.corrected],
        alone: made.distance(of.alone),
        causes: of.causes.iter().map(|c| c.describe()).collect(),
        remedy: of.remedy.as_ref().map(|(remedy, effect)| (remedy.describe(), made.distance(*effect))),
        range: [of.range.0.into(), of.range.1.into()],
        beyond: of.saturated,
        zeros: of.zeros(),
        histogram: Histogram { low: bins.low, high: bins.high, counts: bins.counts },
        observers: of.observers.iter().map(range).collect(),
    }
}
