//! Networks from elsewhere: reading them, and running them on many rows.

pub(crate) mod evaluate;
pub(crate) mod feed;
pub(crate) mod head;
pub(crate) mod predict;
pub(crate) mod summary;

use crate::Error;
use crate::model_file::{MAX_BYTES, looks_like_model};
use feed::Feed;
use ir::{DType, Dim, Graph, Origin, Shape, Tensor, Value};
use jobs::{Clock, Threads};
use runtime::tensors::{Limits, run, simplified};
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Rows that are timed.
const TIMED: usize = 64;
/// Most rows that run at a time where a network takes any number of them.
const MOST_ROWS: usize = 32;
/// Bytes of the largest value of a network beyond which fewer rows run at a time: what one node makes is still in the
/// cache when the next one takes it.
const CACHED: usize = 8 << 20;
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

/// Where the channels of images stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// `[N, channels, height, width]`.
    Nchw,
    /// `[N, height, width, channels]`.
    Nhwc,
}

/// True for the name of a network's file.
pub fn is_network(path: &Path) -> bool {
    path.extension().is_some_and(|e| e.eq_ignore_ascii_case("onnx")) && !looks_like_model(path)
}

/// A network, ready to run.
pub(crate) struct Network {
    pub(crate) path: PathBuf,
    /// As it was written, but simplified.
    pub(crate) graph: Graph,
    /// Length of its file.
    pub(crate) bytes: u64,
    /// Rows that it takes at a time; `None` for any number.
    fixed_rows: Option<usize>,
    /// Rows that run at a time. They hang on the network alone, so that the same bytes come from any number of threads.
    slice: usize,
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

impl Network {
    /// Reads a network; one that was written for one row takes any number of them if its operators allow it.
    ///
    /// # Errors
    /// The file cannot be read, is damaged, or needs what is not supported.
    pub(crate) fn load(path: &Path) -> Result<Network, Error> {
        let shown = path.display();
        let fail =
            |what: &dyn std::fmt::Display| Error::input(format!("{shown}: {what}; name a network in ONNX"));
        let bytes = fs::metadata(path).map_err(|e| fail(&e))?.len();
        if bytes > MAX_BYTES {
            return Err(fail(&format!("{bytes} bytes, at most {MAX_BYTES} are read")));
        }
        let mut file = fs::File::open(path).map_err(|e| fail(&e))?;
        let length = usize::try_from(bytes).map_err(|e| fail(&e))?;
        let folder = onnx::Folder::new(path.parent().unwrap_or(Path::new("")));
        let options = onnx::Options { external: &folder };
        let graph = onnx::import_from(&mut file, length, options);
        let graph = graph.map_err(|e| Error::of_file(path, e.nature(), &e))?;
        let graph = simplified(graph).map_err(|e| Error::of_file(path, e.nature(), &e))?;
        let graph = match rows_of(&graph) {
            Some(1) => onnx::rebatch(&graph, ROWS).unwrap_or(graph),
            _ => graph,
        };
        let fixed_rows = rows_of(&graph);
        let free = || (CACHED / largest_row(&graph).max(1)).min(MOST_ROWS);
        let slice = fixed_rows.unwrap_or_else(free).max(1);
        Ok(Network { path: path.to_path_buf(), graph, bytes, fixed_rows, slice })
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
    pub(crate) fn round(&self, threads: &Threads) -> usize {
        self.slice.saturating_mul(SLICES * threads.n())
    }

    /// Rows that it takes at a time, if not any number of them.
    pub(crate) fn fixed_rows(&self) -> Option<usize> {
        self.fixed_rows
    }

    /// Rows that run at a time.
    pub(crate) fn slice(&self) -> usize {
        self.slice
    }

    /// Outputs of inputs by name.
    pub(crate) fn run(&self, inputs: Vec<(String, Tensor)>) -> Result<Vec<Tensor>, Error> {
        run(&self.graph, inputs, Limits::default()).map_err(|e| Error::of_file(&self.path, e.nature(), &e))
    }

    /// Outputs for some rows, slice by slice; of one run, its outputs. The slices are shared out to threads, since rows
    /// do not hang on each other.
    pub(crate) fn run_rows(
        &self,
        feed: &Feed,
        rows: Range<usize>,
        threads: &Threads,
    ) -> Result<Vec<Vec<Tensor>>, Error> {
        if let Feed::Whole(arrays) = feed {
            return Ok(vec![self.run(arrays.clone())?]);
        }
        let slice = self.slice;
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

    /// Rows of a feed that are timed: enough for all threads.
    pub(crate) fn n_timed(&self, threads: &Threads) -> usize {
        TIMED.max(self.slice.saturating_mul(threads.n()))
    }

    /// Median nanoseconds a row: in slices on these threads, and for one row alone. A whole run counts as one row.
    pub(crate) fn measure(&self, feed: &Feed, threads: &Threads) -> Result<crate::Speed, Error> {
        let time = |n: usize| -> Result<f64, Error> {
            let timed = match feed {
                Feed::Images(..) | Feed::Rows(_) => Feed::Rows(feed.rows(0..n)?),
                Feed::Whole(arrays) => Feed::Whole(arrays.clone()),
            };
            let mut passes = Vec::new();
            let whole = Clock::start();
            while passes.len() < 5 || (passes.len() < 100 && whole.seconds() < 0.5) {
                let clock = Clock::start();
                std::hint::black_box(self.run_rows(&timed, 0..n, threads)?);
                passes.push(clock.seconds() * 1e9 / n as f64);
            }
            Ok(crate::timing::median(passes))
        };
        let n = if let Feed::Whole(_) = feed { 1 } else { feed.n_rows().min(self.n_timed(threads)).max(1) };
        let ns_per_row = time(n)?;
        Ok(crate::Speed { ns_per_row, ns_single: if n == 1 { ns_per_row } else { time(1)? } })
    }
}

/// Bytes of one row of the largest value, lengths that are not known left out.
fn largest_row(graph: &Graph) -> usize {
    let bytes = |value: &Value| {
        let lengths = value.shape.0.iter().skip(1).filter_map(|dim| match dim {
            Dim::Fixed(n) => Some(*n),
            _ => None,
        });
        lengths.fold(value.dtype.bytes(), usize::saturating_mul)
    };
    let made = graph.values().iter().filter(|value| !matches!(value.origin, Origin::Constant(_)));
    made.map(bytes).max().unwrap_or(0)
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
