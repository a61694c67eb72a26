//! Codes of columns, forests, tables, and columns of zeros and ones.

use super::{Lowering, narrowed, unsupported};
use crate::Error;
use crate::program::{Argument, Element, Place, Table};
use crate::trees::{Layout, Places};
use ir::forest::{Forest, MISSING, Split, Test, Tree};
use ir::op::{Codes, OneHot, TableTerm, Tables};
use ir::self_test::floor_i64;
use ir::{DType, Node, Op, TensorData};
use std::collections::BTreeMap;

/// Takes one of these nodes into the program.
pub(super) fn lower(lowering: &mut Lowering<'_>, node: &Node) -> Result<(), Error> {
    match &node.op {
        Op::Bin(_) => bin(lowering, node),
        Op::Codes(op) => codes(lowering, node, *op),
        Op::Forest(op) => forest(lowering, node, &op.forest),
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

fn bin(lowering: &mut Lowering<'_>, node: &Node) -> Result<(), Error> {
    let code = lowering.code();
    lowering.stands(node, Place::Code(code))?;
    let place = lowering.place(node, 0)?;
    let integer = match place {
        Place::Column(column) => lowering.program.columns[column].integer,
        _ => None,
    };
    // Edges that no integer of the column reaches are cut off at its ends, where they say the same.
    let within = |edge: i64| integer.map_or(edge, |i| edge.clamp(i.range().0 - 1, i.range().1));
    let (routine, edges, n) = match lowering.constant(node, 1)?.data() {
        TensorData::I64(edges) => {
            let (routine, table) = whole_edges(edges.iter().map(|&edge| within(edge)).collect());
            (routine, table, edges.len())
        }
        TensorData::F64(edges) if integer.is_some() => {
            let (routine, table) = whole_edges(edges.iter().map(|&edge| within(floor_i64(edge))).collect());
            (routine, table, edges.len())
        }
        TensorData::F64(edges) => {
            let same = |e: f64, as_stored: f64| e.to_bits() == as_stored.to_bits();
            let small: Option<Vec<i16>> =
                edges.iter().map(|&e| Some(e as i16).filter(|&s| same(e, s.into()))).collect();
            let single: Option<Vec<f32>> =
                edges.iter().map(|&e| Some(e as f32).filter(|&s| same(e, s.into()))).collect();
            let (routine, table) = match (small, single) {
                (Some(edges), _) => ("bin_f64_i16", Table::I16(edges)),
                (None, Some(edges)) => ("bin_f64_f32", Table::F32(edges)),
                (None, None) => ("bin_f64_f64", Table::F64(edges.clone())),
            };
            (routine, table, edges.len())
        }
        _ => return Err(lowering.misfit(node)),
    };
    let edges = lowering.table(edges);
    let mut arguments = vec![Argument::Code(code)];
    match place {
        Place::Column(column) => arguments.push(Argument::Number(column)),
        Place::Slot(slot) if lowering.program.slots[slot].element == Element::F64 => {
            arguments.push(Argument::Element(slot));
            arguments.push(Argument::Flag(false));
        }
        _ => return Err(lowering.misfit(node)),
    }
    arguments.extend([edges, Argument::Length(n), Argument::Whole(MISSING.into())]);
    lowering.step(routine, arguments);
    Ok(())
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

/// By feature of a forest: the places of its code, with missing on the right (or for sets) and on the left.
struct OfForest {
    right: Vec<usize>,
    left: Vec<usize>,
    n_codes: Vec<usize>,
}

/// Codes that a set covers, with missing and all that are not known.
fn set_bytes(n_codes: usize) -> usize {
    (n_codes + 2).div_ceil(8)
}

impl Places for OfForest {
    fn code(&self, split: &Split) -> usize {
        let feature = split.feature as usize;
        if split.missing_left && matches!(split.test, Test::Greater(_)) {
            self.left[feature]
        } else {
            self.right[feature]
        }
    }

    fn set_bytes(&self, split: &Split) -> usize {
        match split.test {
            Test::Greater(_) => 0,
            Test::In(_) => set_bytes(self.n_codes[split.feature as usize]),
        }
    }

    fn missing(&self, split: &Split) -> usize {
        self.n_codes[split.feature as usize]
    }
}

fn forest(lowering: &mut Lowering<'_>, node: &Node, forest: &Forest) -> Result<(), Error> {
    let width = forest.n_outputs() as usize;
    let mut initial = forest.initial_scores().to_vec();
    let (stumps, trees): (Vec<&Tree>, Vec<&Tree>) = forest.trees().iter().partition(|t| t.splits.is_empty());
    for tree in stumps {
        // No sum of any of the trees leaves 32 bits.
        let own = initial[tree.first_output as usize..].iter_mut().zip(&tree.leaves);
        own.for_each(|(score, value)| *score += value);
    }
    let places = places(lowering, node, forest, &trees)?;
    let scores = lowering.made(node, Element::I32, width)?;
    let initial = lowering.table(Table::I32(initial));
    lowering.step("copy_i32", vec![scores, initial, Argument::Length(width)]);
    let mut by_width: BTreeMap<u32, Vec<&Tree>> = BTreeMap::new();
    trees.into_iter().for_each(|tree| by_width.entry(tree.width).or_default().push(tree));
    let n_codes = lowering.program.n_codes;
    if n_codes > 1 << 14 {
        let what = format!("{n_codes} codes of a row");
        return Err(unsupported(&node.name, "Forest", what, "fit with fewer columns"));
    }
    // By code: bytes of its sets.
    let mut sizes = vec![0; n_codes];
    for split in by_width.values().flatten().flat_map(|tree| &tree.splits) {
        sizes[places.code(split)] = places.set_bytes(split) as u8;
    }
    let sizes =
        if sizes.iter().any(|&n| n > 0) { lowering.table(Table::U8(sizes)) } else { Argument::NoTable };
    for (width, trees) in by_width {
        let layout = Layout::of(&trees, n_codes, &places);
        let bytes = lowering.table(Table::U8(layout.bytes(&trees, &places)));
        let first = if layout.first == 0 { trees[0].first_output as usize } else { 0 };
        let Argument::Out(slot) = scores else { return Err(lowering.misfit(node)) };
        lowering.step(
            "forest",
            vec![
                Argument::OutFrom(slot, first),
                Argument::Codes,
                bytes,
                sizes,
                Argument::Length(trees.len()),
                Argument::Length(width as usize),
                Argument::Whole(layout.head as i64),
                Argument::Whole(layout.length as i64),
                Argument::Whole(layout.value as i64),
                Argument::Whole(layout.first as i64),
                Argument::Whole(layout.unit.into()),
            ],
        );
    }
    Ok(())
}

/// The codes of the features that trees ask about.
fn places(
    lowering: &mut Lowering<'_>,
    node: &Node,
    forest: &Forest,
    trees: &[&Tree],
) -> Result<OfForest, Error> {
    let n = forest.features().len();
    let mut places = OfForest {
        right: vec![0; n],
        left: vec![0; n],
        n_codes: forest.features().iter().map(|f| f.n_codes.into()).collect(),
    };
    let mut asked = vec![[false; 2]; n];
    for split in trees.iter().flat_map(|tree| &tree.splits) {
        let goes_left = split.missing_left && matches!(split.test, Test::Greater(_));
        asked[split.feature as usize][usize::from(goes_left)] = true;
    }
    for (feature, [right, left]) in asked.into_iter().enumerate() {
        if right && !forest.features()[feature].ordered {
            places.right[feature] = lowering.set_code(node, feature, places.n_codes[feature])?;
        } else if right {
            places.right[feature] = lowering.code_with(node, feature, MISSING)?;
        }
        if left {
            places.left[feature] = lowering.code_with(node, feature, 0)?;
        }
    }
    Ok(places)
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
    let (routine, table) = if let Some(values) = narrowed(values) {
        ("tables_i8", Table::I8(values))
    } else if let Some(values) = narrowed(values) {
        ("tables_i16", Table::I16(values))
    } else {
        ("tables_i32", Table::I32(values.clone()))
    };
    let scores = lowering.made(node, Element::I32, width)?;
    let (terms, values) = (lowering.table(Table::U16(packed.concat())), lowering.table(table));
    let lengths = [packed.len(), n_rows, width].map(Argument::Length);
    let mut arguments = vec![scores, Argument::Codes, terms, values];
    arguments.extend(lengths);
    arguments.push(Argument::Whole(op.shift.into()));
    lowering.step(routine, arguments);
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
