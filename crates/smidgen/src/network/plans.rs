//! Plans of a network in integer form, by the lengths of its inputs.

use ir::op::TensorOp;
use ir::{Graph, Op, Tensor};
use runtime::Error;
use runtime::network::Plan;
use runtime::tensors::Limits;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Lengths of the inputs, in the graph's order.
type Lengths = Vec<Vec<usize>>;

/// Plans that were made, each when its lengths came first: a batch, its rest, one row.
#[derive(Default)]
pub(crate) struct Plans(Mutex<BTreeMap<Lengths, Arc<Plan>>>);

impl Plans {
    /// Plans for a graph that computes with integers; none for others, which are interpreted.
    pub(crate) fn of(graph: &Graph) -> Option<Plans> {
        let is_integer = |op: &Op| match op {
            Op::Tensor(op) => matches!(
                **op,
                TensorOp::QConv(_)
                    | TensorOp::QMatMul(_)
                    | TensorOp::QAdd(_)
                    | TensorOp::QMul(_)
                    | TensorOp::QAveragePool(_)
                    | TensorOp::QMean(_)
                    | TensorOp::QLut(_)
                    | TensorOp::Requantize(_)
            ),
            _ => false,
        };
        graph.nodes().iter().any(|node| is_integer(&node.op)).then(Plans::default)
    }

    /// Outputs of inputs by name.
    pub(crate) fn run(&self, graph: &Graph, inputs: Vec<(String, Tensor)>) -> Result<Vec<Tensor>, Error> {
        let given = |idx: &ir::ValueIdx| {
            let name = &graph.value(*idx).name;
            inputs.iter().find(|(n, _)| n == name).map(|(_, t)| t.dims().to_vec()).unwrap_or_default()
        };
        let lengths: Lengths = graph.inputs().iter().map(given).collect();
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&lengths).cloned();
        let plan = match known {
            Some(plan) => plan,
            None => {
                let made = Arc::new(Plan::new(graph, &lengths, Limits::default())?);
                self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(lengths, made.clone());
                made
            }
        };
        plan.run(inputs)
    }
}
