//! Operators on doubles.
//!
//! A value of one row is a slot of doubles, of truths a slot of bytes. Where operands broadcast, each gives one number or
//! as many as the output has; what would pair a row with another row is refused. Long tables take the fewest bytes a number
//! that hold all of them exactly.

use super::Lowering;
use crate::Error;
use crate::program::{Argument, Element, Place, Table};
use ir::op::{Arithmetic, BSpline, Comparison, Function, ImputeNeighbours, Reduce};
use ir::{Dim, Node, Op, Tensor, TensorData};

/// Takes one of these nodes into the program.
pub(super) fn lower(lowering: &mut Lowering<'_>, node: &Node) -> Result<(), Error> {
    match &node.op {
        Op::Cast(_) => cast(lowering, node),
        Op::Arithmetic(op) => arithmetic(lowering, node, *op),
        Op::Function(op) => function(lowering, node, *op),
        Op::Comparison(op) => comparison(lowering, node, *op),
        Op::IsNaN(_) => each(lowering, node, "is_nan", Element::U8),
        Op::Where(_) => choose(lowering, node),
        Op::Columns(_) => columns(lowering, node),
        Op::Gather(_) => gather(lowering, node),
        Op::MatMul(_) => matmul(lowering, node),
        Op::Reduce(op) => reduce(lowering, node, *op),
        Op::Interpolate(_) => interpolate(lowering, node),
        Op::BSpline(op) => b_spline(lowering, node, *op),
        Op::ImputeNeighbours(op) => impute_neighbours(lowering, node, *op),
        _ => Err(lowering.misfit(node)),
    }
}

const INSTEAD: &str = "export to onnx";

/// Numbers of one row that broadcast: where they stand, and the step from one to the next.
#[derive(Clone, Copy)]
struct Operand {
    at: Argument,
    step: usize,
}

impl Operand {
    fn is_table(self) -> bool {
        matches!(self.at, Argument::Table(_))
    }

    fn arguments(self) -> [Argument; 2] {
        [self.at, Argument::Length(self.step)]
    }
}

impl Lowering<'_> {
    /// Numbers of one row that the node makes. A node on constants alone makes the same for all rows, one that pairs a
    /// column with a matrix pairs each row with all rows.
    fn made_width(&self, node: &Node) -> Result<usize, Error> {
        let output = node.outputs.first().ok_or_else(|| self.misfit(node))?;
        match self.graph.value(*output).shape.0[..] {
            [Dim::Symbol(_)] => Ok(1),
            [Dim::Symbol(_), Dim::Fixed(width)] => Ok(width),
            _ if node.inputs.iter().all(|&idx| self.graph.constant(idx).is_some()) => {
                Err(self.refuse(node, "an operation on constants alone", INSTEAD))
            }
            _ => Err(self.across_rows(node)),
        }
    }

    fn across_rows(&self, node: &Node) -> Error {
        self.refuse(node, "a broadcast that pairs a row with other rows", INSTEAD)
    }

    /// The step from one number of an operand to the next, where `width` are made.
    fn step_of(&self, node: &Node, position: usize, width: usize) -> Result<usize, Error> {
        let shape = &self.graph.value(self.input(node, position)?).shape.0[..];
        let length = self.length(node, position)?;
        let of_a_row = match shape.split_last() {
            Some((Dim::Fixed(last), rest)) => {
                *last == length && rest.iter().all(|dim| !matches!(dim, Dim::Fixed(2..)))
            }
            _ => length == 1,
        };
        match length {
            1 => Ok(0),
            _ if length == width && of_a_row => Ok(1),
            _ => Err(self.across_rows(node)),
        }
    }

    /// Doubles at a position of a node's inputs, where `width` are made.
    fn operand(&mut self, node: &Node, position: usize, width: usize) -> Result<Operand, Error> {
        let step = self.step_of(node, position, width)?;
        let (at, _) = self.doubles(node, position)?;
        Ok(Operand { at, step })
    }

    /// The doubles of a constant at a position of a node's inputs, as bytes, and the bytes of each.
    fn cells(&mut self, node: &Node, position: usize) -> Result<[Argument; 2], Error> {
        let TensorData::F64(values) = self.constant(node, position)?.data() else {
            return Err(self.misfit(node));
        };
        let (n_bytes, bytes) = cells(values);
        Ok([self.table(Table::U8(bytes)), Argument::Length(n_bytes)])
    }
}

/// Numbers in the fewest bytes that hold each exactly, little-endian: whole numbers in 2, of which the least stands for
/// infinity; single precision in 4; or 8.
fn cells(values: &[f64]) -> (usize, Vec<u8>) {
    let whole = |x: f64| {
        let whole = x as i16;
        match (x == f64::INFINITY, f64::from(whole).to_bits() == x.to_bits()) {
            (true, _) => Some(i16::MIN),
            (_, same) => (same && whole != i16::MIN).then_some(whole),
        }
    };
    let single = |x: f64| {
        let single = x as f32;
        // A machine may take subnormals for zeros.
        let same = f64::from(single).to_bits() == x.to_bits() && !single.is_subnormal() && !x.is_nan();
        same.then_some(single)
    };
    if let Some(wholes) = values.iter().map(|&x| whole(x)).collect::<Option<Vec<i16>>>() {
        return (2, wholes.iter().flat_map(|x| x.to_le_bytes()).collect());
    }
    if let Some(singles) = values.iter().map(|&x| single(x)).collect::<Option<Vec<f32>>>() {
        return (4, singles.iter().flat_map(|x| x.to_le_bytes()).collect());
    }
    (8, values.iter().flat_map(|x| x.to_le_bytes()).collect())
}

fn cast(l: &mut Lowering<'_>, node: &Node) -> Result<(), Error> {
    let width = l.made_width(node)?;
    let (routine, from) = match l.place(node, 0)? {
        Place::Column(column) => {
            let slot = l.column_of_doubles(column);
            return l.stands(node, Place::Slot(slot));
        }
        Place::Code(_) | Place::Binned(_) => {
            let code = l.code_at(node, 0)?;
            let made = l.made(node, Element::F64, 1)?;
            l.step("cast_code", vec![made, Argument::Codes, Argument::Length(code)]);
            return Ok(());
        }
        Place::Slot(slot) => match l.program.slots[slot].element {
            Element::F64 => return l.stands(node, Place::Slot(slot)),
            Element::U8 => ("cast_u8", slot),
            Element::I32 => ("cast_i32", slot),
            Element::I64 => ("cast_i64", slot),
            Element::I16 | Element::U16 | Element::U32 | Element::F32 | Element::Text => {
                return Err(l.misfit(node));
            }
        },
        Place::Bag { .. } => return Err(l.misfit(node)),
    };
    let made = l.made(node, Element::F64, width)?;
    l.step(routine, vec![made, Argument::Slot(from), Argument::Length(width)]);
    Ok(())
}

/// A routine that makes of each number another one.
fn each(l: &mut Lowering<'_>, node: &Node, routine: &'static str, element: Element) -> Result<(), Error> {
    let width = l.made_width(node)?;
    let (x, _) = l.doubles(node, 0)?;
    let made = l.made(node, element, width)?;
    l.step(routine, vec![made, x, Argument::Length(width)]);
    Ok(())
}

fn function(l: &mut Lowering<'_>, node: &Node, op: Function) -> Result<(), Error> {
    let routine = match op {
        Function::Abs => "abs",
        Function::Neg => "neg",
        Function::Sqrt => "sqrt",
        Function::Exp => "exp",
        Function::Log => "log",
        Function::Sin => "sin",
        Function::Cos => "cos",
        Function::Floor => "floor",
        Function::Sign => "sign",
        Function::NormalQuantile => "normal_quantile",
    };
    each(l, node, routine, Element::F64)
}

/// The name of a routine, and whether operands change places.
type Called = (&'static str, bool);

/// What a routine of two operands is called: with both in memory, with the second one in a table, with the first one.
struct Pair {
    slots: Called,
    second_is_table: Called,
    first_is_table: Called,
}

impl Pair {
    /// Of an operation that does not care which operand is first.
    fn even(slots: &'static str, table: &'static str) -> Pair {
        Pair { slots: (slots, false), second_is_table: (table, false), first_is_table: (table, true) }
    }
}

/// A routine on pairs of numbers.
fn pairs(l: &mut Lowering<'_>, node: &Node, pair: &Pair, element: Element) -> Result<(), Error> {
    let width = l.made_width(node)?;
    let (a, b) = (l.operand(node, 0, width)?, l.operand(node, 1, width)?);
    let (routine, is_swapped) = match (a.is_table(), b.is_table()) {
        (false, false) => pair.slots,
        (false, true) => pair.second_is_table,
        (true, false) => pair.first_is_table,
        (true, true) => return Err(l.misfit(node)),
    };
    let (a, b) = if is_swapped { (b, a) } else { (a, b) };
    let made = l.made(node, element, width)?;
    let [a, a_step] = a.arguments();
    let [b, b_step] = b.arguments();
    l.step(routine, vec![made, a, a_step, b, b_step, Argument::Length(width)]);
    Ok(())
}

fn arithmetic(l: &mut Lowering<'_>, node: &Node, op: Arithmetic) -> Result<(), Error> {
    let pair = match op {
        Arithmetic::Add => Pair::even("add", "add_table"),
        Arithmetic::Mul => Pair::even("mul", "mul_table"),
        Arithmetic::Min => Pair::even("min", "min_table"),
        Arithmetic::Max => Pair::even("max", "max_table"),
        Arithmetic::Sub => Pair {
            slots: ("sub", false),
            second_is_table: ("sub_table", false),
            first_is_table: ("table_sub", false),
        },
        Arithmetic::Div => Pair {
            slots: ("div", false),
            second_is_table: ("div_table", false),
            first_is_table: ("table_div", false),
        },
    };
    pairs(l, node, &pair, Element::F64)
}

fn comparison(l: &mut Lowering<'_>, node: &Node, op: Comparison) -> Result<(), Error> {
    let pair = match op {
        Comparison::Equal => Pair::even("equal", "equal_table"),
        Comparison::Less => Pair {
            slots: ("less", false),
            second_is_table: ("less_table", false),
            first_is_table: ("greater_table", true),
        },
        Comparison::LessOrEqual => Pair {
            slots: ("less_or_equal", false),
            second_is_table: ("less_or_equal_table", false),
            first_is_table: ("greater_or_equal_table", true),
        },
        Comparison::Greater => Pair {
            slots: ("less", true),
            second_is_table: ("greater_table", false),
            first_is_table: ("less_table", true),
        },
        Comparison::GreaterOrEqual => Pair {
            slots: ("less_or_equal", true),
            second_is_table: ("greater_or_equal_table", false),
            first_is_table: ("less_or_equal_table", true),
        },
    };
    pairs(l, node, &pair, Element::U8)
}

fn choose(l: &mut Lowering<'_>, node: &Node) -> Result<(), Error> {
    let width = l.made_width(node)?;
    if l.graph.constant(l.input(node, 0)?).is_some() {
        return Err(l.refuse(node, "a constant condition", INSTEAD));
    }
    let holds = match l.place(node, 0)? {
        Place::Slot(slot) if l.program.slots[slot].element == Element::U8 => slot,
        _ => return Err(l.misfit(node)),
    };
    let holds_step = l.step_of(node, 0, width)?;
    let (a, b) = (l.operand(node, 1, width)?, l.operand(node, 2, width)?);
    let made = l.made(node, Element::F64, width)?;
    let [from, step] = b.arguments();
    let routine = if b.is_table() { "fill_table" } else { "fill" };
    l.step(routine, vec![made, from, step, Argument::Length(width)]);
    let [from, step] = a.arguments();
    let routine = if a.is_table() { "choose_table" } else { "choose" };
    let arguments =
        vec![made, Argument::Slot(holds), Argument::Length(holds_step), from, step, Argument::Length(width)];
    l.step(routine, arguments);
    Ok(())
}

fn columns(l: &mut Lowering<'_>, node: &Node) -> Result<(), Error> {
    let width = l.made_width(node)?;
    let mut parts = Vec::with_capacity(node.inputs.len());
    for position in 0..node.inputs.len() {
        parts.push(l.doubles(node, position)?);
    }
    let slot = l.slot(Element::F64, width);
    l.stands(node, Place::Slot(slot))?;
    let mut first = 0;
    for (from, n) in parts {
        let made = Argument::OutFrom(slot, first);
        l.step("fill", vec![made, from, Argument::Length(1), Argument::Length(n)]);
        first += n;
    }
    Ok(())
}

fn gather(l: &mut Lowering<'_>, node: &Node) -> Result<(), Error> {
    let width = l.made_width(node)?;
    let TensorData::I64(at) = l.constant(node, 1)?.data() else { return Err(l.misfit(node)) };
    let at: Vec<u16> =
        at.iter().map(|&i| u16::try_from(i)).collect::<Result<_, _>>().map_err(|_| l.misfit(node))?;
    let (routine, element, x) = match l.place(node, 0)? {
        Place::Slot(slot) if l.program.slots[slot].element == Element::I32 => {
            ("gather_i32", Element::I32, Argument::Slot(slot))
        }
        _ => ("gather_f64", Element::F64, l.doubles(node, 0)?.0),
    };
    let at = l.table(Table::U16(at));
    let made = l.made(node, element, width)?;
    l.step(routine, vec![made, x, at, Argument::Length(width)]);
    Ok(())
}

fn matmul(l: &mut Lowering<'_>, node: &Node) -> Result<(), Error> {
    let width = l.made_width(node)?;
    let (x, inner) = l.doubles(node, 0)?;
    let [w, n_bytes] = l.cells(node, 1)?;
    let made = l.made(node, Element::F64, width)?;
    l.step("matmul", vec![made, x, w, n_bytes, Argument::Length(inner), Argument::Length(width)]);
    Ok(())
}

fn reduce(l: &mut Lowering<'_>, node: &Node, op: Reduce) -> Result<(), Error> {
    let routine = match op {
        Reduce::Sum => "reduce_sum",
        Reduce::Max => "reduce_max",
        Reduce::L1 => "reduce_l1",
        Reduce::L2 => "reduce_l2",
    };
    l.made_width(node)?;
    let (x, width) = l.doubles(node, 0)?;
    let made = l.made(node, Element::F64, 1)?;
    l.step(routine, vec![made, x, Argument::Length(width)]);
    Ok(())
}

fn interpolate(l: &mut Lowering<'_>, node: &Node) -> Result<(), Error> {
    l.made_width(node)?;
    let (x, _) = l.doubles(node, 0)?;
    let n = l.length(node, 1)?;
    let ([knots, knot_bytes], [values, value_bytes]) = (l.cells(node, 1)?, l.cells(node, 2)?);
    let made = l.made(node, Element::F64, 1)?;
    l.step("interpolate", vec![made, x, knots, knot_bytes, values, value_bytes, Argument::Length(n)]);
    Ok(())
}

fn b_spline(l: &mut Lowering<'_>, node: &Node, op: BSpline) -> Result<(), Error> {
    let width = l.made_width(node)?;
    let ((x, _), (knots, _)) = (l.doubles(node, 0)?, l.doubles(node, 1)?);
    let made = l.made(node, Element::F64, width)?;
    let arguments = vec![made, x, knots, Argument::Length(op.degree.into()), Argument::Length(width)];
    l.step("b_spline", arguments);
    Ok(())
}

/// Needs room for the neighbours of a cell: their squared distances and values.
fn impute_neighbours(l: &mut Lowering<'_>, node: &Node, op: ImputeNeighbours) -> Result<(), Error> {
    l.made_width(node)?;
    let (x, width) = l.doubles(node, 0)?;
    let n_rows = l.constant(node, 1).map(Tensor::dims)?.first().copied().unwrap_or(0);
    let [reference, n_bytes] = l.cells(node, 1)?;
    let ((scale, _), (fill, _)) = (l.doubles(node, 2)?, l.doubles(node, 3)?);
    let k = usize::try_from(op.k).map_or(n_rows, |k| k.min(n_rows));
    let near = Argument::Out(l.slot(Element::F64, k));
    let values = Argument::Out(l.slot(Element::F64, k));
    let made = l.made(node, Element::F64, width)?;
    let arguments = vec![
        made,
        near,
        values,
        x,
        reference,
        n_bytes,
        scale,
        fill,
        Argument::Length(n_rows),
        Argument::Length(width),
        Argument::Length(k),
        Argument::Whole(i64::from(op.by_distance)),
    ];
    l.step("impute_neighbours", arguments);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the routines read from such bytes.
    fn read(n_bytes: usize, bytes: &[u8]) -> Vec<u64> {
        let read = |cell: &[u8]| match *cell {
            [a, b] => match i16::from_le_bytes([a, b]) {
                i16::MIN => f64::INFINITY,
                whole => whole.into(),
            },
            [a, b, c, d] => f32::from_le_bytes([a, b, c, d]).into(),
            _ => f64::from_le_bytes(cell.try_into().unwrap()),
        };
        bytes.chunks(n_bytes).map(|cell| read(cell).to_bits()).collect()
    }

    #[test]
    fn cells_hold_each_number_exactly() {
        let (inf, nan) = (f64::INFINITY, f64::NAN);
        let cases: &[(usize, &[f64])] = &[
            (2, &[]),
            (2, &[0.0, 1.0, -1.0, 32767.0, -32767.0, inf]),
            (4, &[-32768.0]),
            (4, &[-inf, 1.0]),
            (4, &[-0.0, 1.0]),
            (4, &[0.5, 1e6, -1.0, inf, f64::from(f32::MAX), f64::from(f32::MIN_POSITIVE)]),
            (8, &[0.1]),
            (8, &[f64::from(f32::MIN_POSITIVE) / 2.0]),
            (8, &[1e39]),
            (8, &[nan, 1.0]),
            (8, &[1.0, 1e-320]),
        ];
        for &(expected, values) in cases {
            let (n_bytes, bytes) = cells(values);
            let bits: Vec<u64> = values.iter().map(|x| x.to_bits()).collect();
            assert_eq!((n_bytes, read(n_bytes, &bytes)), (expected, bits), "{values:?}");
        }
    }
}
