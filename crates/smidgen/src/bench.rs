//! `bench`: how long a prediction takes on this machine.

use crate::Error;
use crate::joined::rows_of_second;
use crate::model_file::load;
use crate::network::feed::Feed;
use crate::network::slices::MOST_ROWS;
use crate::network::{Network, NetworkOptions, Port, is_network};
use crate::table::{Scorer, batches_for, rows_for};
use crate::timing::{Speed, measure, measure_columns};
use data::{Encoding, Source};
use ir::{Column, DType, Dim, Tensor, TensorData};
use jobs::{Clock, Ctx};
use runtime::cost::RowCounts;
use runtime::{OwnedColumn, SELF_TEST_ROWS, self_test_columns};
use std::path::PathBuf;

/// What is timed.
#[derive(Clone, Debug)]
pub struct BenchOptions {
    /// The model file.
    pub model: PathBuf,
    /// The rows; made up if `None`.
    pub data: Option<String>,
    /// How pixels become what a network takes.
    pub network: NetworkOptions,
}

/// Times of a model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Timed {
    /// Length of the file.
    pub bytes: u64,
    /// Rows that it was timed on; a run on arrays that do not all begin with rows is one.
    pub n_rows: usize,
    /// Seconds from the file to what predicts.
    pub load_seconds: f64,
    /// Nanoseconds.
    pub speed: Speed,
    /// The operations of a row; `None` of networks.
    pub counts: Option<RowCounts>,
}

/// Times a model of tables, on one thread, or a network, whose slices of rows are shared out to the threads of `ctx`.
///
/// # Errors
/// The model or the rows cannot be read or do not fit together.
pub fn bench(options: &BenchOptions, ctx: &Ctx<'_>) -> Result<Timed, Error> {
    ctx.progress.stage("timing", None);
    if is_network(&options.model) { network(options, ctx) } else { model(options) }
}

fn model(options: &BenchOptions) -> Result<Timed, Error> {
    let clock = Clock::start();
    let (model, bytes) = load(&options.model)?;
    let scorer = Scorer::new(&model, rows_of_second(&model, None, Encoding::default())?)?;
    let load_seconds = clock.seconds();
    let counts = Some(scorer.plan().counts());
    let Some(data) = &options.data else {
        let made = self_test_columns(model.graph(), 0)?;
        let columns: Option<Vec<Column<'_>>> = made.iter().map(OwnedColumn::column).collect();
        let columns = columns.ok_or_else(|| Error::bug("bench: a column that was not made"))?;
        let n_first = model.signature().inputs.len().min(columns.len());
        let speed = measure_columns(&scorer, &columns[..n_first], &columns[n_first..])?;
        return Ok(Timed { bytes, n_rows: SELF_TEST_ROWS as usize, load_seconds, speed, counts });
    };
    let source = Source::parse(data)?;
    let rows = rows_for(&source, model.signature(), &[], Encoding::default())?;
    let first = batches_for(&scorer, rows, source.name())?.next().transpose()?;
    let Some(batch) = first.filter(|b| b.num_rows() > 0) else {
        return Err(Error::input(format!("{data}: expected at least one row, got none")));
    };
    Ok(Timed { bytes, n_rows: batch.num_rows(), load_seconds, speed: measure(&scorer, &batch)?, counts })
}

fn network(options: &BenchOptions, ctx: &Ctx<'_>) -> Result<Timed, Error> {
    let clock = Clock::start();
    let network = Network::load(&options.model)?;
    let load_seconds = clock.seconds();
    let feed = match &options.data {
        Some(data) => Feed::open(&network, data, None, &options.network)?,
        None => Feed::Rows(made_up(&network, Network::n_timed(MOST_ROWS, ctx.threads))?),
    };
    let n_rows = match feed {
        Feed::Whole(_) => 1,
        _ if feed.n_rows() == 0 => return Err(network.fail("expected at least one row, got none")),
        _ => feed.n_rows().min(Network::n_timed(network.slice(&feed)?, ctx.threads)),
    };
    let speed = network.measure(&feed, ctx.threads)?;
    Ok(Timed { bytes: network.bytes, n_rows, load_seconds, speed, counts: None })
}

/// Zeros for each input, as many rows of each.
fn made_up(network: &Network, n_rows: usize) -> Result<Vec<(String, Tensor)>, Error> {
    let n_rows = network.fixed_rows().unwrap_or(n_rows);
    let zeros = |input: Port| {
        let lengths = input.shape.0.split_first().and_then(|(_, rest)| {
            let length = |dim: &Dim| if let Dim::Fixed(n) = dim { Some(*n) } else { None };
            std::iter::once(Some(n_rows)).chain(rest.iter().map(length)).collect::<Option<Vec<usize>>>()
        });
        let made = lengths.and_then(|dims| zeros(input.dtype, dims));
        let (name, dtype, shape) = (&input.name, input.dtype, &input.shape);
        made.map(|made| (name.clone(), made)).ok_or_else(|| {
            network.fail(&format!(
                "its input \"{name}\" {dtype} {shape} has lengths that are not known; give rows to time it on"
            ))
        })
    };
    network.inputs().into_iter().map(zeros).collect()
}

/// Most elements that are made up.
const MOST_ELEMENTS: usize = 1 << 28;

/// Zeros; none for other dtypes than numbers, and for too many.
fn zeros(dtype: DType, dims: Vec<usize>) -> Option<Tensor> {
    let n = dims.iter().try_fold(1usize, |all, n| all.checked_mul(*n)).filter(|n| *n <= MOST_ELEMENTS)?;
    let data = match dtype {
        DType::F32 => TensorData::F32(vec![0.0; n]),
        DType::F64 => TensorData::F64(vec![0.0; n]),
        DType::U8 => TensorData::U8(vec![0; n]),
        DType::I8 => TensorData::I8(vec![0; n]),
        DType::I32 => TensorData::I32(vec![0; n]),
        DType::I64 => TensorData::I64(vec![0; n]),
        _ => return None,
    };
    Tensor::try_new(dims, data)
}
