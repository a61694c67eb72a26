//! The text form of a graph: what `inspect` shows and golden files hold.

use crate::graph::{Graph, Origin, ValueIdx};
use crate::op::Attr;
use core::fmt;

struct Named<'a>(&'a Graph, ValueIdx);

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "%{}", self.0.value(self.1).name)
    }
}

fn list(f: &mut fmt::Formatter<'_>, graph: &Graph, values: &[ValueIdx]) -> fmt::Result {
    for (i, &v) in values.iter().enumerate() {
        if i > 0 {
            f.write_str(", ")?;
        }
        write!(f, "{}", Named(graph, v))?;
    }
    Ok(())
}

/// One line a value and a node: `%name: dtype shape = Op(%input, ..) {attribute = value, ..}`.
impl fmt::Display for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for &input in self.inputs() {
            let value = self.value(input);
            writeln!(f, "input {}: {} {}", Named(self, input), value.dtype, value.shape)?;
        }
        for (i, value) in self.values().iter().enumerate() {
            if let Origin::Constant(_) = value.origin {
                let name = Named(self, ValueIdx(i as u32));
                writeln!(f, "const {name}: {} {}", value.dtype, value.shape)?;
            }
        }
        for node in self.nodes() {
            list(f, self, &node.outputs)?;
            if let Some(&first) = node.outputs.first() {
                write!(f, ": {} {}", self.value(first).dtype, self.value(first).shape)?;
            }
            write!(f, " = {}(", node.op.payload().name())?;
            list(f, self, &node.inputs)?;
            f.write_str(")")?;
            attrs(f, &node.op.payload().attrs())?;
            f.write_str("\n")?;
        }
        f.write_str("output ")?;
        list(f, self, self.outputs())?;
        f.write_str("\n")
    }
}

fn attrs(f: &mut fmt::Formatter<'_>, attrs: &[(&'static str, Attr)]) -> fmt::Result {
    for (i, (name, attr)) in attrs.iter().enumerate() {
        f.write_str(if i == 0 { " {" } else { ", " })?;
        write!(f, "{name} = ")?;
        match attr {
            Attr::Int(v) => write!(f, "{v}")?,
            Attr::Word(v) => f.write_str(v)?,
            Attr::Float(v) => write!(f, "{v:?}")?,
            Attr::Ints(v) => write!(f, "{v:?}")?,
            Attr::Forest(forest) => write!(
                f,
                "{} trees, {} splits, {} features",
                forest.trees().len(),
                forest.n_splits(),
                forest.features().len()
            )?,
            Attr::Tensor(tensor) => write!(f, "{} {:?}", tensor.dtype(), tensor.dims())?,
            Attr::RealForest(forest) => {
                let n_splits: usize = forest.trees().iter().map(|t| t.splits.len()).sum();
                write!(f, "{} trees, {n_splits} splits", forest.trees().len())?;
            }
        }
    }
    if attrs.is_empty() { Ok(()) } else { f.write_str("}") }
}
