//! How far the integer form of a network is from its QDQ form, node by node on equal inputs.

use crate::error::{Error, misfit};
use crate::segments::Frontier;
use ir::{Graph, Rewrite, Tensor, ValueIdx};
use runtime::network::Plan;
use runtime::tensors::{Limits, run};
use std::collections::BTreeMap;

/// Codes of a value that both forms make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormSteps {
    /// Name of the value in the QDQ form.
    pub name: String,
    /// Codes that were compared.
    pub n: u64,
    /// Those of them that differ.
    pub differing: u64,
    /// The furthest of them, in steps.
    pub furthest: u64,
}

/// Compares the codes of all values that both forms of a network make: those of the integer form, and those that the nodes
/// of the QDQ form make from its codes. `made` names them in both, as [`crate::Lowered`] does. Costs a run of each form on
/// the inputs; memory: all values of the integer form.
///
/// # Errors
/// A form does not run on the inputs.
pub fn between_forms(
    pairs: &Graph,
    integers: &Graph,
    made: &[(String, String)],
    inputs: &[(String, Tensor)],
) -> Result<Vec<FormSteps>, Error> {
    let mut held = Frontier::of(values_of(pairs, integers, made, inputs)?);
    let mut told = Vec::new();
    for (old, _) in made {
        let Some(value) = pairs.find(old) else { continue };
        let Some(codes) = held.get(value).and_then(|t| t.data().whole_numbers()) else { continue };
        let Some(own) = held.take(value) else { continue };
        let of_pairs = held.outputs(pairs, &[value])?;
        held.set(value, own);
        let of_pairs = of_pairs.first().and_then(|t| t.data().whole_numbers());
        let of_pairs = of_pairs.filter(|other| other.len() == codes.len());
        let of_pairs = of_pairs.ok_or_else(|| misfit("codes", codes.len(), "others"))?;
        let apart = codes.iter().zip(&of_pairs).map(|(a, b)| a.abs_diff(*b)).filter(|steps| *steps > 0);
        let (differing, furthest) = apart.fold((0, 0), |(n, most), steps| (n + 1, u64::max(most, steps)));
        told.push(FormSteps { name: old.clone(), n: codes.len() as u64, differing, furthest });
    }
    Ok(told)
}

/// Values of the QDQ form as the integer form has them: its inputs, and all that nodes on integers make.
fn values_of(
    pairs: &Graph,
    integers: &Graph,
    made: &[(String, String)],
    inputs: &[(String, Tensor)],
) -> Result<BTreeMap<ValueIdx, Tensor>, Error> {
    let mut held: BTreeMap<ValueIdx, Tensor> =
        inputs.iter().filter_map(|(name, tensor)| Some((pairs.find(name)?, tensor.clone()))).collect();
    let both = |(old, new): &(String, String)| Some((pairs.find(old)?, integers.find(new)?));
    let (old, new): (Vec<ValueIdx>, Vec<ValueIdx>) = made.iter().filter_map(both).unzip();
    if new.is_empty() {
        return Ok(held);
    }
    let mut rewrite = Rewrite::new(integers)?;
    for node in rewrite.needed_for(&new) {
        rewrite.copy(node)?;
    }
    let all = rewrite.finish_at(&new)?;
    let dims = |value: &ValueIdx| {
        let given = inputs.iter().find(|(name, _)| *name == all.value(*value).name);
        given.map_or(Vec::new(), |(_, tensor)| tensor.dims().to_vec())
    };
    let lengths: Vec<Vec<usize>> = all.inputs().iter().map(dims).collect();
    // Where lengths hang on data there is no plan; bytes are the same.
    let tensors = match Plan::new(&all, &lengths, Limits::default()) {
        Ok(plan) => plan.run(inputs.to_vec())?,
        Err(_) => run(&all, inputs.to_vec(), Limits::default())?,
    };
    held.extend(old.into_iter().zip(tensors));
    Ok(held)
}
