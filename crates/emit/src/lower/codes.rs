//! Codes of columns, tables, and columns of zeros and ones.

use super::{Binned, Lowering, narrowed};
use crate::Error;
use crate::program::{Argument, Element, Integer, Place, Table};
use ir::forest::MISSING;
use ir::op::{Codes, OneHot, TableTerm, Tables};
use ir::self_test::floor_i64;
use ir::{DType, Node, Op, TensorData};

/// Takes one of these nodes into the program.
pub(super) fn lower(lowering: &mut Lowering<'_>, node: &Node) -> Result<(), Error> {
    match &node.op {
        Op::Bin(_) => bin(lowering, node),
        Op::Codes(op) => codes(lowering, node, *op),
        Op::Tables(op) => tables(lowering, node, *op),
        Op::OneHot(op) => one_hot(lowering, node, *op),
        _ => Err(lowering.misfit(node)),
    }
}

/// Edges of integers in the narrowest type that holds them, and the routine that searches them.
fn whole_edges(edges: Vec<i64>) -> (&'static str, Table) {
    if let Some(edges) = narrowed(&edges) {
        ("bin_i64_i8", Table::I8(edges))
    } else if let Some(edges) = narrowed(&edges) {
        ("bin_i64_i16", Table::I16(edges))
    } else if let Some(edges) = narrowed(&edges) {
        ("bin_i64_i32", Table::I32(edges))
    } else {
        ("bin_i64_i64", Table::I64(edges))
    }
}

/// A number is coded where its code is asked for.
fn bin(lowering: &mut Lowering<'_>, node: &Node) -> Result<(), Error> {
    let binned =
        Binned { from: lowering.place(node, 0)?, edges: lowering.constant(node, 1)?.data(), code: None };
    lowering.binned.push(binned);
    lowering.stands(node, Place::Binned(lowering.binned.len() - 1))
}

/// Edges as integers, where the number is one; those that no integer of its column reaches are cut off at its ends, where
/// they say the same.
fn whole(lowering: &Lowering<'_>, binned: &Binned<'_>) -> Option<Vec<i64>> {
    let integer = match binned.from {
        Place::Column(column) => lowering.program.columns[column].integer,
        _ => None,
    };
    let within = |edge: i64| integer.map_or(edge, |i| edge.clamp(i.range().0 - 1, i.range().1));
    match binned.edges {
        TensorData::I64(edges) => Some(edges.iter().map(|&edge| within(edge)).collect()),
        TensorData::F64(edges) if integer.is_some() => {
            Some(edges.iter().map(|&edge| within(floor_i64(edge))).collect())
        }
        _ => None,
    }
}

/// A column in few integers that is asked for by its edges alone.
pub(super) struct GivenWhole {
    pub(super) column: usize,
    pub(super) integer: Integer,
    /// They rise, and lie between one below the lowest integer and the highest.
    pub(super) edges: Vec<i64>,
    /// Whether its code is made already.
    pub(super) is_coded: bool,
}

/// The column in few integers whose code stands at a position of a node's inputs; none for any other code.
pub(super) fn given_whole(
    lowering: &Lowering<'_>,
    node: &Node,
    position: usize,
) -> Result<Option<GivenWhole>, Error> {
    let Place::Binned(at) = lowering.place(node, position)? else { return Ok(None) };
    let binned = &lowering.binned[at];
    let Place::Column(column) = binned.from else { return Ok(None) };
    let (integer, edges) = (lowering.program.columns[column].integer, whole(lowering, binned));
    let is_coded = binned.code.is_some();
    Ok(integer.zip(edges).map(|(integer, edges)| GivenWhole { column, integer, edges, is_coded }))
}

/// The code of a number, made now if it is not yet.
pub(super) fn code_of(lowering: &mut Lowering<'_>, node: &Node, at: usize) -> Result<usize, Error> {
    if let Some(code) = lowering.binned[at].code {
        return Ok(code);
    }
    let binned = &lowering.binned[at];
    let (from, n) = (binned.from, binned.edges.len());
    let (routine, edges) = match (whole(lowering, binned), binned.edges) {
        (Some(edges), _) => whole_edges(edges),
        (None, TensorData::F64(edges)) => edges_in_doubles(edges),
        _ => return Err(lowering.misfit(node)),
    };
    let code = lowering.code();
    lowering.binned[at].code = Some(code);
    let edges = lowering.table(edges);
    let mut arguments = vec![Argument::Code(code)];
    match from {
        Place::Column(column) => arguments.push(Argument::Number(column)),
        Place::Slot(slot) if lowering.program.slots[slot].element == Element::F64 => {
            arguments.push(Argument::Element(slot));
            arguments.push(Argument::Flag(false));
        }
        _ => return Err(lowering.misfit(node)),
    }
    arguments.extend([edges, Argument::Length(n), Argument::Whole(MISSING.into())]);
    lowering.step(routine, arguments);
    Ok(code)
}

/// Edges of doubles in the shortest type that holds them, and the routine that searches them.
fn edges_in_doubles(edges: &[f64]) -> (&'static str, Table) {
    let same = |e: f64, as_stored: f64| e.to_bits() == as_stored.to_bits();
    let small: Option<Vec<i16>> =
        edges.iter().map(|&e| Some(e as i16).filter(|&s| same(e, s.into()))).collect();
    let single: Option<Vec<f32>> =
        edges.iter().map(|&e| Some(e as f32).filter(|&s| same(e, s.into()))).collect();
    match (small, single) {
        (Some(edges), _) => ("bin_f64_i16", Table::I16(edges)),
        (None, Some(edges)) => ("bin_f64_f32", Table::F32(edges)),
        (None, None) => ("bin_f64_f64", Table::F64(edges.to_vec())),
    }
}

fn codes(lowering: &mut Lowering<'_>, node: &Node, op: Codes) -> Result<(), Error> {
    let TensorData::Str(keys) = lowering.constant(node, 1)?.data() else { return Err(lowering.misfit(node)) };
    let code = lowering.code();
    lowering.stands(node, Place::Code(code))?;
    let text = lowering.text(node, 0)?;
    let [bytes, starts] = lowering.texts(keys);
    let n = Argument::Length(keys.len());
    let (unseen, missing) = (Argument::Whole(op.unseen.into()), Argument::Whole(MISSING.into()));
    lowering.step("key_code", vec![Argument::Code(code), text, bytes, starts, n, unseen, missing]);
    Ok(())
}

fn tables(lowering: &mut Lowering<'_>, node: &Node, op: Tables) -> Result<(), Error> {
    let n_columns = node.inputs.len().checked_sub(3).ok_or_else(|| lowering.misfit(node))?;
    let constants = (n_columns..n_columns + 3).map(|at| lowering.constant(node, at));
    let constants: Vec<_> = constants.collect::<Result<_, _>>()?;
    let (TensorData::I64(sizes), TensorData::I64(terms), TensorData::I32(values)) =
        (constants[0].data(), constants[1].data(), constants[2].data())
    else {
        return Err(lowering.misfit(node));
    };
    let (terms, n_rows) = Tables::terms(sizes, terms).ok_or_else(|| lowering.misfit(node))?;
    let width = values.len() / n_rows;
    let codes: Vec<usize> =
        (0..n_columns).map(|at| lowering.code_with(node, at, MISSING)).collect::<Result<_, _>>()?;
    let code = |column: usize| u16::try_from(codes[column]);
    let of_term = |term: &TableTerm| {
        let (a, b) = (code(term.a).ok()?, code(term.b.unwrap_or(term.a)).ok()?);
        // At most 256 each.
        Some([a, term.n_a as u16, b, term.n_b as u16])
    };
    let packed: Option<Vec<[u16; 4]>> = terms.iter().map(of_term).collect();
    let packed =
        packed.ok_or_else(|| lowering.refuse(node, "more than 65,536 codes", "fit with fewer columns"))?;
    let most = values.iter().fold(0, |most, &v| most.max(if v < 0 { -(v + 1) } else { v }));
    let n_bytes = [1, 2].into_iter().find(|n| most < 1 << (8 * n - 1)).unwrap_or(4);
    let bytes = values.iter().flat_map(|v| v.to_le_bytes().into_iter().take(n_bytes)).collect();
    let scores = lowering.made(node, Element::I32, width)?;
    let (terms, values) = (lowering.table(Table::U16(packed.concat())), lowering.table(Table::U8(bytes)));
    let mut arguments = vec![scores, Argument::Codes, terms, values, Argument::Whole(n_bytes as i64)];
    arguments.extend([packed.len(), n_rows, width].map(Argument::Length));
    arguments.push(Argument::Whole(op.shift.into()));
    lowering.step("tables", arguments);
    Ok(())
}

fn one_hot(lowering: &mut Lowering<'_>, node: &Node, op: OneHot) -> Result<(), Error> {
    let depth = op.depth as usize;
    let idx = lowering.input(node, 0)?;
    if lowering.graph.value(idx).dtype == DType::U8 {
        let code = lowering.code_with(node, 0, MISSING)?;
        let out = lowering.made(node, Element::F64, depth)?;
        let arguments = vec![out, Argument::Codes, Argument::Length(code), Argument::Length(depth)];
        lowering.step("one_hot_code", arguments);
        return Ok(());
    }
    let (code, _) = lowering.doubles(node, 0)?;
    let out = lowering.made(node, Element::F64, depth)?;
    lowering.step("one_hot", vec![out, code, Argument::Length(depth)]);
    Ok(())
}
