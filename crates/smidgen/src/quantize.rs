//! `quantize`: a network in fewer bits, what that cost, and why.

mod guarded;
mod judge;
mod page;
mod row_cost;
mod rows;
mod words;

pub use guarded::Guard;
pub use page::quantization_page;
pub use row_cost::RowCost;
pub use words::SchemeWords;

use crate::compare::{self, Evaluation};
use crate::evaluate::EvaluateOptions;
use crate::network::evaluate::on_rows;
use crate::network::feed::Feed;
use crate::network::head::{Answers, answers};
use crate::network::store::Made;
use crate::network::{Network, NetworkOptions};
use crate::output::{refuse_same_file, write_whole};
use crate::{Error, Speed};
use ::quantize::{
    Exceptions, FormSteps, LayerReport, Observed, Pipeline, Portability, Precision, Quantized, Role, Roles,
    Scheme, Told, between_forms, diagnose, dynamic, lower, mend, portability, weights_only,
};
use guarded::hold;
use ir::{Card, Graph, Node, NodeIdx};
use jobs::{Clock, Ctx, Threads};
use judge::{Judge, Ran, predicted};
use onnx::NetworkMeta;
use regex_lite::Regex;
use rows::Calibration;
use std::fmt;
use std::path::{Path, PathBuf};

/// What is quantized, and how.
#[derive(Clone, Debug, Default)]
pub struct QuantizeOptions {
    /// The network in ONNX.
    pub model: PathBuf,
    /// Rows to calibrate and to compare on; none for dynamic quantization and for weights alone.
    pub calibrate: Option<String>,
    /// Column of the classes of a table of images.
    pub target: Option<String>,
    /// Where the network is written: `.onnx` in QDQ form, `.smidgen` in integer form.
    pub output: PathBuf,
    /// Bits, grids, observers, as the user spells them.
    pub scheme: SchemeWords,
    /// Nodes whose names match stay floats.
    pub keep: Option<String>,
    /// Only nodes whose names match become integers.
    pub only: Option<String>,
    /// The most that may be lost; layers go back to more bits until it holds.
    pub max_drop: Option<MaxDrop>,
    /// How pixels become what the network takes, and where classes are.
    pub network: NetworkOptions,
}

/// The most that may be lost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum MaxDrop {
    /// So much accuracy (0.005 is half a point); without classes, so large a share of rows may answer otherwise.
    Absolute(f64),
    /// So large a share of the float network's error; without classes, of the rows.
    Relative(f64),
}

/// As the user writes it: `0.5%` or `0.005`.
impl fmt::Display for MaxDrop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MaxDrop::Absolute(drop) => write!(f, "{drop}"),
            // A hundred times a share of decimals is seldom one: 0.07 becomes 7.000000000000001.
            MaxDrop::Relative(share) => write!(f, "{}%", (1e12 * share).round() / 1e10),
        }
    }
}

/// What a quantization did.
#[derive(Debug)]
pub struct QuantizeReport {
    /// Rows that were calibrated and compared on; 0 without rows.
    pub n_rows: usize,
    /// Classes that the network tells apart; 0 for numbers, and without rows.
    pub n_classes: usize,
    /// Length of the network's file before, and behind.
    pub bytes: [u64; 2],
    /// What a row costs both.
    pub row_costs: [RowCost; 2],
    /// Nanoseconds of the float network and of the written one, where there were rows.
    pub speed: Option<[Speed; 2]>,
    /// Both networks on rows whose classes are known, the float one first.
    pub evaluation: Option<Evaluation>,
    /// How far answers of the written network are from those of the float one, on all rows.
    pub effect: Option<::quantize::Effect>,
    /// What was demanded of it, and what was found.
    pub guarded: Option<Guard>,
    /// Name of the observer that chooses the ranges of activations.
    pub observer: String,
    /// What each correction did, in order.
    pub corrections: Vec<Told>,
    /// What was done to each layer, in order.
    pub layers: Vec<LayerReport>,
    /// How far codes of the integer form are from those of the QDQ form, node by node on a few rows; none without rows.
    pub forms: Vec<FormSteps>,
    /// What engines that saturate would make of it; none where there are no products of 8 bits.
    pub portability: Option<Portability>,
    /// Nodes that compute with floats.
    pub floats: Vec<String>,
    /// The demand was not met.
    pub unmet: Option<String>,
    /// Seconds.
    pub seconds: f64,
}

/// Quantizes a network and writes it.
///
/// With rows, the float network sees them all once (twice if corrections change it); what was written runs on them, to be
/// compared. With [`QuantizeOptions::max_drop`] more of these runs follow, three or a tenth of the number of layers.
///
/// # Errors
/// The network or the rows cannot be read or do not fit; a scheme that there is not; the file cannot be written: then
/// nothing is.
pub fn quantize(options: &QuantizeOptions, ctx: &Ctx<'_>) -> Result<QuantizeReport, Error> {
    let clock = Clock::start();
    refuse_same_file(&options.output, &options.model.display().to_string())?;
    let form = Form::of(&options.output)?;
    let scheme = options.scheme.scheme(options.calibrate.is_some())?;
    let network = Network::load(&options.model)?;
    let is_kept = kept(options)?;
    let Some(data) = &options.calibrate else {
        let mended = mend(&network.graph, &scheme.corrections, None)?;
        let quantized = without_rows(options, &mended.graph, &scheme, &is_kept)?;
        let lowered = lower(&quantized.graph)?;
        let bytes = form.write(options, &network, &quantized.graph, &lowered.graph)?;
        let written = network.with_graph(lowered.graph);
        return Ok(QuantizeReport {
            n_rows: 0,
            n_classes: 0,
            bytes: [network.bytes, bytes],
            row_costs: [&network, &written].map(|of| RowCost::of(of, None)),
            speed: None,
            evaluation: None,
            effect: None,
            guarded: None,
            observer: scheme.activations.observer.entry().name.to_owned(),
            corrections: mended.told,
            layers: Vec::new(),
            forms: Vec::new(),
            portability: None,
            floats: lowered.floats,
            unmet: None,
            seconds: clock.seconds(),
        });
    };
    if scheme.pipeline != Pipeline::Static {
        return Err(Error::input(
            "--calibrate: ranges of dynamic quantization, and of weights alone, need no rows; leave it out, or evaluate what was written on them",
        ));
    }
    let feed = Feed::open(&network, data, options.target.as_deref(), &options.network)?;
    let rows = Calibration::new(&network, &feed)?;
    ctx.progress.stage("observing", Some(rows.n_rows() as u64));
    let mended = mend(&network.graph, &scheme.corrections, Some(&rows))?;
    let observed = Observed::of(&mended.graph, &rows, ctx.threads, &mut |n| {
        ctx.progress.advance(n as u64);
        interrupted(ctx)
    })?;
    let name = |idx: NodeIdx| mended.graph.nodes().get(idx.0 as usize).map_or("", |n| &n.name[..]);
    let round = |scheme: &Scheme, exceptions: &Exceptions| {
        observed.quantize(scheme, &|idx| {
            let asked = exceptions.get(&idx).copied().unwrap_or(Precision::Scheme);
            if is_kept(name(idx)) { Precision::Float } else { asked }
        })
    };
    let mut exceptions = Exceptions::new();
    let mut quantized = round(&scheme, &exceptions)?;
    ctx.progress.stage("looking at layers", None);
    let mut layers = diagnose(&observed, &scheme, &quantized, &mut || interrupted(ctx))?;
    // A network that was corrected first is another one than that which is compared.
    let float = if mended.told.is_empty() { rows.answers()? } else { answers(&network, &feed, ctx)? };
    let truth = rows.truth(options, &float)?;
    let judge = Judge { network: &network, feed: &feed, float: &float, truth: truth.as_deref(), ctx };
    let mut guarded = None;
    let mut unmet = None;
    let mut ran: Option<Ran> = None;
    if let Some(max_drop) = options.max_drop {
        ctx.progress.stage("ranking layers", None);
        let held = hold(max_drop, &judge, (&observed, &layers), &|tried| round(&scheme, tried))?;
        if !held.exceptions.is_empty() {
            ctx.progress.stage("looking at layers", None);
            layers = diagnose(&observed, &scheme, &held.quantized, &mut || interrupted(ctx))?;
        }
        (guarded, unmet) = (Some(held.guard), held.unmet);
        (quantized, ran, exceptions) = (held.quantized, held.ran, held.exceptions);
    }
    let portability = portability(&observed, &scheme, &quantized, (&rows, ctx.threads), &|other| {
        round(other, &exceptions)
    })?;
    // The integer form answers for both: it is what runs here.
    let ran = match ran {
        Some(ran) => ran,
        None => Ran::of(&network, &quantized.graph, &feed, ctx)?,
    };
    let Ran { network: mut written, answers: told, floats, made } = ran;
    let forms = between_forms(&quantized.graph, &written.graph, &made, &observed.sample)?;
    let bytes = form.write(options, &network, &quantized.graph, &written.graph)?;
    written.bytes = bytes;
    let (n_classes, row_costs) =
        (float.n_classes, [&network, &written].map(|of| RowCost::of(of, Some(&feed))));
    let effect = ::quantize::effect(&[predicted(&float)?], &[predicted(&told)?]);
    let evaluation = match &truth {
        Some(_) => Some(both(options, data, [(&network, float), (&written, told)], &feed, ctx)?),
        None => None,
    };
    let speed = match evaluation.as_ref().map(|e| &e.models[..]) {
        Some([a, b]) => a.speed.zip(b.speed).map(<[Speed; 2]>::from),
        _ => Some([network.measure(&feed, &Threads::one())?, written.measure(&feed, &Threads::one())?]),
    };
    Ok(QuantizeReport {
        n_rows: rows.n_rows(),
        n_classes,
        bytes: [network.bytes, bytes],
        row_costs,
        speed,
        evaluation,
        effect: Some(effect),
        guarded,
        observer: scheme.activations.observer.entry().name.to_owned(),
        corrections: [mended.told, quantized.told(&scheme.corrections)].concat(),
        layers,
        forms,
        portability,
        floats,
        unmet,
        seconds: clock.seconds(),
    })
}

/// The float network and the written one on rows whose classes are known.
fn both(
    options: &QuantizeOptions,
    data: &str,
    networks: [(&Network, Answers); 2],
    feed: &Feed,
    ctx: &Ctx<'_>,
) -> Result<Evaluation, Error> {
    let asked = EvaluateOptions {
        data: data.to_owned(),
        target: options.target.clone(),
        metric: Some("accuracy".to_owned()),
        network: options.network.clone(),
        ..EvaluateOptions::default()
    };
    let mut told = Vec::with_capacity(2);
    let mut metric = metrics::metric("accuracy")?;
    for ((network, answers), path) in networks.into_iter().zip([&options.model, &options.output]) {
        let (on_rows, used) = on_rows(network, feed, answers, &asked, ctx)?;
        metric = used;
        told.push((path.as_path(), on_rows));
    }
    let comparisons = compare::each_two(&told, metric, data, ctx)?;
    let models = told.into_iter().map(|(_, on_rows)| on_rows.evaluated).collect();
    Ok(Evaluation { models, comparisons, figures: None })
}

fn interrupted(ctx: &Ctx<'_>) -> Result<(), ::quantize::Error> {
    if ctx.cancel.is_cancelled() { Err(::quantize::Kind::Interrupted.into()) } else { Ok(()) }
}

/// What needs no rows: weights alone, or ranges at each run.
fn without_rows(
    options: &QuantizeOptions,
    graph: &Graph,
    scheme: &Scheme,
    is_kept: &dyn Fn(&str) -> bool,
) -> Result<Quantized, Error> {
    let roles = Roles::of(graph);
    let is_layer =
        |(_, node, role): (NodeIdx, &Node, Role)| matches!(role, Role::Layer(_)) && !is_kept(&node.name);
    if !roles.nodes().any(is_layer) {
        return Err(Error::input(format!(
            "{}: expected a product with constant weights, such as Conv or Gemm, got none that is to be quantized; look at its nodes with smidgen inspect",
            options.model.display()
        )));
    }
    let name = |idx: NodeIdx| graph.nodes().get(idx.0 as usize).map_or("", |n| &n.name[..]);
    let precision = |idx: NodeIdx| if is_kept(name(idx)) { Precision::Float } else { Precision::Scheme };
    match scheme.pipeline {
        Pipeline::WeightsOnly => Ok(weights_only(&roles, scheme, &precision)?),
        Pipeline::Dynamic => Ok(dynamic(&roles, scheme, &precision)?),
        Pipeline::Static => Err(Error::input(
            "quantize: ranges of activations are chosen from rows: name some with --calibrate, or choose --activations float (weights alone) or --activations dynamic",
        )),
    }
}

/// Which nodes stay floats, by their names.
fn kept(options: &QuantizeOptions) -> Result<impl Fn(&str) -> bool, Error> {
    let read = |flag: &str, text: &Option<String>| -> Result<Option<Regex>, Error> {
        let Some(text) = text else { return Ok(None) };
        Regex::new(text)
            .map(Some)
            .map_err(|e| Error::input(format!("{flag}: expected a regular expression, got \"{text}\": {e}")))
    };
    let (keep, only) = (read("--keep", &options.keep)?, read("--only", &options.only)?);
    Ok(move |name: &str| {
        keep.as_ref().is_some_and(|r| r.is_match(name)) || only.as_ref().is_some_and(|r| !r.is_match(name))
    })
}

/// What is written.
#[derive(Clone, Copy)]
enum Form {
    Qdq,
    Integer,
}

impl Form {
    fn of(path: &Path) -> Result<Form, Error> {
        match path.extension().and_then(|e| e.to_str()) {
            Some("onnx") => Ok(Form::Qdq),
            Some("smidgen") => Ok(Form::Integer),
            _ => Err(Error::input(format!(
                "{}: expected a name that ends in .onnx (for other programs) or .smidgen (integers)",
                path.display()
            ))),
        }
    }

    /// Writes one of both forms of the network, and gives the length of the file.
    fn write(
        self,
        options: &QuantizeOptions,
        network: &Network,
        pairs: &Graph,
        integers: &Graph,
    ) -> Result<u64, Error> {
        let path = &options.output;
        match self {
            Form::Qdq => {
                let properties = vec![("smidgen.quantize".to_owned(), options.recipe())];
                let meta = NetworkMeta { name: "quantized".to_owned(), properties };
                let bytes =
                    onnx::export_network(pairs, &meta).map_err(|e| Error::of_file(path, e.nature(), &e))?;
                write_whole(path, |out| {
                    let failed = |e| Error::input(format!("{}: cannot be written: {e}", path.display()));
                    out.write_all(&bytes).map_err(failed)
                })?;
                Ok(bytes.len() as u64)
            }
            Form::Integer => {
                let pixels = network.with_signature(&options.network)?;
                let card = Card { recipe: options.recipe(), ..Card::default() };
                let made = Made {
                    graph: integers.clone(),
                    pixels: &pixels,
                    classes: network.signature.classes.clone(),
                    answer: network.signature.answer,
                    card,
                };
                made.store(path)
            }
        }
    }
}
