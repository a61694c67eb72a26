//! Layers that go back to more bits until a demand is met.

use super::MaxDrop;
use super::interrupted;
use super::judge::{Judge, Ran};
use crate::Error;
use ::quantize::{Exceptions, LayerReport, Observed, Precision, Quantized, Verdict, guard, path};

/// Layers that went back to more bits.
#[derive(Clone, Debug, PartialEq)]
pub struct Guard {
    /// What was demanded.
    pub max_drop: MaxDrop,
    /// What is lost, by the measure of the demand.
    pub drop: f64,
    /// Where that lies on other rows of the same kind, in 95 of 100 cases.
    pub interval: [f64; 2],
    /// Names of layers that take 16 bits.
    pub wide: Vec<String>,
    /// Names of layers whose weights have 16 bits too.
    pub widest: Vec<String>,
    /// Names of layers that stay floats.
    pub floats: Vec<String>,
    /// Networks that were compared with the float one.
    pub n_checks: usize,
    /// Rows that these ran on, in runs over all rows: one that loses too much for certain stops.
    pub passes: f64,
}

/// A network that meets a demand, or one of floats that does not either.
pub(super) struct Held {
    pub(super) guard: Guard,
    /// The demand, where it was not met.
    pub(super) unmet: Option<String>,
    pub(super) exceptions: Exceptions,
    pub(super) quantized: Quantized,
    /// Its run on all rows, if there was one.
    pub(super) ran: Option<Ran>,
}

/// Finds layers that must go back to more bits.
///
/// # Errors
/// A network does not run on the rows, or gives no classes.
pub(super) fn hold(
    max_drop: MaxDrop,
    judge: &Judge<'_>,
    (observed, layers): (&Observed<'_>, &[LayerReport]),
    round: &dyn Fn(&Exceptions) -> Result<Quantized, ::quantize::Error>,
) -> Result<Held, Error> {
    let all = |precision| round(&layers.iter().map(|layer| (layer.node, precision)).collect());
    let path = path(observed, layers, &all, &mut || interrupted(judge.ctx))?;
    let mut accepted: Option<(Verdict, Quantized, Option<Ran>)> = None;
    let found = guard(&path, layers.len(), &mut |exceptions| {
        let tried = round(exceptions)?;
        let (verdict, ran) = judge.verdict(&tried.graph, max_drop)?;
        // As the guard does: the last one that holds, or the last one.
        if verdict.holds || accepted.as_ref().is_none_or(|(known, ..)| !known.holds) {
            accepted = Some((verdict, tried, ran));
        }
        Ok(verdict)
    })?;
    let Some((Verdict { holds, drop, interval, .. }, quantized, ran)) = accepted else {
        return Err(Error::bug("quantize: a guard that compared no network"));
    };
    let names = |level: Precision| {
        let chosen = layers.iter().filter(|l| found.precision.get(&l.node) == Some(&level));
        chosen.map(|l| l.name.clone()).collect()
    };
    let unmet = format!(
        "{:.3} points are lost even with all layers in floats, at most {} was demanded",
        100.0 * drop,
        max_drop.bound(judge.truth.is_some())
    );
    let guard = Guard {
        max_drop,
        drop,
        interval,
        wide: names(Precision::Wide),
        widest: names(Precision::Widest),
        floats: names(Precision::Float),
        n_checks: found.n_checks,
        passes: found.passes,
    };
    Ok(Held { guard, unmet: (!holds).then_some(unmet), exceptions: found.precision, quantized, ran })
}
