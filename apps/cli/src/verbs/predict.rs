//! `predict`: a model applied to a table.

use crate::networks::NetworkArgs;
use crate::rows::RowArgs;
use crate::run::{End, Limit, with_ctx};
use smidgen::{Error, Format, PredictOptions, predict, predict_arrays, write_whole};
use std::io::{BufWriter, ErrorKind, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

/// Predict each row of a table; CSV on stdout, or CSV or Parquet in a file with -o.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The model file
    model: PathBuf,
    /// The table: CSV, plain or gzip; - for standard input; for a network in ONNX: NPY, NPZ, IDX or images
    data: String,
    /// Write here instead of to stdout
    #[arg(short, long, value_name = "FILE.csv|.parquet|.npz")]
    output: Option<PathBuf>,
    /// Write the probability of each class too
    #[arg(long)]
    proba: bool,
    /// Write what moved each prediction too: reason_1 to reason_3 (column=cell: what it adds to the score of the
    /// predicted class) and base (what that score is on average); in log odds, shares of votes or the unit of the
    /// target. The usual, which rows are compared with, is this table itself, its first 4,096 rows
    #[arg(long)]
    explain: bool,
    /// Columns of the table to write too
    #[arg(long, value_name = "COL,..", value_delimiter = ',')]
    keep: Vec<String>,
    #[command(flatten)]
    rows: RowArgs,
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
    let options = PredictOptions {
        model: args.model.clone(),
        data: args.data.clone(),
        probabilities: args.proba,
        explain: args.explain,
        missing: args.rows.missing.clone(),
        join: args.rows.join.clone(),
        network: args.network.options(),
        output: args.output.clone(),
        encoding: args.rows.encoding,
        keep: args.keep.clone(),
        format: args.output.as_ref().map_or(Format::Csv, |o| Format::of(&o.to_string_lossy())),
    };
    let archive = args.output.as_ref().filter(|o| o.extension().is_some_and(|e| e == "npz"));
    if let Some(path) = archive {
        let run = with_ctx(args.jobs, Limit::None, args.quiet, |ctx| predict_arrays(&options, path, ctx))?;
        return Ok(if run.0.is_some() { End::Done } else { End::Interrupted });
    }
    if let Some(path) = args.output.as_ref().filter(|o| o.extension().is_some_and(|e| e == "npy")) {
        let path = path.display();
        return Err(Error::unsupported(format!("{path}: .npy is not written; use .csv, .parquet or .npz")));
    }
    // Rows that go to stdout are their own progress.
    let quiet = args.quiet || args.output.is_none();
    let (made, _) = with_ctx(args.jobs, Limit::None, quiet, |ctx| match &args.output {
        Some(path) => write_whole(path, |mut out| predict(&options, &mut out, ctx).map(|_| ())),
        None => {
            let left = AtomicBool::new(false);
            let mut out = BufWriter::new(Watched { out: std::io::stdout(), left: &left });
            match predict(&options, &mut out, ctx) {
                // Whoever reads no further has what was asked for.
                Err(_) if left.load(Ordering::Relaxed) => Ok(()),
                ended => ended.map(|_| ()),
            }
        }
    })?;
    Ok(if made.is_some() { End::Done } else { End::Interrupted })
}

/// A writer that remembers that its reader left.
struct Watched<'a, W> {
    out: W,
    left: &'a AtomicBool,
}

impl<W: Write> Watched<'_, W> {
    fn watch<T>(&self, done: std::io::Result<T>) -> std::io::Result<T> {
        if done.as_ref().is_err_and(|e| e.kind() == ErrorKind::BrokenPipe) {
            self.left.store(true, Ordering::Relaxed);
        }
        done
    }
}

impl<W: Write> Write for Watched<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let done = self.out.write(bytes);
        self.watch(done)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        let done = self.out.flush();
        self.watch(done)
    }
}
