//! Corrections of the float network: its constants are changed before anything is observed, its nodes stay.
//!
//! What [`crate::correct`] computes on arrays is applied here to the layers of a graph. `layout` says where channels
//! stand, `sets` which values share factors; each correction is a file. What cannot be changed is left and told.

mod absorb;
mod channels;
mod equalize;
mod layout;
mod sets;
mod smooth;

use crate::calibrate::Rows;
use crate::correct::Correction;
use crate::error::{Error, Kind, misfit};
use crate::roles::Roles;
use crate::sample::sample;
use crate::scheme::Corrections;
use ir::{Graph, NodeIdx, Rewrite, Tensor, TensorData};
use std::collections::BTreeMap;

/// What a correction did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Its name.
    pub name: &'static str,
    /// How many it changed.
    pub n_changed: usize,
    /// Of what.
    pub what: &'static str,
    /// Layers that it left as they were, and why.
    pub left: Vec<(String, String)>,
}

impl Told {
    /// In words: `equalize: 12 pairs of layers; 2 left: 2 by Clip`.
    pub fn describe(&self) -> String {
        let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
        self.left.iter().for_each(|(_, why)| *reasons.entry(why).or_default() += 1);
        let reasons: Vec<String> = reasons.iter().map(|(why, n)| format!("{n} by {why}")).collect();
        let left = match reasons.is_empty() {
            true => String::new(),
            false => format!("; {} left: {}", self.left.len(), reasons.join(", ")),
        };
        format!("{}: {} {}{left}", self.name, self.n_changed, self.what)
    }
}

/// A network whose constants were changed.
#[derive(Debug)]
pub struct Mended {
    /// The network; nodes and names are what they were.
    pub graph: Graph,
    /// What each correction did, in order.
    pub told: Vec<Told>,
}

/// Applies the corrections that change the float network, in the order of [`crate::CORRECTIONS`]. A few of the rows are
/// for those that look at activations.
///
/// [`crate::Claim`] says of each what it promises of the function. Cost: twenty times over the weights, and one run of
/// the sample for each correction that looks at it.
///
/// # Errors
/// A correction that needs rows without any; the network does not run on them.
///
/// # Source  Nagel et al., ICCV 2019; Xiao et al., SmoothQuant, ICML 2023. Deviation: not pairs of layers share factors
/// but all layers before and behind a set of values, so that sums of a residual network pass them on.
pub fn mend(graph: &Graph, corrections: &Corrections, rows: Option<&dyn Rows>) -> Result<Mended, Error> {
    let mut mended = Mended { graph: graph.clone(), told: Vec::new() };
    let needed = |name: &'static str| {
        let what =
            format!("{name}: expected rows to look at activations, got none; name some with --calibrate");
        rows.ok_or_else(|| Error::from(Kind::Rows { what }))
    };
    let few = |name| Ok::<_, Error>(sample(needed(name)?)?.0);
    for member in corrections.members() {
        let roles = Roles::of(&mended.graph);
        let mut constants = Constants { graph: &mended.graph, held: BTreeMap::new() };
        let told = match member.entry().correction {
            Correction::Equalize => {
                equalize::equalize(&roles, &mut constants, member.params().int("rounds"))?
            }
            Correction::AbsorbBias => {
                absorb::absorb(&roles, &mut constants, &few("absorb_bias")?, member.params().real("k"))?
            }
            Correction::Smooth => {
                smooth::smooth(&roles, &mut constants, &few("smooth")?, member.params().real("alpha"))?
            }
            Correction::Portable => {
                needed("portable")?;
                continue;
            }
            Correction::BiasRange | Correction::BiasMean => continue,
        };
        let graph = constants.finish()?;
        mended.told.push(told);
        mended.graph = graph;
    }
    Ok(mended)
}

/// An input of a node.
type Slot = (NodeIdx, usize);

/// Constants of a network, those that were changed and those that stay.
#[derive(Clone)]
struct Constants<'g> {
    graph: &'g Graph,
    held: BTreeMap<Slot, Vec<f32>>,
}

impl Constants<'_> {
    /// The values of a constant, or what they were changed to.
    fn get(&self, (node, slot): Slot) -> Result<&[f32], Error> {
        if let Some(values) = self.held.get(&(node, slot)) {
            return Ok(values);
        }
        let input = self.graph.nodes().get(node.0 as usize).and_then(|n| n.inputs.get(slot));
        match input.and_then(|&v| self.graph.constant(v)).map(Tensor::data) {
            Some(TensorData::F32(values)) => Ok(values),
            _ => Err(misfit("input of a node that is corrected", "a constant of f32", "another")),
        }
    }

    /// The values of a constant, to be changed.
    fn changed(&mut self, slot: Slot) -> Result<&mut Vec<f32>, Error> {
        if !self.held.contains_key(&slot) {
            let values = self.get(slot)?.to_vec();
            self.held.insert(slot, values);
        }
        self.held.get_mut(&slot).ok_or_else(|| misfit("constant", "one", "none"))
    }

    /// A bias, to be changed; of zeros if the layer has none.
    fn bias(&mut self, (node, slot): Slot, n: usize) -> Result<&mut Vec<f32>, Error> {
        let n_inputs = self.graph.nodes().get(node.0 as usize).map_or(0, |n| n.inputs.len());
        if slot >= n_inputs {
            return Ok(self.held.entry((node, slot)).or_insert_with(|| vec![0.0; n]));
        }
        self.changed((node, slot))
    }

    /// The network with what was changed.
    fn finish(self) -> Result<Graph, Error> {
        let mut rewrite = Rewrite::new(self.graph)?;
        let mut n_uses = vec![0usize; self.graph.values().len()];
        self.graph.nodes().iter().flat_map(|n| &n.inputs).for_each(|v| n_uses[v.0 as usize] += 1);
        for (idx, node) in (0..).map(NodeIdx).zip(self.graph.nodes()) {
            let mut inputs = Vec::with_capacity(node.inputs.len() + 1);
            for (slot, &value) in node.inputs.iter().enumerate() {
                let Some(values) = self.held.get(&(idx, slot)) else {
                    inputs.push(rewrite.value(value)?);
                    continue;
                };
                let dims = self.graph.constant(value).map_or_else(Vec::new, |t| t.dims().to_vec());
                let tensor = Tensor::try_new(dims, TensorData::F32(values.clone()))
                    .ok_or_else(|| misfit("constant", "as many values as before", values.len()))?;
                // Others take what it was.
                inputs.push(match n_uses[value.0 as usize] {
                    1 => rewrite.constant(value, tensor)?,
                    _ => rewrite.fresh(&self.graph.value(value).name, tensor)?,
                });
            }
            if let Some(values) = self.held.get(&(idx, node.inputs.len())) {
                let name = node.outputs.first().map_or("", |&o| &self.graph.value(o).name[..]);
                let tensor = Tensor::vector(TensorData::F32(values.clone()));
                inputs.push(rewrite.fresh(&format!("{name}_bias"), tensor)?);
            }
            rewrite.node(node, node.op.clone(), &inputs)?;
        }
        Ok(rewrite.finish()?)
    }
}

/// Name of a node.
fn name_of(graph: &Graph, idx: NodeIdx) -> String {
    graph.nodes().get(idx.0 as usize).map_or_else(String::new, |n| n.name.clone())
}

/// The larger of two sizes, channel by channel.
fn widen(sizes: &mut [f32], more: &[f32]) {
    sizes.iter_mut().zip(more).for_each(|(a, b)| *a = a.max(*b));
}
