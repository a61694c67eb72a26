//! Shrinking a graph: vocabularies keep the terms that are used, constants that nothing uses go.
//!
//! A text step knows thousands of terms, a forest asks for a few dozen. Where each term is weighed by itself
//! (no norm over the row), the others can go without changing a bit of any output.

use crate::error::Error;
use ir::op::BagNorm;
use ir::{Graft, Graph, GraphBuilder, Node, NodeIdx, Op, Origin, Tensor, TensorData, ValueIdx};
use std::collections::{BTreeMap, BTreeSet};

/// New constants, by node and place among its inputs.
type Replaced = BTreeMap<(u32, usize), Tensor>;

/// The same graph with less in it. Outputs are the same bits for any input.
///
/// # Errors
/// The graph refuses a node, which it had before.
pub(crate) fn shrink(graph: &Graph) -> Result<Graph, Error> {
    let mut replaced = Replaced::new();
    for (at, node) in graph.nodes().iter().enumerate() {
        if matches!(node.op, Op::BagGather(_)) {
            // Several users of one bag are left as they are.
            let _ = shrink_terms(graph, NodeIdx(at as u32), &mut replaced);
        }
    }
    copy(graph, &replaced)
}

fn maker(graph: &Graph, value: ValueIdx) -> Option<(u32, &Node)> {
    match graph.value(value).origin {
        Origin::Node(idx) => Some((idx.0, &graph.nodes()[idx.0 as usize])),
        Origin::Input(_) | Origin::Constant(_) => None,
    }
}

/// The nodes that take a value; none if it is an output too.
fn users(graph: &Graph, value: ValueIdx) -> Option<Vec<u32>> {
    if graph.outputs().contains(&value) {
        return None;
    }
    let takes = |(_, n): &(usize, &Node)| n.inputs.contains(&value);
    Some(graph.nodes().iter().enumerate().filter(takes).map(|(at, _)| at as u32).collect())
}

/// Keeps the terms that one `BagGather` is asked for; `None` where that cannot be done.
fn shrink_terms(graph: &Graph, gather: NodeIdx, replaced: &mut Replaced) -> Option<()> {
    let node = &graph.nodes()[gather.0 as usize];
    let TensorData::I64(ids) = graph.constant(*node.inputs.get(1)?)?.data() else { return None };
    let columns = users(graph, *node.outputs.first()?)?;
    let mut asked = BTreeSet::new();
    for &user in &columns {
        let user = &graph.nodes()[user as usize];
        let index = graph.constant(*user.inputs.get(1)?)?;
        match (&user.op, index.dims(), index.data()) {
            (Op::Gather(_), [], TensorData::I64(at)) => asked.extend(at.first().copied()),
            _ => return None,
        }
    }
    let bag = *node.inputs.first()?;
    let only = |value: ValueIdx, user: u32| users(graph, value).filter(|u| u[..] == [user]);
    only(bag, gather.0)?;
    let (weigh, tokens) = match maker(graph, bag)? {
        (at, n) if matches!(&n.op, Op::BagWeigh(w) if w.norm == BagNorm::None) => {
            let counts = *n.inputs.first()?;
            only(counts, at)?;
            (Some((at, n)), maker(graph, counts)?)
        }
        made => (None, made),
    };
    let (tokens, tokens_node) = tokens;
    if !matches!(tokens_node.op, Op::Tokens(_)) {
        return None;
    }
    let TensorData::Str(terms) = graph.constant(*tokens_node.inputs.get(1)?)?.data() else { return None };
    let kept: Vec<usize> = asked
        .iter()
        .map(|&j| usize::try_from(*ids.get(usize::try_from(j).ok()?)?).ok())
        .collect::<Option<_>>()?;
    let some_terms = kept.iter().map(|&id| terms.get(id).cloned()).collect::<Option<_>>()?;
    if let Some((at, n)) = weigh
        && let Some(&idf) = n.inputs.get(1)
    {
        let TensorData::F64(idf) = graph.constant(idf)?.data() else { return None };
        let some = kept.iter().map(|&id| idf.get(id).copied()).collect::<Option<_>>()?;
        replaced.insert((at, 1), Tensor::vector(TensorData::F64(some)));
    }
    replaced.insert((tokens, 1), Tensor::vector(TensorData::Str(some_terms)));
    replaced.insert((gather.0, 1), Tensor::vector(TensorData::I64((0..kept.len() as i64).collect())));
    let place: BTreeMap<i64, i64> = asked.iter().copied().zip(0..).collect();
    for user in columns {
        let TensorData::I64(at) = graph.constant(graph.nodes()[user as usize].inputs[1])?.data() else {
            return None;
        };
        let at = place.get(at.first()?)?;
        replaced.insert((user, 1), Tensor::try_new(Vec::new(), TensorData::I64(vec![*at]))?);
    }
    Some(())
}

/// The graph with some constants replaced, and without those that nothing takes.
fn copy(graph: &Graph, replaced: &Replaced) -> Result<Graph, Error> {
    let mut builder = GraphBuilder::new();
    let mut graft = Graft::new(graph);
    for &input in graph.inputs() {
        let value = graph.value(input);
        graft.put(input, builder.input(&value.name, value.dtype, value.shape.clone())?);
    }
    for (at, node) in graph.nodes().iter().enumerate() {
        let mut inputs = Vec::with_capacity(node.inputs.len());
        for (place, &input) in node.inputs.iter().enumerate() {
            inputs.push(match replaced.get(&(at as u32, place)) {
                Some(tensor) => builder.constant(tensor.clone())?,
                None => graft.value(&mut builder, input)?,
            });
        }
        graft.node(&mut builder, node, node.op.clone(), &inputs)?;
    }
    let outputs = graph.outputs().iter().map(|&output| graft.value(&mut builder, output));
    let outputs = outputs.collect::<Result<Vec<_>, _>>()?;
    Ok(builder.finish(&outputs)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ir::op::{BagGather, BagWeigh, Gather, TermFrequency, Tokens};
    use ir::text::tokens::{Analyzer, Tokenizer};
    use ir::{Column, ColumnData, DType, Shape};

    fn graph(norm: BagNorm, asked: &[i64]) -> Graph {
        let mut b = GraphBuilder::new();
        let text = b.input("text", DType::Str, Shape::rows()).unwrap();
        let terms = ["a", "bee", "cat", "dog", "emu"].map(str::to_owned).to_vec();
        let terms = b.constant(Tensor::vector(TensorData::Str(terms))).unwrap();
        let tokenizer = Tokenizer { analyzer: Analyzer::Words, ngram_min: 1, ngram_max: 1, fold_case: true };
        let counts = b.node(Op::Tokens(Tokens { tokenizer }), &[text, terms]).unwrap();
        let idf = b.constant(Tensor::vector(TensorData::F64(vec![1.0, 2.0, 3.0, 4.0, 5.0]))).unwrap();
        let weigh = BagWeigh { term_frequency: TermFrequency::Raw, norm };
        let bag = b.node(Op::BagWeigh(weigh), &[counts, idf]).unwrap();
        let ids = b.constant(Tensor::vector(TensorData::I64(vec![0, 2, 3, 4]))).unwrap();
        let dense = b.node(Op::BagGather(BagGather), &[bag, ids]).unwrap();
        let mut outputs = Vec::new();
        for &at in asked {
            let at = Tensor::try_new(vec![], TensorData::I64(vec![at])).unwrap();
            let at = b.constant(at).unwrap();
            outputs.push(b.node(Op::Gather(Gather), &[dense, at]).unwrap());
        }
        b.finish(&outputs).unwrap()
    }

    fn n_terms(graph: &Graph) -> usize {
        let terms = graph.values().iter().filter_map(|v| match &v.origin {
            Origin::Constant(t) if t.dtype() == DType::Str => Some(t.data().len()),
            _ => None,
        });
        terms.sum()
    }

    #[test]
    fn terms_that_are_asked_for_stay() {
        let cells = "the cat and the dog|emu emu a dog||bee".split('|').collect::<Vec<_>>();
        let mut offsets = vec![0];
        cells.iter().for_each(|c| offsets.push(offsets[offsets.len() - 1] + c.len() as i32));
        let bytes = cells.concat();
        let data = ColumnData::Str { offsets: &offsets, bytes: bytes.as_bytes() };
        let column = [Column::try_new(data, None).unwrap()];
        for (norm, asked, kept) in
            [(BagNorm::None, &[3, 1][..], 2), (BagNorm::None, &[0, 1, 2, 3], 4), (BagNorm::L2, &[3], 5)]
        {
            let before = graph(norm, asked);
            let after = shrink(&before).unwrap();
            assert_eq!(n_terms(&after), kept, "{norm:?} {asked:?}");
            let run = |g: &Graph| runtime::reference::run(g, &column).unwrap();
            assert_eq!(run(&after), run(&before), "{norm:?} {asked:?}");
        }
    }
}
