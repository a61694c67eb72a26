//! What a row costs a network, counted rather than measured: multiplications, and memory.

use crate::network::Network;
use crate::network::feed::Feed;
use crate::network::summary::multiply_adds;
use ir::Dim;
use runtime::network::Plan;
use runtime::tensors::Limits;

/// What a row costs a network; of one that takes a fixed number of rows, what these cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowCost {
    /// Multiplications with an addition.
    pub multiply_adds: u64,
    /// Those of them on integers.
    pub on_integers: u64,
    /// Bytes of all values at their places in a plan of the run, and what engines of integers need for themselves; weights
    /// are not among them, nor what the interpreter takes while it computes a node of floats. `None` where lengths hang
    /// on data.
    pub peak_bytes: Option<u64>,
}

impl RowCost {
    /// Of a network, with the lengths of the first row where there are rows.
    pub(super) fn of(network: &Network, feed: Option<&Feed>) -> RowCost {
        let [multiply_adds, on_integers] = multiply_adds(&network.graph);
        let plan = lengths(network, feed)
            .and_then(|lengths| Plan::new(&network.graph, &lengths, Limits::default()).ok());
        let peak_bytes = plan.and_then(|plan| u64::try_from(plan.peak_bytes()).ok());
        RowCost { multiply_adds, on_integers, peak_bytes }
    }
}

/// Lengths of the inputs of one run, in the graph's order; none where a file does not say them.
fn lengths(network: &Network, feed: Option<&Feed>) -> Option<Vec<Vec<usize>>> {
    let n_rows = network.fixed_rows().unwrap_or(1);
    let given = match feed {
        Some(feed) => Some(feed.rows(0..1).ok()?),
        None => None,
    };
    let of_port = |port: crate::Port| -> Option<Vec<usize>> {
        if let Some(given) = &given {
            let mut dims = given.iter().find(|(name, _)| *name == port.name)?.1.dims().to_vec();
            if let (Some(first), false) = (dims.first_mut(), matches!(feed, Some(Feed::Whole(_)))) {
                *first = n_rows;
            }
            return Some(dims);
        }
        let (_, rest) = port.shape.0.split_first()?;
        let length = |dim: &Dim| if let Dim::Fixed(n) = dim { Some(*n) } else { None };
        std::iter::once(Some(n_rows)).chain(rest.iter().map(length)).collect()
    };
    network.inputs().into_iter().map(of_port).collect()
}
