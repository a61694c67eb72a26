//! Products and what follows them: which nodes become one step.

use super::borders::codes_of;
use super::depthwise::Depthwise;
use super::engines::Recipe;
use super::planner::Planner;
use super::product::{Product, Sides};
use super::step::Step;
use crate::error::Error;
use crate::kernels::cells::{Width, shift_of};
use crate::kernels::ending::{AddTail, Ending, Tail};
use ir::op::TensorOp;
use ir::op::tensor::SumFactors;
use ir::{Node, ValueIdx};

impl Planner<'_> {
    /// Finds all products, and for each the node that can be computed with it: one that reads nothing else of it, and of
    /// which it is all that is needed last.
    pub(super) fn find_products(&mut self) {
        let graph = self.graph;
        for (at, node) in graph.nodes().iter().enumerate().filter(|(at, _)| self.known.runs[*at]) {
            if let Some(recipe) = self.recipe(node) {
                self.recipes.insert(at, recipe);
            }
        }
        for at in self.recipes.keys().copied().collect::<alloc::vec::Vec<_>>() {
            let y = graph.nodes()[at].outputs[0];
            let &[next] = &self.readers[y.0 as usize][..] else { continue };
            if self.is_output[y.0 as usize] || self.claimed.contains_key(&next) {
                continue;
            }
            if self.tail(&graph.nodes()[next], y).is_some() {
                self.claimed.insert(next, at);
                self.deferred.push(at);
            }
        }
    }

    /// What a node makes of a product's output, and the other value that it takes.
    fn tail(&self, node: &Node, y: ValueIdx) -> Option<(Tail, Option<ValueIdx>)> {
        let op = self.filled(node)?;
        match op {
            TensorOp::QLut(_) | TensorOp::Requantize(_) => {
                let (codes, width) = self.table(node, op)?;
                Some((Tail::Table { codes, width }, None))
            }
            TensorOp::QAdd(op) => {
                let &[a, b, factors] = &node.inputs[..] else { return None };
                let dims = self.dims(node.outputs[0]);
                if a == b || self.dims(a) != dims || self.dims(b) != dims {
                    return None;
                }
                let SumFactors { a: of_a, b: of_b, shift } =
                    SumFactors::try_new(self.known.constant(factors)?.data().i64s()?)?;
                let (own, other, zeros, factors) = if y == a {
                    (a, b, (op.zero_a, op.zero_b), SumFactors { a: of_a, b: of_b, shift })
                } else {
                    (b, a, (op.zero_b, op.zero_a), SumFactors { a: of_b, b: of_a, shift })
                };
                let add = AddTail {
                    factors,
                    zero: zeros.0 + shift_of(self.dtype(own)),
                    other_zero: zeros.1 + shift_of(self.dtype(other)),
                    other: Width::of(self.dtype(other))?,
                    codes: codes_of(op.to, op.zero_y, op.low, op.high)?,
                };
                Some((Tail::Add(add), Some(other)))
            }
            _ => None,
        }
    }

    /// Adds the step of a product, or of the node that one is computed with; false for any other node.
    pub(super) fn product(&mut self, at: usize, node: &Node) -> Result<bool, Error> {
        if self.deferred.contains(&at) {
            return Ok(true);
        }
        let graph = self.graph;
        let (recipe, tail) = match self.claimed.get(&at) {
            Some(&product) => {
                let y = graph.nodes()[product].outputs[0];
                (self.recipes.remove(&product), self.tail(node, y))
            }
            None => (self.recipes.remove(&at), Some((Tail::None, None))),
        };
        let (Some(recipe), Some((tail, other))) = (recipe, tail) else { return Ok(false) };
        self.multiply(recipe, node.outputs[0], (tail, other))?;
        Ok(true)
    }

    fn multiply(
        &mut self,
        recipe: Recipe,
        y: ValueIdx,
        (tail, other): (Tail, Option<ValueIdx>),
    ) -> Result<(), Error> {
        let Recipe { x, layout, geometry, images, groups, filter, codes, is_long } = recipe;
        let tail = if is_long { Tail::Long } else { tail };
        let x = self.slot(x, layout)?;
        let others = other.map(|idx| self.slot(idx, layout)).transpose()?;
        self.reads(&[x]);
        let y = self.make(y, layout)?;
        let n_outputs = filter.biases.len();
        let per_group = n_outputs / groups.max(1);
        let input = (filter.width, filter.zero);
        let is_depthwise = filter.is_narrow && per_group == 1 && groups > 1 && groups == geometry.channels;
        self.steps.push(if is_depthwise {
            let ending = Ending::new(&filter.centred_outputs(), n_outputs, codes, tail);
            let image = (geometry, images);
            Step::Depthwise(Depthwise::new((x, y, others), image, input, &filter.weights, ending))
        } else {
            let ending = Ending::new(&filter.outputs(), per_group, codes, tail);
            let sides = Sides { geometry, images, groups, per_group };
            let weights = (&filter.weights[..], filter.is_narrow);
            Step::Product(Product::new(self.machine, (x, y, others), sides, input, weights, ending))
        });
        Ok(())
    }
}
