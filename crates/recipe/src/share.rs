//! Members of one graph share what is the same in them.
//!
//! Constants that are equal stand there once, and so do the nodes on them: columns that members make alike. Then forests
//! that ask the same columns share their codes. Each forest keeps only the edges and categories that it uses, so those of several members differ. Here a column is
//! coded once, with the edges and categories of all of them, and each forest's questions are put in these codes: every
//! row reaches the leaves that it reached before.

use crate::error::Error;
use ir::fixed::key_f64;
use ir::forest::{CodeSet, CodedFeature, MAX_CODES, MISSING, Split, Test, Tree};
use ir::op::{Bin, Codes, ForestOp};
use ir::{DType, Forest, Graft, Graph, GraphBuilder, Op, Origin, Tensor, TensorData, ValueIdx};
use std::collections::BTreeMap;

/// Codes of a column that several forests take.
struct Shared {
    op: Op,
    column: ValueIdx,
    /// Edges, or categories.
    constant: Tensor,
    feature: CodedFeature,
    /// By node that it replaces, the old code of each new one.
    maps: BTreeMap<u32, Vec<u8>>,
}

/// The same graph, outputs the same bits for any input.
///
/// # Errors
/// The graph refuses a node, which it had before.
pub(crate) fn share(graph: &Graph) -> Result<Graph, Error> {
    share_codes(&share_constants(graph)?)
}

fn share_constants(graph: &Graph) -> Result<Graph, Error> {
    // Equal ones have one dtype, one shape and one length.
    type Alike<'g> = Vec<(&'g Tensor, ValueIdx)>;
    let mut known: BTreeMap<(&str, &[usize], usize), Alike<'_>> = BTreeMap::new();
    let mut builder = GraphBuilder::new();
    let mut graft = Graft::new(graph);
    for &input in graph.inputs() {
        let value = graph.value(input);
        graft.put(input, builder.input(&value.name, value.dtype, value.shape.clone())?);
    }
    for node in graph.nodes() {
        for &input in &node.inputs {
            let Some(tensor) = graph.constant(input).filter(|_| graft.written(input).is_none()) else {
                continue;
            };
            let alike = known.entry((tensor.dtype().name(), tensor.dims(), tensor.data().len())).or_default();
            let new = match alike.iter().find(|(other, _)| *other == tensor) {
                Some((_, new)) => *new,
                None => {
                    let new = graft.value(&mut builder, input)?;
                    alike.push((tensor, new));
                    new
                }
            };
            graft.put(input, new);
        }
        graft.copy(&mut builder, node)?;
    }
    let outputs = graph.outputs().iter().map(|&output| graft.value(&mut builder, output));
    let outputs = outputs.collect::<Result<Vec<_>, _>>()?;
    Ok(builder.finish(&outputs)?)
}

fn share_codes(graph: &Graph) -> Result<Graph, Error> {
    let shared = all_shared(graph);
    let places: BTreeMap<u32, usize> = shared
        .iter()
        .enumerate()
        .flat_map(|(at, codes)| codes.maps.keys().map(move |&node| (node, at)))
        .collect();
    let place = |node: u32| places.get(&node).copied();
    let mut builder = GraphBuilder::new();
    let mut graft = Graft::new(graph);
    for &input in graph.inputs() {
        let value = graph.value(input);
        graft.put(input, builder.input(&value.name, value.dtype, value.shape.clone())?);
    }
    let mut written: Vec<Option<ValueIdx>> = vec![None; shared.len()];
    for (at, node) in (0u32..).zip(graph.nodes()) {
        if let Some(place) = place(at) {
            let codes = &shared[place];
            let value = match written[place] {
                Some(value) => value,
                None => {
                    let column = graft.value(&mut builder, codes.column)?;
                    let constant = builder.constant(codes.constant.clone())?;
                    builder.node(codes.op.clone(), &[column, constant])?
                }
            };
            written[place] = Some(value);
            node.outputs.iter().for_each(|&output| graft.put(output, value));
            continue;
        }
        let Op::Forest(op) = &node.op else {
            graft.copy(&mut builder, node)?;
            continue;
        };
        let of_inputs: Vec<Option<(CodedFeature, &[u8])>> = node
            .inputs
            .iter()
            .map(|&input| {
                let maker = maker(graph, input)?;
                let codes = &shared[place(maker)?];
                Some((codes.feature, &codes.maps.get(&maker)?[..]))
            })
            .collect();
        let forest = asked_anew(&op.forest, &of_inputs)?.into();
        let inputs =
            node.inputs.iter().map(|&i| graft.value(&mut builder, i)).collect::<Result<Vec<_>, _>>()?;
        graft.node(&mut builder, node, Op::Forest(ForestOp { forest }), &inputs)?;
    }
    let outputs = graph.outputs().iter().map(|&output| graft.value(&mut builder, output));
    let outputs = outputs.collect::<Result<Vec<_>, _>>()?;
    Ok(builder.finish(&outputs)?)
}

fn maker(graph: &Graph, value: ValueIdx) -> Option<u32> {
    match graph.value(value).origin {
        Origin::Node(node) => Some(node.0),
        Origin::Input(_) | Origin::Constant(_) => None,
    }
}

/// Columns that are coded by more than one node for forests alone, as far as their codes fit into a byte together.
fn all_shared(graph: &Graph) -> Vec<Shared> {
    let mut is_for_others = vec![false; graph.values().len()];
    graph.outputs().iter().for_each(|output| is_for_others[output.0 as usize] = true);
    for node in graph.nodes().iter().filter(|node| !matches!(node.op, Op::Forest(_))) {
        node.inputs.iter().for_each(|input| is_for_others[input.0 as usize] = true);
    }
    let mut by_column: BTreeMap<ValueIdx, Vec<u32>> = BTreeMap::new();
    for (at, node) in (0u32..).zip(graph.nodes()) {
        if let (Op::Bin(_) | Op::Codes(_), [column, _], [codes]) =
            (&node.op, &node.inputs[..], &node.outputs[..])
            && !is_for_others[codes.0 as usize]
        {
            by_column.entry(*column).or_default().push(at);
        }
    }
    by_column.into_iter().filter_map(|(column, nodes)| Shared::of(graph, column, &nodes)).collect()
}

impl Shared {
    fn of(graph: &Graph, column: ValueIdx, nodes: &[u32]) -> Option<Shared> {
        if nodes.len() < 2 {
            return None;
        }
        let constants = nodes.iter().map(|&at| {
            let constant = *graph.nodes()[at as usize].inputs.get(1)?;
            Some((at, graph.constant(constant)?.data()))
        });
        let constants: Vec<(u32, &TensorData)> = constants.collect::<Option<_>>()?;
        match graph.value(column).dtype {
            DType::Str => Shared::of_categories(graph, column, &constants),
            DType::I64 => {
                let edges = constants.iter().map(|(at, edges)| Some((*at, edges.i64s()?.to_vec())));
                Shared::of_numbers(column, edges.collect::<Option<_>>()?, |e| *e, TensorData::I64)
            }
            DType::F64 => {
                let edges = constants.iter().map(|(at, edges)| match edges {
                    TensorData::F64(edges) => Some((*at, edges.clone())),
                    _ => None,
                });
                Shared::of_numbers(column, edges.collect::<Option<_>>()?, |e| key_f64(*e), TensorData::F64)
            }
            _ => None,
        }
    }

    fn of_numbers<T: Clone>(
        column: ValueIdx,
        constants: Vec<(u32, Vec<T>)>,
        key: impl Fn(&T) -> i64,
        data: impl Fn(Vec<T>) -> TensorData,
    ) -> Option<Shared> {
        let mut edges: Vec<T> = constants.iter().flat_map(|(_, edges)| edges.iter().cloned()).collect();
        edges.sort_by_key(&key);
        edges.dedup_by_key(|e| key(e));
        let n_codes = u16::try_from(edges.len() + 1).ok().filter(|&n| n <= MAX_CODES)?;
        let old = |own: &[T], code: usize| {
            // Numbers of a code are above as many edges as the code says.
            let above = edges[..code].last().map(&key);
            own.iter().take_while(|e| above.is_some_and(|above| key(e) <= above)).count() as u8
        };
        let maps =
            constants.iter().map(|(at, own)| (*at, (0..=edges.len()).map(|code| old(own, code)).collect()));
        let maps = maps.collect();
        let feature = CodedFeature { n_codes, ordered: true };
        Some(Shared { op: Op::Bin(Bin), column, constant: Tensor::vector(data(edges)), feature, maps })
    }

    fn of_categories(graph: &Graph, column: ValueIdx, constants: &[(u32, &TensorData)]) -> Option<Shared> {
        let mut keys: Vec<String> = Vec::new();
        let mut dictionaries: Vec<(u32, &[String], u8)> = Vec::new();
        for (at, constant) in constants {
            let (TensorData::Str(own), Op::Codes(codes)) = (constant, &graph.nodes()[*at as usize].op) else {
                return None;
            };
            keys.extend(own.iter().cloned());
            dictionaries.push((*at, own, codes.unseen));
        }
        keys.sort();
        keys.dedup();
        // Keys of no dictionary have a code of their own where one of them gave them one.
        let has_unseen = dictionaries.iter().any(|(.., unseen)| *unseen != MISSING);
        let n_codes = u16::try_from(keys.len() + usize::from(has_unseen)).ok().filter(|&n| n <= MAX_CODES)?;
        let unseen = if has_unseen { keys.len() as u8 } else { MISSING };
        let map = |own: &[String], of_others: u8| -> Vec<u8> {
            let old = |key: &String| own.binary_search(key).map_or(of_others, |code| code as u8);
            keys.iter().map(old).chain(has_unseen.then_some(of_others)).collect()
        };
        let maps = dictionaries.iter().map(|(at, own, unseen)| (*at, map(own, *unseen))).collect();
        let feature = CodedFeature { n_codes, ordered: false };
        let constant = Tensor::vector(TensorData::Str(keys));
        Some(Shared { op: Op::Codes(Codes { unseen }), column, constant, feature, maps })
    }
}

/// The forest with the questions of some features put in new codes.
fn asked_anew(forest: &Forest, features: &[Option<(CodedFeature, &[u8])>]) -> Result<Forest, ir::Error> {
    let of = |feature: u32| features.get(feature as usize).copied().flatten();
    let known = forest.features().iter().zip(0u32..);
    let coded = known.map(|(feature, at)| of(at).map_or(*feature, |(shared, _)| shared)).collect();
    let split = |split: &Split| match of(split.feature) {
        Some((_, map)) => Split { test: test(split, map), ..*split },
        None => *split,
    };
    let tree = |tree: &Tree| Tree { splits: tree.splits.iter().map(split).collect(), ..tree.clone() };
    let trees = forest.trees().iter().map(tree).collect();
    Forest::try_new(coded, forest.initial_scores().to_vec(), trees)
}

/// The question of a split in new codes, of each of which `map` says the old one.
fn test(split: &Split, map: &[u8]) -> Test {
    match split.test {
        // Old codes rise with the new ones, the first is 0.
        Test::Greater(t) => Test::Greater(map.partition_point(|&old| old <= t).saturating_sub(1) as u8),
        Test::In(_) => {
            let mut set = CodeSet::default();
            let goes_right = |old: u8| split.next(old) == split.right;
            (0u8..).zip(map).filter(|(_, old)| goes_right(**old)).for_each(|(code, _)| set.insert(code));
            Test::In(set)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ir::digest::SplitMix64;
    use ir::forest::Child;
    use ir::op::Sum;
    use ir::{Column, ColumnData, Shape};

    /// A stump a feature, whose missing rows go to a side that is drawn.
    fn stump(feature: u32, test: Test, random: &mut SplitMix64) -> Tree {
        let [left, right] = [Child::Leaf(0), Child::Leaf(1)];
        let split = Split { feature, test, missing_left: random.below(2) == 0, left, right };
        let leaves = [0; 2].map(|_: i32| random.below(1000) as i32).to_vec();
        Tree { first_output: 0, width: 1, splits: vec![split], leaves }
    }

    /// Some of the numbers, rising.
    fn some(all: &[i64], random: &mut SplitMix64) -> Vec<i64> {
        let mut some: Vec<i64> = all.iter().copied().filter(|_| random.below(2) == 0).collect();
        if some.is_empty() {
            some.push(all[0]);
        }
        some
    }

    /// The sum of forests that know some edges and categories each.
    fn graph(random: &mut SplitMix64) -> Graph {
        let mut b = GraphBuilder::new();
        let whole = b.input("whole", DType::I64, Shape::rows()).unwrap();
        let real = b.input("real", DType::F64, Shape::rows()).unwrap();
        let text = b.input("text", DType::Str, Shape::rows()).unwrap();
        let mut scores = Vec::new();
        for _ in 0..2 + random.below(3) {
            let edges = some(&[-5, 0, 3, 8, 20], random);
            let reals: Vec<f64> = some(&[-2, 0, 1, 7], random).into_iter().map(|e| e as f64 / 2.0).collect();
            let keys: Vec<String> =
                some(&[0, 1, 2, 3], random).iter().map(|k| "abcd"[*k as usize..][..1].to_owned()).collect();
            let unseen = if random.below(2) == 0 { MISSING } else { keys.len() as u8 };
            let n_keys = keys.len() + usize::from(unseen != MISSING);
            let sizes = [edges.len() + 1, reals.len() + 1, n_keys];
            let mut constant = |data| b.constant(Tensor::vector(data)).unwrap();
            let constants =
                [TensorData::I64(edges), TensorData::F64(reals), TensorData::Str(keys)].map(&mut constant);
            let codes = [
                b.node(Op::Bin(Bin), &[whole, constants[0]]).unwrap(),
                b.node(Op::Bin(Bin), &[real, constants[1]]).unwrap(),
                b.node(Op::Codes(Codes { unseen }), &[text, constants[2]]).unwrap(),
            ];
            let features = [true, true, false].iter().zip(sizes);
            let features =
                features.map(|(&ordered, n)| CodedFeature { n_codes: n as u16, ordered }).collect();
            let mut trees = Vec::new();
            for _ in 0..6 {
                for feature in 0..2 {
                    let t = random.below(sizes[feature as usize] as u32) as u8;
                    trees.push(stump(feature, Test::Greater(t), random));
                }
                let mut set = CodeSet::default();
                (0..n_keys as u8).filter(|_| random.below(2) == 0).for_each(|code| set.insert(code));
                trees.push(stump(2, Test::In(set), random));
            }
            let forest = Forest::try_new(features, vec![7], trees).unwrap().into();
            scores.push(b.node(Op::Forest(ForestOp { forest }), &codes).unwrap());
        }
        let sum = b.node(Op::Sum(Sum), &scores).unwrap();
        b.finish(&[sum]).unwrap()
    }

    #[test]
    fn shared_codes_reach_the_same_leaves() {
        let whole: Vec<i64> = (0..60).map(|i| i % 30 - 7).collect();
        let real: Vec<f64> =
            (0..60).map(|i| if i % 11 == 0 { f64::NAN } else { f64::from(i % 13) / 2.0 - 2.0 }).collect();
        let (mut offsets, mut bytes) = (vec![0], Vec::new());
        for i in 0..60usize {
            bytes.extend_from_slice(&b"abcdez"[i % 6..i % 6 + usize::from(i % 7 != 0)]);
            offsets.push(bytes.len() as i32);
        }
        let data = [
            ColumnData::I64(&whole),
            ColumnData::F64(&real),
            ColumnData::Str { offsets: &offsets, bytes: &bytes },
        ];
        let columns = data.map(|data| Column::try_new(data, None).unwrap());
        for seed in 0..200 {
            let before = graph(&mut SplitMix64::new(seed));
            let after = share(&before).unwrap();
            let n_coders = |graph: &Graph| {
                graph.nodes().iter().filter(|n| matches!(n.op, Op::Bin(_) | Op::Codes(_))).count()
            };
            assert!(n_coders(&after) <= 3 && n_coders(&before) > 3, "{seed}");
            let run = |graph: &Graph| runtime::reference::run(graph, &columns).unwrap();
            assert_eq!(run(&after), run(&before), "{seed}");
            assert_eq!(runtime::Plan::new(&after).unwrap().run(&columns).unwrap(), run(&before), "{seed}");
        }
    }

    #[test]
    fn codes_that_do_not_fit_into_a_byte_stay_apart() {
        let mut b = GraphBuilder::new();
        let x = b.input("x", DType::I64, Shape::rows()).unwrap();
        let mut scores = Vec::new();
        for first in [0, 200] {
            let edges = b.constant(Tensor::vector(TensorData::I64((first..first + 200).collect()))).unwrap();
            let codes = b.node(Op::Bin(Bin), &[x, edges]).unwrap();
            let features = vec![CodedFeature { n_codes: 201, ordered: true }];
            let tree = stump(0, Test::Greater(150), &mut SplitMix64::new(1));
            let forest = Forest::try_new(features, vec![0], vec![tree]).unwrap().into();
            scores.push(b.node(Op::Forest(ForestOp { forest }), &[codes]).unwrap());
        }
        let sum = b.node(Op::Sum(Sum), &scores).unwrap();
        let graph = b.finish(&[sum]).unwrap();
        assert_eq!(share(&graph).unwrap().nodes().len(), graph.nodes().len());
    }
}
