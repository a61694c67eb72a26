//! Small integers and what becomes of scores: products, rows that are compared, sums of members, curves, votes, links,
//! decisions.
//!
//! Constants stand in the narrowest of a few types that holds all of them: weights, known rows and vectors in `i8` or
//! `i16`, votes of known rows in `i16` or `i32`, multipliers in `i32`, shifts in `u8`.

use super::{Lowering, narrowed};
use crate::Error;
use crate::program::{Argument, Element, Place, Table};
use ir::op::{
    Cascade, Link, LinkKind, NearestRows, QuantizeLinear, RbfSums, Threshold, ToScores, Votes, VotesKind,
    WeightedSum,
};
use ir::{Node, Op, Tensor, TensorData};

/// Takes one of these nodes into the program.
pub(super) fn lower(lowering: &mut Lowering<'_>, node: &Node) -> Result<(), Error> {
    match &node.op {
        Op::Link(op) => link(lowering, node, *op),
        Op::Votes(op) => votes(lowering, node, *op),
        Op::ArgMax(_) => argmax(lowering, node),
        Op::Threshold(op) => threshold(lowering, node, *op),
        Op::LeastCost(_) => least_cost(lowering, node),
        Op::QuantizeLinear(op) => quantize(lowering, node, *op),
        Op::ToScores(op) => to_scores(lowering, node, *op),
        Op::QGemm(_) => product(lowering, node),
        Op::Sum(_) => sum(lowering, node),
        Op::WeightedSum(op) => weighted_sum(lowering, node, *op),
        Op::Cascade(op) => cascade(lowering, node, *op),
        Op::Gate(_) => gate(lowering, node),
        Op::ScoreCurve(_) => curves(lowering, node),
        Op::NearestRows(op) => nearest_rows(lowering, node, *op),
        Op::RbfSums(op) => similarities(lowering, node, *op),
        _ => Err(lowering.misfit(node)),
    }
}

/// The slot at a position of a node's inputs, which holds these elements, and how many of them.
fn slot_of(
    lowering: &Lowering<'_>,
    node: &Node,
    position: usize,
    element: Element,
) -> Result<(Argument, usize), Error> {
    match lowering.place(node, position)? {
        Place::Slot(slot) if lowering.program.slots[slot].element == element => {
            Ok((Argument::Slot(slot), lowering.length(node, position)?))
        }
        _ => Err(lowering.misfit(node)),
    }
}

fn i16s<'t>(lowering: &Lowering<'_>, node: &Node, constant: &'t Tensor) -> Result<&'t [i16], Error> {
    match constant.data() {
        TensorData::I16(values) => Ok(values),
        _ => Err(lowering.misfit(node)),
    }
}

fn i32s<'t>(lowering: &Lowering<'_>, node: &Node, constant: &'t Tensor) -> Result<&'t [i32], Error> {
    constant.data().i32s().ok_or_else(|| lowering.misfit(node))
}

fn i64s<'t>(lowering: &Lowering<'_>, node: &Node, constant: &'t Tensor) -> Result<&'t [i64], Error> {
    constant.data().i64s().ok_or_else(|| lowering.misfit(node))
}

/// The constant integers at a position of a node's inputs, in a table.
fn table_of_i32(lowering: &mut Lowering<'_>, node: &Node, position: usize) -> Result<Argument, Error> {
    let values = i32s(lowering, node, lowering.constant(node, position)?)?.to_vec();
    Ok(lowering.table(Table::I32(values)))
}

/// Integers in a table of the narrower type that holds them, and the routine that reads it.
fn narrow(
    lowering: &mut Lowering<'_>,
    values: &[i16],
    [of_i8, of_i16]: [&'static str; 2],
) -> (Argument, &'static str) {
    match narrowed(values) {
        Some(narrow) => (lowering.table(Table::I8(narrow)), of_i8),
        None => (lowering.table(Table::I16(values.to_vec())), of_i16),
    }
}

/// Multipliers and shifts, in a table each.
fn requantize(lowering: &mut Lowering<'_>, node: &Node, position: usize) -> Result<[Argument; 2], Error> {
    let pairs = i64s(lowering, node, lowering.constant(node, position)?)?;
    let (multipliers, shifts) = pairs.split_at(pairs.len() / 2);
    let (Some(multipliers), Some(shifts)) = (narrowed(multipliers), narrowed(shifts)) else {
        return Err(lowering.misfit(node));
    };
    Ok([lowering.table(Table::I32(multipliers)), lowering.table(Table::U8(shifts))])
}

fn link(lowering: &mut Lowering<'_>, node: &Node, op: Link) -> Result<(), Error> {
    let (scores, n) = lowering.scores(node, 0)?;
    let shift = Argument::Whole(op.shift.into());
    let offset = Argument::Whole(op.offset);
    let length = Argument::Length(n);
    let (routine, element, n_made, arguments) = match op.kind {
        LinkKind::Logistic => ("link_logistic", Element::F32, 2, vec![scores, shift]),
        LinkKind::Softmax => ("link_softmax", Element::F32, n, vec![scores, length, shift]),
        LinkKind::Share if n == 1 => ("link_share_of_two", Element::F32, 2, vec![scores, offset]),
        LinkKind::Share => ("link_share", Element::F32, n, vec![scores, length]),
        LinkKind::Linear => ("link_linear", Element::F64, 1, vec![scores, offset, shift]),
        LinkKind::Exponential => ("link_exponential", Element::F64, 1, vec![scores, shift]),
    };
    let made = lowering.made(node, element, n_made)?;
    lowering.step(routine, [vec![made], arguments].concat());
    Ok(())
}

fn votes(lowering: &mut Lowering<'_>, node: &Node, op: Votes) -> Result<(), Error> {
    let (scores, n) = lowering.scores(node, 0)?;
    let shift = Argument::Whole(op.shift.into());
    let offset = Argument::Whole(op.offset);
    let bits = Argument::Whole(op.bits.into());
    let length = Argument::Length(n);
    let (routine, arguments) = match op.kind {
        VotesKind::Logistic => ("votes_logistic", vec![scores, shift, bits]),
        VotesKind::Softmax => ("votes_softmax", vec![scores, length, shift, bits]),
        VotesKind::Share if n == 1 => ("votes_share_of_two", vec![scores, offset, bits]),
        VotesKind::Share => ("votes_share", vec![scores, length, bits]),
        VotesKind::Largest if n == 1 => ("votes_largest_of_two", vec![scores, bits]),
        VotesKind::Largest => ("votes_largest", vec![scores, length, bits]),
    };
    let made = lowering.made(node, Element::I32, n)?;
    lowering.step(routine, [vec![made], arguments].concat());
    Ok(())
}

fn argmax(lowering: &mut Lowering<'_>, node: &Node) -> Result<(), Error> {
    let (scores, n) = lowering.scores(node, 0)?;
    let label = lowering.made(node, Element::I64, 1)?;
    lowering.step("argmax", vec![label, scores, Argument::Length(n)]);
    Ok(())
}

fn threshold(lowering: &mut Lowering<'_>, node: &Node, op: Threshold) -> Result<(), Error> {
    let (score, _) = lowering.scores(node, 0)?;
    let label = lowering.made(node, Element::I64, 1)?;
    lowering.step("threshold", vec![label, score, Argument::Whole(op.above.into())]);
    Ok(())
}

fn least_cost(lowering: &mut Lowering<'_>, node: &Node) -> Result<(), Error> {
    let (probabilities, n) = slot_of(lowering, node, 0, Element::F32)?;
    let (cost, _) = lowering.doubles(node, 1)?;
    let label = lowering.made(node, Element::I64, 1)?;
    lowering.step("least_cost", vec![label, probabilities, cost, Argument::Length(n)]);
    Ok(())
}

fn quantize(lowering: &mut Lowering<'_>, node: &Node, op: QuantizeLinear) -> Result<(), Error> {
    let (x, n) = slot_of(lowering, node, 0, Element::F64)?;
    let (scale, _) = lowering.doubles(node, 1)?;
    let q = lowering.made(node, Element::I16, n)?;
    let most = Argument::Whole(op.most().into());
    lowering.step("quantize", vec![q, x, scale, Argument::Length(n), most]);
    Ok(())
}

fn to_scores(lowering: &mut Lowering<'_>, node: &Node, op: ToScores) -> Result<(), Error> {
    let (x, n) = slot_of(lowering, node, 0, Element::F64)?;
    let scores = lowering.made(node, Element::I32, n)?;
    lowering.step("to_scores", vec![scores, x, Argument::Length(n), Argument::Whole(op.shift.into())]);
    Ok(())
}

/// Weights stand by output, so that a sum reads them in order.
fn product(lowering: &mut Lowering<'_>, node: &Node) -> Result<(), Error> {
    let (x, n_inputs) = slot_of(lowering, node, 0, Element::I16)?;
    let weights = i16s(lowering, node, lowering.constant(node, 1)?)?;
    let n_outputs = lowering.length(node, 2)?;
    let by_output: Vec<i16> =
        (0..n_outputs).flat_map(|j| weights.iter().skip(j).step_by(n_outputs.max(1))).copied().collect();
    let (weights, routine) = narrow(lowering, &by_output, ["product_i8", "product_i16"]);
    let bias = table_of_i32(lowering, node, 2)?;
    let [multipliers, shifts] = requantize(lowering, node, 3)?;
    let scores = lowering.made(node, Element::I32, n_outputs)?;
    let lengths = [n_inputs, n_outputs].map(Argument::Length);
    lowering.step(routine, [vec![scores, x, weights, bias, multipliers, shifts], lengths.to_vec()].concat());
    Ok(())
}

/// A sum of one part is the part itself.
fn sum(lowering: &mut Lowering<'_>, node: &Node) -> Result<(), Error> {
    let (first, n) = lowering.scores(node, 0)?;
    let length = Argument::Length(n);
    match node.inputs.len() {
        1 => {
            let place = lowering.place(node, 0)?;
            lowering.stands(node, place)
        }
        2 => {
            let (second, _) = lowering.scores(node, 1)?;
            let made = lowering.made(node, Element::I32, n)?;
            lowering.step("sum_of_two", vec![made, first, second, length]);
            Ok(())
        }
        n_parts => {
            let sums = lowering.slot(Element::I64, n);
            lowering.step("sums_begin_with", vec![Argument::Out(sums), first, length]);
            for position in 1..n_parts {
                let (part, _) = lowering.scores(node, position)?;
                lowering.step("sums_add", vec![Argument::Out(sums), part, length, Argument::Whole(1)]);
            }
            let made = lowering.made(node, Element::I32, n)?;
            lowering.step("sums_end", vec![made, Argument::Slot(sums), length, Argument::Whole(0)]);
            Ok(())
        }
    }
}

/// The half that rounds is part of what sums begin with.
fn weighted_sum(lowering: &mut Lowering<'_>, node: &Node, op: WeightedSum) -> Result<(), Error> {
    let n_members = node.inputs.len().checked_sub(2).ok_or_else(|| lowering.misfit(node))?;
    let weights = i64s(lowering, node, lowering.constant(node, n_members)?)?;
    let offsets = i64s(lowering, node, lowering.constant(node, n_members + 1)?)?;
    let n = offsets.len();
    let length = Argument::Length(n);
    let half = (1i64 << op.shift.min(WeightedSum::MAX_SHIFT)) >> 1;
    let first = offsets.iter().map(|offset| offset.saturating_add(half)).collect();
    let first = lowering.table(Table::I64(first));
    let sums = lowering.slot(Element::I64, n);
    lowering.step("sums_begin", vec![Argument::Out(sums), first, length]);
    for (position, weights) in WeightedSum::by_member(weights, n_members).enumerate() {
        let (scores, _) = lowering.scores(node, position)?;
        // A weight may be 2^31, one more than fits: then what is left comes in a second step.
        let kept: Vec<i64> = weights.iter().map(|&weight| weight.min(i32::MAX.into())).collect();
        let left: Vec<i64> = weights.iter().zip(&kept).map(|(weight, kept)| weight - kept).collect();
        for part in [kept, left] {
            add_weighted(lowering, node, [Argument::Out(sums), scores, length], &part)?;
        }
    }
    let made = lowering.made(node, Element::I32, n)?;
    lowering.step("sums_end", vec![made, Argument::Slot(sums), length, Argument::Whole(op.shift.into())]);
    Ok(())
}

/// Adds scores to sums by one weight for all, or by one for each; nothing where all are 0.
fn add_weighted(
    lowering: &mut Lowering<'_>,
    node: &Node,
    [sums, scores, length]: [Argument; 3],
    weights: &[i64],
) -> Result<(), Error> {
    let Some(narrow) = narrowed::<i64, i32>(weights) else { return Err(lowering.misfit(node)) };
    match narrow.first() {
        _ if narrow.iter().all(|&weight| weight == 0) => {}
        Some(&weight) if narrow.iter().all(|&other| other == weight) => {
            lowering.step("sums_add", vec![sums, scores, length, Argument::Whole(weight.into())]);
        }
        _ => {
            let weights = lowering.table(Table::I32(narrow));
            lowering.step("sums_add_each", vec![sums, scores, weights, length]);
        }
    }
    Ok(())
}

fn cascade(lowering: &mut Lowering<'_>, node: &Node, op: Cascade) -> Result<(), Error> {
    let ((first, n), (second, _)) = (lowering.scores(node, 0)?, lowering.scores(node, 1)?);
    let made = lowering.made(node, Element::I32, n)?;
    let margin = Argument::Whole(op.margin);
    if n == 1 {
        let offset = Argument::Whole(op.offset.into());
        lowering.step("cascade_of_two", vec![made, first, second, offset, margin]);
    } else {
        lowering.step("cascade", vec![made, first, second, Argument::Length(n), margin]);
    }
    Ok(())
}

fn gate(lowering: &mut Lowering<'_>, node: &Node) -> Result<(), Error> {
    let (gate, _) = lowering.scores(node, 0)?;
    let ((first, n), (second, _)) = (lowering.scores(node, 1)?, lowering.scores(node, 2)?);
    let made = lowering.made(node, Element::I32, n)?;
    lowering.step("gate", vec![made, gate, first, second, Argument::Length(n)]);
    Ok(())
}

fn curves(lowering: &mut Lowering<'_>, node: &Node) -> Result<(), Error> {
    let (scores, n) = lowering.scores(node, 0)?;
    let sizes = i64s(lowering, node, lowering.constant(node, 1)?)?;
    let sizes = narrowed(sizes).ok_or_else(|| lowering.misfit(node))?;
    let sizes = lowering.table(Table::U32(sizes));
    let (knots, values) = (table_of_i32(lowering, node, 2)?, table_of_i32(lowering, node, 3)?);
    let made = lowering.made(node, Element::I32, n)?;
    lowering.step("curves", vec![made, scores, sizes, knots, values, Argument::Length(n)]);
    Ok(())
}

/// Memory: the `k` nearest rows with their distances, and a sum for each score.
fn nearest_rows(lowering: &mut Lowering<'_>, node: &Node, op: NearestRows) -> Result<(), Error> {
    let (x, width) = slot_of(lowering, node, 0, Element::I16)?;
    let known = i16s(lowering, node, lowering.constant(node, 1)?)?;
    let votes = lowering.constant(node, 2)?;
    let &[n_known, n] = votes.dims() else { return Err(lowering.misfit(node)) };
    let n_voters = n_known.min(op.k as usize);
    let [known_length, voters, length, cells] = [n_known, n_voters, n, width].map(Argument::Length);

    let (distances, rows) = (lowering.slot(Element::I64, n_voters), lowering.slot(Element::U32, n_voters));
    let (known, routine) = narrow(lowering, known, ["nearest_i8", "nearest_i16"]);
    let near = [Argument::Out(distances), Argument::Out(rows)];
    lowering.step(routine, [near.to_vec(), vec![x, known, known_length, cells, voters]].concat());

    // From here on weights stand in the place of distances.
    let weights = Argument::Slot(distances);
    let routine = if op.by_distance { "weigh_by_distance" } else { "weigh_alike" };
    lowering.step(routine, vec![Argument::Out(distances), voters]);
    let votes = i32s(lowering, node, votes)?;
    let (votes, routine) = match narrowed(votes) {
        Some(narrow) => (lowering.table(Table::I16(narrow)), "add_votes_i16"),
        None => (lowering.table(Table::I32(votes.to_vec())), "add_votes_i32"),
    };
    let sums = lowering.slot(Element::I64, n);
    lowering.step(routine, vec![Argument::Out(sums), weights, Argument::Slot(rows), votes, voters, length]);

    let scores = lowering.made(node, Element::I32, n)?;
    if op.by_distance {
        lowering.step("mean_of_votes", vec![scores, Argument::Slot(sums), weights, voters, length]);
    } else {
        lowering.step("sums_end", vec![scores, Argument::Slot(sums), length, Argument::Whole(0)]);
    }
    Ok(())
}

/// Memory: a sum for each score.
fn similarities(lowering: &mut Lowering<'_>, node: &Node, op: RbfSums) -> Result<(), Error> {
    let (x, width) = slot_of(lowering, node, 0, Element::I16)?;
    let vectors = i16s(lowering, node, lowering.constant(node, 1)?)?;
    let coefficients = lowering.constant(node, 2)?;
    let &[n_vectors, n] = coefficients.dims() else { return Err(lowering.misfit(node)) };
    let n_table = lowering.length(node, 3)?;
    let (vectors, routine) = narrow(lowering, vectors, ["similarities_i8", "similarities_i16"]);
    let coefficients = i16s(lowering, node, coefficients)?.to_vec();
    let coefficients = lowering.table(Table::I16(coefficients));
    let table = table_of_i32(lowering, node, 3)?;
    let [multipliers, shifts] = requantize(lowering, node, 4)?;
    let start = table_of_i32(lowering, node, 5)?;

    let sums = lowering.slot(Element::I64, n);
    let mut arguments = vec![Argument::Out(sums), x, vectors, coefficients, table];
    arguments.extend([n_table, n_vectors, width, n].map(Argument::Length));
    arguments.push(Argument::Whole(op.step.into()));
    lowering.step(routine, arguments);
    let scores = lowering.made(node, Element::I32, n)?;
    let length = Argument::Length(n);
    lowering.step("similarities_end", vec![scores, Argument::Slot(sums), start, multipliers, shifts, length]);
    Ok(())
}
