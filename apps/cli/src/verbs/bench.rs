//! `bench`: how long a prediction takes on this machine.

use crate::networks::NetworkArgs;
use crate::run::{End, Limit, print, with_ctx};
use crate::{figures, look, operation_costs};
use serde_json::json;
use smidgen::{BenchOptions, Error, bench};
use std::path::PathBuf;

/// Time a model or a network on this machine, on one thread unless told otherwise.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The model file
    model: PathBuf,
    /// Rows to time it on; rows made up from its self-test's seed, or zeros for a network, unless given
    data: Option<String>,
    /// A table of costs of another processor, in JSON
    #[arg(long, value_name = "FILE")]
    cost: Option<PathBuf>,
    /// One JSON object on stdout
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    network: NetworkArgs,
    /// Networks: threads that share the rows
    #[arg(long, value_name = "N", default_value_t = 1, hide_default_value = true)]
    jobs: usize,
}

pub(crate) fn run(args: &Args) -> Result<End, Error> {
    let costs = operation_costs::read(args.cost.as_deref())?;
    let options =
        BenchOptions { model: args.model.clone(), data: args.data.clone(), network: args.network.options() };
    let (timed, _) = with_ctx(args.jobs, Limit::None, true, |ctx| bench(&options, ctx))?;
    let Some(timed) = timed else { return Ok(End::Interrupted) };
    let cost = timed.counts.map(|counts| costs.row(&counts));
    if args.json {
        let object = json!({
            "schema": 1,
            "model": args.model.display().to_string(),
            "bytes": timed.bytes,
            "rows": timed.n_rows,
            "load_s": timed.load_seconds,
            "ns_per_row": figures::number(Some(timed.speed.ns_per_row)),
            "ns_single": figures::number(Some(timed.speed.ns_single)),
            "cost_ns": cost.map(|cost| cost.ns),
            "cost_ns_single": cost.map(|cost| cost.ns_single),
            "cost_cpu": timed.counts.map(|_| costs.cpu()),
            "operations": timed.counts.as_ref().map(|counts| operation_costs::object(&counts.batch)),
            "operations_single": timed.counts.as_ref().map(|counts| operation_costs::object(&counts.single)),
        });
        print(&format!("{object}\n"))?;
    } else {
        let [batch, single] = [timed.speed.ns_per_row, timed.speed.ns_single].map(look::nanoseconds);
        let (path, size) = (args.model.display(), look::size(timed.bytes));
        let load = look::nanoseconds(timed.load_seconds * 1e9);
        let cost = cost.map_or(String::new(), |cost| {
            let [batch, single] = [cost.ns, cost.ns_single].map(look::nanoseconds);
            format!("; {batch} and {single} by the table of costs of {}", costs.cpu())
        });
        let threads = match args.jobs {
            0 => String::from("all threads"),
            1 => String::from("one thread"),
            n => format!("{n} threads"),
        };
        print(&format!(
            "{path}: {size}, loaded in {load}, {batch} a row in batch on {threads}, {single} for a single row, on one thread{cost}\n"
        ))?;
    }
    Ok(End::Done)
}
