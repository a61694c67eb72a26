//! Networks, from elsewhere or stored by smidgen: reading them, and running them on many rows.

pub(crate) mod evaluate;
pub(crate) mod feed;
pub(crate) mod head;
mod plans;
pub(crate) mod predict;
pub(crate) mod slices;
pub(crate) mod store;
pub(crate) mod summary;

use crate::Error;
use crate::model_file::{MAX_BYTES, holds_network, looks_like_model};
use feed::Feed;
use ir::{Card, DType, Dim, Graph, Layout, NetworkSignature, NetworkTest, Shape, Task, Tensor};
use jobs::{Clock, Threads};
use plans::Plans;
use runtime::tensors::{Limits, run, simplified};
use slices::Slices;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Rows that are timed.
const TIMED: usize = 64;
/// Slices that each thread runs before progress is told.
const SLICES: usize = 4;
/// The name of the axis of rows of networks that were written for one.
const ROWS: &str = "N";

/// How pixels become what a network takes, and where classes are.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NetworkOptions {
    /// A pixel is multiplied by this first; 1 if `None`.
    pub scale: Option<f64>,
    /// Then this is taken away: one number, or one a channel; none is 0.
    pub mean: Vec<f64>,
    /// Then it is divided by this: one number, or one a channel; none is 1.
    pub std: Vec<f64>,
    /// Where channels stand; found from the network's input if `None`.
    pub layout: Option<Layout>,
    /// Classes of images or arrays: an IDX or NPY file.
    pub labels: Option<PathBuf>,
}

/// True for a file of a network: one of ours by its first bytes, one in ONNX by its name.
pub fn is_network(path: &Path) -> bool {
    let is_onnx = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("onnx"));
    holds_network(path) || is_onnx && !looks_like_model(path)
}

/// A network, ready to run.
pub(crate) struct Network {
    pub(crate) path: PathBuf,
    /// As it was written; one from elsewhere simplified.
    pub(crate) graph: Graph,
    /// How it runs, if it is in integer form.
    plans: Option<Plans>,
    /// What its file says beyond the graph; nothing of one from elsewhere.
    pub(crate) signature: NetworkSignature,
    /// Where it comes from.
    pub(crate) card: Card,
    /// How to prove it, if its file says.
    pub(crate) self_test: Option<NetworkTest>,
    /// Length of its file.
    pub(crate) bytes: u64,
    /// Rows that it takes at a time; `None` for any number.
    fixed_rows: Option<usize>,
    /// Rows that run at a time.
    slices: Slices,
}

/// An input or an output of a network.
#[derive(Clone, Debug, PartialEq)]
pub struct Port {
    /// Its name.
    pub name: String,
    /// Its dtype.
    pub dtype: DType,
    /// Its shape.
    pub shape: Shape,
}

fn unread(path: &Path, what: &dyn std::fmt::Display) -> Error {
    let shown = path.display();
    Error::input(format!("{shown}: {what}; name a network in ONNX or in a file of smidgen"))
}

/// Length of a network's file.
fn length(path: &Path) -> Result<u64, Error> {
    let bytes = fs::metadata(path).map_err(|e| unread(path, &e))?.len();
    if bytes > MAX_BYTES {
        return Err(unread(path, &format!("{bytes} bytes, at most {MAX_BYTES} are read")));
    }
    Ok(bytes)
}

/// A network as it was written in ONNX, but simplified, and what its file says of itself.
///
/// # Errors
/// The file cannot be read, is damaged, or needs what is not supported.
pub(crate) fn read_simplified(path: &Path) -> Result<onnx::Imported, Error> {
    let bytes = usize::try_from(length(path)?).map_err(|e| unread(path, &e))?;
    let mut file = fs::File::open(path).map_err(|e| unread(path, &e))?;
    let folder = onnx::Folder::new(path.parent().unwrap_or(Path::new("")));
    let imported = onnx::import_from(&mut file, bytes, onnx::Options { external: &folder });
    let mut imported = imported.map_err(|e| Error::of_file(path, e.nature(), &e))?;
    imported.graph = simplified(imported.graph).map_err(|e| Error::of_file(path, e.nature(), &e))?;
    Ok(imported)
}

impl Network {
    /// Reads a network; one from elsewhere that was written for one row takes any number of them if its operators allow it.
    ///
    /// # Errors
    /// The file cannot be read, is damaged, or needs what is not supported.
    pub(crate) fn load(path: &Path) -> Result<Network, Error> {
        let path = path.to_path_buf();
        let bytes = length(&path)?;
        if holds_network(&path) {
            let of_file = |nature, e: &dyn std::fmt::Display| Error::of_file(&path, nature, e);
            let read = fs::read(&path).map_err(|e| unread(&path, &e))?;
            let stored = ir::file::read_network(&read).map_err(|e| of_file(e.nature(), &e))?;
            let (card, self_test) = (stored.card.clone(), stored.self_test.clone());
            let (graph, signature) = stored.into_parts();
            return Ok(Network { signature, card, self_test, ..Network::of(path, graph, bytes) });
        }
        let graph = read_simplified(&path)?.graph;
        let graph = match rows_of(&graph) {
            Some(1) => onnx::rebatch(&graph, ROWS).unwrap_or(graph),
            _ => graph,
        };
        Ok(Network::of(path, graph, bytes))
    }

    /// A network of whose file nothing but the graph is known.
    fn of(path: PathBuf, graph: Graph, bytes: u64) -> Network {
        let fixed_rows = rows_of(&graph);
        Network {
            path,
            plans: Plans::of(&graph),
            signature: NetworkSignature::default(),
            card: Card::default(),
            self_test: None,
            bytes,
            fixed_rows,
            slices: Slices::of(&graph, fixed_rows),
            graph,
        }
    }

    /// The question that its answer belongs to, if its file says what answers.
    pub(crate) fn task(&self) -> Option<Task> {
        let answer = self.signature.answer?;
        answer.task(&self.graph)
    }

    /// The network as a file holds it.
    pub(crate) fn stored(self) -> Result<ir::Network, Error> {
        let mut stored = ir::Network::try_new(self.graph, self.signature, self.card)?;
        stored.self_test = self.self_test;
        Ok(stored)
    }

    /// The options with what the file says of pixels.
    ///
    /// # Errors
    /// An option says something else than the file.
    pub(crate) fn with_signature(&self, options: &NetworkOptions) -> Result<NetworkOptions, Error> {
        let Some(own) = &self.signature.pixels else { return Ok(options.clone()) };
        let each = |values: &[f64], plain: f64| match values {
            [] => vec![plain; 3],
            [one] => vec![*one; 3],
            _ => values.to_vec(),
        };
        let list = |values: &[f64]| values.iter().map(f64::to_string).collect::<Vec<_>>().join(",");
        let differs =
            |given: &[f64], own: &[f64], plain| !given.is_empty() && each(given, plain) != each(own, plain);
        let layout = |l: Option<Layout>| l.map_or("none", Layout::name).to_owned();
        let against = [
            ("--input-scale", options.scale.is_some_and(|s| s != own.scale), own.scale.to_string()),
            ("--input-mean", differs(&options.mean, &own.mean, 0.0), list(&each(&own.mean, 0.0))),
            ("--input-std", differs(&options.std, &own.std, 1.0), list(&each(&own.std, 1.0))),
            ("--layout", options.layout.is_some_and(|_| options.layout != own.layout), layout(own.layout)),
        ];
        if let Some((flag, _, says)) = against.iter().find(|(_, differs, _)| *differs) {
            return Err(self.fail(&format!("{flag}: expected {says}, as the file says; leave it out")));
        }
        Ok(NetworkOptions {
            scale: Some(own.scale).filter(|s| *s != 1.0),
            mean: own.mean.clone(),
            std: own.std.clone(),
            layout: own.layout,
            labels: options.labels.clone(),
        })
    }

    pub(crate) fn inputs(&self) -> Vec<Port> {
        self.graph.inputs().iter().map(|&idx| port(&self.graph, idx)).collect()
    }

    pub(crate) fn outputs(&self) -> Vec<Port> {
        self.graph.outputs().iter().map(|&idx| port(&self.graph, idx)).collect()
    }

    /// The only input, for rows that are one array or one image each.
    pub(crate) fn only_input(&self) -> Result<Port, Error> {
        let mut inputs = self.inputs();
        match (inputs.pop(), inputs.is_empty()) {
            (Some(input), true) => Ok(input),
            (last, _) => {
                let names: Vec<String> = self.inputs().into_iter().map(|p| p.name).collect();
                let n = names.len();
                let what = if last.is_some() {
                    format!("{n} inputs: {}", names.join(", "))
                } else {
                    "no input".to_owned()
                };
                Err(self.fail(&format!("expected a network of one input for such data, got {what}; give an NPZ file of arrays by name")))
            }
        }
    }

    /// An error about this network.
    pub(crate) fn fail(&self, what: &str) -> Error {
        Error::input(format!("{}: {what}", self.path.display()))
    }

    /// Rows between two tellings of progress.
    pub(crate) fn round(slice: usize, threads: &Threads) -> usize {
        slice.saturating_mul(SLICES * threads.n())
    }

    /// Rows that it takes at a time, if not any number of them.
    pub(crate) fn fixed_rows(&self) -> Option<usize> {
        self.fixed_rows
    }

    /// Rows of a feed that run at a time; all of one run.
    ///
    /// # Errors
    /// Its first row cannot be read.
    pub(crate) fn slice(&self, feed: &Feed) -> Result<usize, Error> {
        match feed {
            Feed::Whole(_) => Ok(feed.n_rows().max(1)),
            _ => self.slices.of_feed(&self.graph, feed),
        }
    }

    /// Outputs of inputs by name.
    pub(crate) fn run(&self, inputs: Vec<(String, Tensor)>) -> Result<Vec<Tensor>, Error> {
        let made = match &self.plans {
            Some(plans) => plans.run(&self.graph, inputs),
            None => run(&self.graph, inputs, Limits::default()),
        };
        made.map_err(|e| Error::of_file(&self.path, e.nature(), &e))
    }

    /// The same network with another graph, of the same inputs and outputs.
    pub(crate) fn with_graph(&self, graph: Graph) -> Network {
        Network {
            path: self.path.clone(),
            plans: Plans::of(&graph),
            signature: self.signature.clone(),
            card: self.card.clone(),
            self_test: None,
            bytes: self.bytes,
            fixed_rows: self.fixed_rows,
            slices: Slices::of(&graph, self.fixed_rows),
            graph,
        }
    }

    /// Outputs for some rows, slice by slice; of one run, its outputs. The slices are shared out to threads, since rows
    /// do not hang on each other.
    pub(crate) fn run_rows(
        &self,
        feed: &Feed,
        slice: usize,
        rows: Range<usize>,
        threads: &Threads,
    ) -> Result<Vec<Vec<Tensor>>, Error> {
        if let Feed::Whole(arrays) = feed {
            return Ok(vec![self.run(arrays.clone())?]);
        }
        let made = threads.map(rows.len().div_ceil(slice), |k| {
            let first = rows.start + k * slice;
            self.run_slice(feed.rows(first..rows.end.min(first + slice))?)
        });
        made.into_iter().collect()
    }

    /// Outputs for rows of all inputs, at most a slice of them. Where the network takes a fixed number of rows, the last
    /// one is repeated up to that, and its outputs are cut.
    fn run_slice(&self, inputs: Vec<(String, Tensor)>) -> Result<Vec<Tensor>, Error> {
        let n = inputs.first().and_then(|(_, rows)| rows.dims().first().copied()).unwrap_or(0);
        let Some(fixed) = self.fixed_rows.filter(|&fixed| fixed > n && n > 0) else {
            return self.run(inputs);
        };
        let lost = || Error::bug("network: rows cannot be cut");
        let filled = |(name, mut rows): (String, Tensor)| -> Option<(String, Tensor)> {
            let last = rows.rows(n - 1..n)?;
            for _ in n..fixed {
                rows = rows.below(last.clone())?;
            }
            Some((name, rows))
        };
        let whole: Option<Vec<(String, Tensor)>> = inputs.into_iter().map(filled).collect();
        let outputs = self.run(whole.ok_or_else(lost)?)?;
        outputs.into_iter().map(|output| output.rows(0..n).ok_or_else(lost)).collect()
    }

    /// Rows of a feed that are timed, where so many run at a time: enough for all threads.
    pub(crate) fn n_timed(slice: usize, threads: &Threads) -> usize {
        TIMED.max(slice.saturating_mul(threads.n()))
    }

    /// Median nanoseconds a row: in slices on these threads, and for one row alone. A whole run counts as one row.
    pub(crate) fn measure(&self, feed: &Feed, threads: &Threads) -> Result<crate::Speed, Error> {
        let slice = self.slice(feed)?;
        let time = |n: usize| -> Result<f64, Error> {
            let timed = match feed {
                Feed::Images(..) | Feed::Rows(_) => Feed::Rows(feed.rows(0..n)?),
                Feed::Whole(arrays) => Feed::Whole(arrays.clone()),
            };
            let mut passes = Vec::new();
            let whole = Clock::start();
            while passes.len() < 5 || (passes.len() < 100 && whole.seconds() < 0.5) {
                let clock = Clock::start();
                std::hint::black_box(self.run_rows(&timed, slice, 0..n, threads)?);
                passes.push(clock.seconds() * 1e9 / n as f64);
            }
            Ok(crate::timing::median(passes))
        };
        let n = match feed {
            Feed::Whole(_) => 1,
            _ => feed.n_rows().min(Network::n_timed(slice, threads)).max(1),
        };
        let ns_per_row = time(n)?;
        Ok(crate::Speed { ns_per_row, ns_single: if n == 1 { ns_per_row } else { time(1)? } })
    }
}

fn port(graph: &Graph, idx: ir::ValueIdx) -> Port {
    let value = graph.value(idx);
    Port { name: value.name.clone(), dtype: value.dtype, shape: value.shape.clone() }
}

/// The first length of the first input, if it is a number.
fn rows_of(graph: &Graph) -> Option<usize> {
    match graph.inputs().first().map(|&idx| &graph.value(idx).shape.0[..])? {
        [Dim::Fixed(n), _, ..] => Some(*n),
        _ => None,
    }
}
