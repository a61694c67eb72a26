//! `quantize`: a network in fewer bits, and what that cost.

use crate::networks::NetworkArgs;
use crate::run::{End, Limit, message, print, with_ctx};
use crate::{figures, look, page, values};
use serde_json::{Value, json};
use smidgen::{
    Effect, Error, Evaluated, LayerReport, MaxDrop, QuantizeOptions, QuantizeReport, SchemeWords, Symmetry,
    quantization_page, quantize,
};
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Layers that the terminal shows, those that lose most.
const N_SHOWN: usize = 8;
/// Bins of the values of a layer in `--json`.
const N_BINS: usize = 64;

/// Bring a network to integers of few bits, and say what that cost.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The network, in ONNX
    model: PathBuf,
    /// Rows that ranges are chosen from and on which both networks are compared: NPY, NPZ, IDX, a folder or zip archive of
    /// images by class, a CSV of paths
    #[arg(long, value_name = "DATA")]
    calibrate: Option<String>,
    /// Column of the classes of a CSV of paths
    #[arg(long, value_name = "COL")]
    target: Option<String>,
    /// Integers of weights: int2 to int8, uint2 to uint8; int8 unless given
    #[arg(long, value_name = "int8|int4|..")]
    weights: Option<String>,
    /// Integers of activations: uint8 unless given; float for weights alone, dynamic for ranges at each run
    #[arg(long, value_name = "uint8|int8|int16|dynamic|float")]
    activations: Option<String>,
    /// What chooses the ranges of activations, with parameters: mean-std:k=3
    #[arg(long, value_name = "NAME")]
    observer: Option<String>,
    /// What chooses the ranges of weights
    #[arg(long, value_name = "NAME")]
    weight_observer: Option<String>,
    /// Which numbers integers stand for: affine, pow2, log, codebook, ternary, binary
    #[arg(long, value_name = "NAME")]
    grid: Option<String>,
    /// The zero point is the middle, of weights and activations
    #[arg(long, conflicts_with = "asymmetric")]
    symmetric: bool,
    /// The zero point is where the range asks for it, of weights and activations
    #[arg(long)]
    asymmetric: bool,
    /// Whether the least integer is used: full or narrow
    #[arg(long, value_name = "full|narrow")]
    range: Option<String>,
    /// How a weight becomes one of two integers: half-even unless given
    #[arg(long, value_name = "even|floor|trunc|..")]
    rounding: Option<String>,
    /// What shares a scale among weights: channel unless given
    #[arg(long, value_name = "tensor|channel|group:64")]
    granularity: Option<String>,
    /// What is mended beside rounding, by commas: equalize, absorb-bias, smooth, bias-range, bias, portable; bias and
    /// portable unless given
    #[arg(long, value_name = "equalize:rounds=20,bias|none")]
    corrections: Option<String>,
    /// Nodes whose names match this regular expression stay floats
    #[arg(long, value_name = "RE")]
    keep: Option<String>,
    /// Only nodes whose names match this regular expression become integers
    #[arg(long, value_name = "RE")]
    only: Option<String>,
    /// The most that may be lost: 0.5% of the float error, or 0.005 of accuracy; without classes the share of rows that
    /// may answer otherwise. Layers take 16 bits or stay floats until it holds
    #[arg(long, value_name = "D", value_parser = values::max_drop)]
    max_drop: Option<MaxDrop>,
    /// What stochastic rounding draws by
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    seed: u64,
    /// Where it is written: .onnx for other programs, .smidgen for integers
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// One JSON object on stdout
    #[arg(long)]
    pub(crate) json: bool,
    /// A page for people: one HTML file, both networks side by side, what each layer lost and why
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    #[command(flatten)]
    network: NetworkArgs,
    /// Threads; all cores unless given
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    jobs: usize,
    /// No progress
    #[arg(long)]
    quiet: bool,
}

pub(crate) fn run(args: &Args) -> Result<End, Error> {
    let symmetry = match (args.symmetric, args.asymmetric) {
        (true, _) => Some(Symmetry::Symmetric),
        (_, true) => Some(Symmetry::Asymmetric),
        _ => None,
    };
    let options = QuantizeOptions {
        model: args.model.clone(),
        calibrate: args.calibrate.clone(),
        target: args.target.clone(),
        output: args.output.clone(),
        scheme: SchemeWords {
            weights: args.weights.clone(),
            activations: args.activations.clone(),
            observer: args.observer.clone(),
            weight_observer: args.weight_observer.clone(),
            grid: args.grid.clone(),
            symmetry,
            span: args.range.clone(),
            rounding: args.rounding.clone(),
            granularity: args.granularity.clone(),
            corrections: args.corrections.clone(),
            seed: args.seed,
        },
        keep: args.keep.clone(),
        only: args.only.clone(),
        max_drop: args.max_drop,
        network: args.network.options(),
    };
    if let Some(path) = &args.report {
        check(args, path)?;
    }
    let (made, _) = with_ctx(args.jobs, Limit::None, args.quiet, |ctx| quantize(&options, ctx))?;
    let Some(made) = made else { return Ok(End::Interrupted) };
    if let Some(path) = &args.report {
        page::write(path, &quantization_page(&made, &options, &command(args, &options))?)?;
    }
    if args.json {
        print(&format!("{}\n", object(args, &made)))?;
    } else {
        print(&text(args, &made))?;
    }
    if let Some(unmet) = &made.unmet {
        message(&format!("not met: {unmet}"));
        return Ok(End::Unmet);
    }
    Ok(End::Done)
}

/// Refuses a report that could not be made or written, before the work.
fn check(args: &Args, path: &Path) -> Result<(), Error> {
    let Some(data) = &args.calibrate else {
        return Err(Error::input(
            "--report: a page compares both networks on rows, got none; name some with --calibrate",
        ));
    };
    page::check(path, &[&args.model, &args.output, Path::new(data)])
}

/// The command that makes network and page again.
fn command(args: &Args, options: &QuantizeOptions) -> String {
    let shown = |path: &PathBuf| path.display().to_string();
    let mut words = vec!["smidgen".to_owned(), "quantize".to_owned(), shown(&args.model)];
    let flags = [
        ("--calibrate", args.calibrate.clone()),
        ("--target", args.target.clone()),
        ("--max-drop", args.max_drop.map(|d| d.to_string())),
    ];
    words.extend(flags.into_iter().filter_map(|(name, value)| Some(format!("{name}={}", value?))));
    words.extend(options.words());
    words.extend(args.network.words());
    words.extend(["-o".to_owned(), shown(&args.output)]);
    words.extend(args.report.as_ref().map(|path| format!("--report={}", path.display())));
    page::command(&words)
}

fn text(args: &Args, made: &QuantizeReport) -> String {
    let mut out = String::new();
    let [before, behind] = made.bytes;
    let share = 100.0 * behind as f64 / before.max(1) as f64;
    // Writing to a String cannot fail.
    let _ = writeln!(
        out,
        "{}: {} of {} ({share:.1} %)\n",
        args.output.display(),
        look::size(behind),
        look::size(before)
    );
    if let Some([float, integer]) = made.evaluation.as_ref().and_then(|e| e.models.first_chunk::<2>()) {
        let _ = writeln!(out, "{}\n", beside(float, integer, made));
    }
    if let Some(effect) = made.effect {
        let _ = writeln!(
            out,
            "{} rows: {:.2} % of labels are the float network's; divergence {:.2e} nats; noise {:.1} dB below the outputs\n",
            look::count(made.n_rows as u64),
            100.0 * effect.agreement,
            effect.divergence,
            -10.0 * effect.noise.max(f64::MIN_POSITIVE).log10()
        );
    }
    if let Some(guard) = &made.guarded {
        let _ = writeln!(
            out,
            "lost: {:.3} points, {:.3} to {:.3} on other rows; {} layers take 16 bits, {} with weights of 16 bits, {} stay floats; {} networks compared in {:.1} runs over all rows\n",
            100.0 * guard.drop,
            100.0 * guard.interval[0],
            100.0 * guard.interval[1],
            guard.wide.len(),
            guard.widest.len(),
            guard.floats.len(),
            guard.n_checks,
            guard.passes
        );
    }
    for told in &made.corrections {
        let _ = writeln!(out, "{}", told.describe());
    }
    if !made.layers.is_empty() {
        let _ = writeln!(out, "{}", layers(&made.layers));
    }
    if !made.forms.is_empty() {
        let n: u64 = made.forms.iter().map(|f| f.n).sum();
        let differing: u64 = made.forms.iter().map(|f| f.differing).sum();
        let furthest = made.forms.iter().map(|f| f.furthest).max().unwrap_or(0);
        let _ = writeln!(
            out,
            "integers and ONNX: {} of {} codes differ on equal inputs, by {furthest} at most",
            look::count(differing),
            look::count(n)
        );
    }
    if let Some(portability) = &made.portability {
        let _ = writeln!(out, "{}", portability.describe());
    }
    if !made.floats.is_empty() {
        let _ = writeln!(out, "{} nodes compute with floats: {}", made.floats.len(), first(&made.floats));
    }
    out
}

/// The first names of a list.
fn first(names: &[String]) -> String {
    let shown = names.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > 5 { format!("{shown}, ..") } else { shown }
}

/// Metrics of both networks.
fn beside(float: &Evaluated, integer: &Evaluated, made: &QuantizeReport) -> String {
    let mut table = look::table(&["", "float", "written", "difference"]);
    for (name, a) in &float.metrics {
        let Some((_, b)) = integer.metrics.iter().find(|(n, _)| n == name) else { continue };
        table.add_row([(*name).to_owned(), format!("{a:.4}"), format!("{b:.4}"), format!("{:+.4}", b - a)]);
    }
    if let (Some(a), Some(b)) = (float.speed, integer.speed) {
        for (name, a, b) in
            [("time of a row", a.ns_per_row, b.ns_per_row), ("of a single row", a.ns_single, b.ns_single)]
        {
            let times = format!("{:.2} times", b / a);
            table.add_row([name.to_owned(), look::nanoseconds(a), look::nanoseconds(b), times]);
        }
    }
    if let [Some(a), Some(b)] = made.row_costs.map(|c| c.peak_bytes) {
        let times = format!("{:.2} times", b as f64 / a.max(1) as f64);
        table.add_row(["memory of a row".to_owned(), look::size(a), look::size(b), times]);
    }
    table.to_string()
}

/// Layers that lose most, and why.
fn layers(all: &[LayerReport]) -> String {
    let mut worst: Vec<&LayerReport> = all.iter().collect();
    worst.sort_by(|a, b| b.alone.noise.total_cmp(&a.alone.noise));
    let mut table = look::table(&["layer", "bits", "signal to noise", "alone", "why", "what would help"]);
    for layer in worst.iter().take(N_SHOWN) {
        let why = layer.causes.iter().map(|c| c.describe()).collect::<Vec<_>>().join("; ");
        let help = layer.remedy.as_ref().filter(|(_, effect)| effect.noise < 0.5 * layer.alone.noise);
        let help = help.map_or(String::new(), |(remedy, effect)| {
            format!("{}: noise {:.1e} instead of {:.1e}", remedy.describe(), effect.noise, layer.alone.noise)
        });
        table.add_row([
            layer.name.clone(),
            format!("{} x {}", layer.bits.0, layer.bits.1),
            format!("{:.1} dB", layer.corrected),
            format!("{:.1e}", layer.alone.noise),
            why,
            help,
        ]);
    }
    table.to_string()
}

fn object(args: &Args, made: &QuantizeReport) -> Value {
    let side = |at: usize| {
        let evaluated = made.evaluation.as_ref().and_then(|e| e.models.get(at));
        json!({
            "bytes": made.bytes[at],
            "multiply_adds": made.row_costs[at].multiply_adds,
            "multiply_adds_integer": made.row_costs[at].on_integers,
            "peak_bytes": made.row_costs[at].peak_bytes,
            "metrics": evaluated.map(|e| e.metrics.iter().map(|(n, v)| ((*n).to_owned(), figures::number(Some(*v)))).collect::<serde_json::Map<_, _>>()),
            "confusion": evaluated.map(|e| &e.confusion),
            "classes": evaluated.map(|e| &e.classes),
            "ns_per_row": figures::number(made.speed.map(|s| s[at].ns_per_row)),
            "ns_single": figures::number(made.speed.map(|s| s[at].ns_single)),
        })
    };
    json!({
        "schema": 1,
        "status": if made.unmet.is_none() { "ok" } else { "unmet" },
        "model": args.output.display().to_string(),
        "rows": made.n_rows,
        "float": side(0),
        "quantized": side(1),
        "agreement": made.effect.map(|e| e.agreement),
        "divergence": made.effect.map(|e| e.divergence),
        "noise": made.effect.map(|e| e.noise),
        "guard": made.guarded.as_ref().map(|g| json!({
            "max_drop": g.max_drop.to_string(), "drop": g.drop, "interval": g.interval, "wide": g.wide, "widest": g.widest,
            "floats": g.floats, "checks": g.n_checks, "passes": g.passes,
        })),
        "observer": made.observer,
        "corrections": made.corrections.iter().map(|t| json!({
            "name": t.name, "changed": t.n_changed, "what": t.what,
            "left": t.left.iter().map(|(layer, why)| json!({"layer": layer, "why": why})).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
        "layers": made.layers.iter().map(layer).collect::<Vec<_>>(),
        "forms": made.forms.iter().map(|f| json!({
            "name": f.name, "codes": f.n, "differing": f.differing, "furthest": f.furthest,
        })).collect::<Vec<_>>(),
        "portability": made.portability.as_ref().map(|p| json!({
            "rows": p.n_rows, "changed": p.changed,
            "noise": p.effects[0].noise, "noise_saturating": p.effects[1].noise,
            "cure": p.cure.as_ref().map(|(what, e)| json!({"what": what, "noise": e.noise, "agreement": e.agreement})),
            "layers": p.layers.iter().map(|l| json!({
                "name": l.name, "pairs": l.n_pairs, "risky": l.n_risky, "differing": l.differing,
            })).collect::<Vec<_>>(),
        })),
        "floats": made.floats,
        "seconds": made.seconds,
    })
}

fn layer(of: &LayerReport) -> Value {
    let effect = |e: &Effect| json!({"agreement": e.agreement, "divergence": e.divergence, "noise": e.noise});
    let bins = of.bins(N_BINS);
    json!({
        "name": of.name,
        "op": of.op,
        "weights": of.n_weights,
        "bits_weights": of.bits.0,
        "bits_input": of.bits.1,
        "signal_to_noise": figures::number(Some(of.signal_to_noise)),
        "corrected": figures::number(Some(of.corrected)),
        "alone": effect(&of.alone),
        "causes": of.causes.iter().map(|c| c.describe()).collect::<Vec<_>>(),
        "remedy": of.remedy.as_ref().map(|(r, e)| {
            let mut told = effect(e);
            told["what"] = json!(r.describe());
            told
        }),
        "range": [of.range.0, of.range.1],
        "saturated": of.saturated,
        "zeros": of.zeros(),
        "histogram": {"low": bins.low, "high": bins.high, "counts": bins.counts},
        "observers": of.observers.iter().map(|(name, low, high, error)| json!({
            "name": name, "low": low, "high": high, "error": error,
        })).collect::<Vec<_>>(),
    })
}
