//! From the graph to a program: a function a family of operators.

mod codes;
mod forests;
mod integers;
mod numbers;
mod texts;

use crate::program::{Argument, Element, Given, Integer, Made, Place, Program, Slot, Step, Table};
use crate::sample::Sample;
use crate::{Error, Kind};
use ir::forest::MISSING;
use ir::{DType, Dim, Graph, Model, Node, Op, Origin, Tensor, TensorData, ValueIdx};

/// The program of a model.
pub(crate) fn lower(model: &Model, integers: &[Option<Integer>]) -> Result<Program, Error> {
    let graph = model.graph();
    let signature = model.signature();
    if let Some(joined) = signature.joined_inputs().first() {
        let what = format!("column \"{}\" of a second table", joined.name);
        return Err(unsupported("graph", "Related", what, "fit without --join"));
    }
    let columns = signature.inputs.iter().zip(integers).map(|(input, &integer)| Given {
        name: input.name.clone(),
        kind: input.kind,
        dtype: input.graph_dtype(),
        integer,
    });
    let program = Program {
        columns: columns.collect(),
        tables: Vec::new(),
        slots: Vec::new(),
        n_codes: 0,
        steps: Vec::new(),
        refusals: Vec::new(),
        outputs: Vec::new(),
        signature: signature.clone(),
        self_test: model.self_test,
        samples: Sample::all(graph, integers)?,
    };
    let places = graph.values().iter().map(|value| match value.origin {
        Origin::Input(position) => Some(Place::Column(position as usize)),
        Origin::Constant(_) | Origin::Node(_) => None,
    });
    let mut lowering = Lowering {
        graph,
        places: places.collect(),
        program,
        doubles: Vec::new(),
        binned: Vec::new(),
        recoded: Vec::new(),
    };
    for node in graph.nodes() {
        lowering.node(node)?;
    }
    for (&output, &role) in graph.outputs().iter().zip(&signature.outputs) {
        let target = lowering.program.outputs.iter().filter(|made| made.role == role).count();
        let slot = lowering.output(output)?;
        lowering.program.outputs.push(Made { role, target, slot });
    }
    Ok(lowering.program)
}

/// A refusal that names the part.
pub(crate) fn unsupported(
    node: &str,
    op: &'static str,
    what: impl Into<String>,
    instead: &'static str,
) -> Error {
    Kind::Unsupported { node: node.to_string(), op, what: what.into(), instead }.into()
}

/// A program on its way.
pub(crate) struct Lowering<'g> {
    graph: &'g Graph,
    /// By value of the graph: where it stands; constants stand nowhere until they are asked for.
    places: Vec<Option<Place>>,
    program: Program,
    /// Columns that were read as doubles, and the slots that hold them.
    doubles: Vec<(usize, usize)>,
    /// Numbers that are coded where a code of them is asked for.
    binned: Vec<Binned<'g>>,
    /// Codes in other words: code, routine, how, the new code.
    recoded: Vec<(usize, &'static str, Argument, usize)>,
}

/// A number between edges.
struct Binned<'g> {
    from: Place,
    edges: &'g TensorData,
    /// Its code, once it is made.
    code: Option<usize>,
}

impl<'g> Lowering<'g> {
    fn node(&mut self, node: &'g Node) -> Result<(), Error> {
        match &node.op {
            Op::Bin(_) | Op::Codes(_) | Op::Tables(_) | Op::OneHot(_) => codes::lower(self, node),
            Op::Forest(op) => forests::lower(self, node, &op.forest),
            Op::Link(_)
            | Op::ArgMax(_)
            | Op::Threshold(_)
            | Op::LeastCost(_)
            | Op::QuantizeLinear(_)
            | Op::QGemm(_)
            | Op::Sum(_)
            | Op::WeightedSum(_)
            | Op::Cascade(_)
            | Op::Gate(_)
            | Op::Votes(_)
            | Op::ScoreCurve(_)
            | Op::ToScores(_)
            | Op::NearestRows(_)
            | Op::RbfSums(_) => integers::lower(self, node),
            Op::Cast(_)
            | Op::Arithmetic(_)
            | Op::Function(_)
            | Op::Comparison(_)
            | Op::IsNaN(_)
            | Op::Where(_)
            | Op::Columns(_)
            | Op::Gather(_)
            | Op::MatMul(_)
            | Op::Reduce(_)
            | Op::Interpolate(_)
            | Op::BSpline(_)
            | Op::ImputeNeighbours(_) => numbers::lower(self, node),
            Op::TimePart(_)
            | Op::LabelEncoder(_)
            | Op::HashBucket(_)
            | Op::Respell(_)
            | Op::TextPart(_)
            | Op::Tokens(_)
            | Op::HashTokens(_)
            | Op::BagWeigh(_)
            | Op::BagGather(_)
            | Op::BagGemm(_) => texts::lower(self, node),
            Op::Past(_) => {
                Err(self.refuse(node, "a feature of earlier rows", "fit without --order and --group"))
            }
            Op::Related(_) => Err(self.refuse(node, "a feature of a second table", "fit without --join")),
            Op::Tensor(_) => Err(self.refuse(node, "a network", "export to onnx")),
        }
    }

    /// A refusal of a node.
    pub(crate) fn refuse(&self, node: &Node, what: impl Into<String>, instead: &'static str) -> Error {
        unsupported(&node.name, node.op.payload().name(), what, instead)
    }

    /// A node that is not as its operator has it; no graph that exists has one.
    pub(crate) fn misfit(&self, node: &Node) -> Error {
        self.refuse(node, "this form", "report it: the graph is not well formed")
    }

    /// The value at a position of a node's inputs.
    pub(crate) fn input(&self, node: &Node, position: usize) -> Result<ValueIdx, Error> {
        node.inputs.get(position).copied().ok_or_else(|| self.misfit(node))
    }

    /// The constant at a position of a node's inputs.
    pub(crate) fn constant(&self, node: &Node, position: usize) -> Result<&'g Tensor, Error> {
        self.graph.constant(self.input(node, position)?).ok_or_else(|| self.misfit(node))
    }

    /// Elements of one row of a value: 1 for `[N]`, `K` for `[N, K]`; of a constant all of them.
    pub(crate) fn length(&self, node: &Node, position: usize) -> Result<usize, Error> {
        let idx = self.input(node, position)?;
        if let Some(constant) = self.graph.constant(idx) {
            return Ok(constant.data().len());
        }
        self.width(node, idx)
    }

    /// Elements of one row of a value that is not constant.
    pub(crate) fn width(&self, node: &Node, idx: ValueIdx) -> Result<usize, Error> {
        match &self.graph.value(idx).shape.0[..] {
            [Dim::Symbol(_)] => Ok(1),
            [Dim::Symbol(_), Dim::Fixed(width)] => Ok(*width),
            _ => Err(self.misfit(node)),
        }
    }

    /// Where a value stands that is not constant.
    pub(crate) fn place(&self, node: &Node, position: usize) -> Result<Place, Error> {
        let idx = self.input(node, position)?;
        self.places[idx.0 as usize].ok_or_else(|| self.misfit(node))
    }

    /// A slot for the node's output, `length` elements.
    pub(crate) fn made(&mut self, node: &Node, element: Element, length: usize) -> Result<Argument, Error> {
        let slot = self.slot(element, length);
        self.stands(node, Place::Slot(slot))?;
        Ok(Argument::Out(slot))
    }

    /// Says where the node's output stands.
    pub(crate) fn stands(&mut self, node: &Node, place: Place) -> Result<(), Error> {
        let output = *node.outputs.first().ok_or_else(|| self.misfit(node))?;
        self.places[output.0 as usize] = Some(place);
        Ok(())
    }

    /// A new slot.
    pub(crate) fn slot(&mut self, element: Element, length: usize) -> usize {
        self.program.slots.push(Slot { element, length });
        self.program.slots.len() - 1
    }

    /// A new code.
    pub(crate) fn code(&mut self) -> usize {
        self.program.n_codes += 1;
        self.program.n_codes - 1
    }

    /// A call.
    pub(crate) fn step(&mut self, routine: &'static str, arguments: Vec<Argument>) {
        self.program.steps.push(Step { routine, arguments });
    }

    /// A table, or the equal one that stands there already.
    pub(crate) fn table(&mut self, table: Table) -> Argument {
        let known = self.program.tables.iter().position(|known| known.is_same(&table));
        Argument::Table(known.unwrap_or_else(|| {
            self.program.tables.push(table);
            self.program.tables.len() - 1
        }))
    }

    /// The doubles of one row at a position of a node's inputs, or a constant as a table: the argument and its length.
    pub(crate) fn doubles(&mut self, node: &Node, position: usize) -> Result<(Argument, usize), Error> {
        let idx = self.input(node, position)?;
        let length = self.length(node, position)?;
        if let Some(constant) = self.graph.constant(idx) {
            let TensorData::F64(values) = constant.data() else { return Err(self.misfit(node)) };
            return Ok((self.table(Table::F64(values.clone())), length));
        }
        match self.place(node, position)? {
            Place::Slot(slot) if self.program.slots[slot].element == Element::F64 => {
                Ok((Argument::Slot(slot), length))
            }
            Place::Column(column) => Ok((Argument::Slot(self.column_of_doubles(column)), 1)),
            _ => Err(self.misfit(node)),
        }
    }

    /// The slot of a column that was read as a double, missing as NaN.
    pub(crate) fn column_of_doubles(&mut self, column: usize) -> usize {
        if let Some((_, slot)) = self.doubles.iter().find(|(known, _)| *known == column) {
            return *slot;
        }
        let slot = self.slot(Element::F64, 1);
        let routine = if self.program.columns[column].is_whole() { "read_i64" } else { "read_f64" };
        self.step(routine, vec![Argument::Out(slot), Argument::Number(column)]);
        self.doubles.push((column, slot));
        slot
    }

    /// Scores of one row at a position of a node's inputs and their number.
    pub(crate) fn scores(&mut self, node: &Node, position: usize) -> Result<(Argument, usize), Error> {
        let length = self.length(node, position)?;
        match self.place(node, position)? {
            Place::Slot(slot) if self.program.slots[slot].element == Element::I32 => {
                Ok((Argument::Slot(slot), length))
            }
            _ => Err(self.misfit(node)),
        }
    }

    /// The text of one row at a position of a node's inputs.
    pub(crate) fn text(&mut self, node: &Node, position: usize) -> Result<Argument, Error> {
        match self.place(node, position)? {
            Place::Column(column) if self.program.columns[column].dtype == DType::Str => {
                Ok(Argument::Text(column))
            }
            Place::Slot(slot) if self.program.slots[slot].element == Element::Text => {
                Ok(Argument::SlotText(slot))
            }
            _ => Err(self.misfit(node)),
        }
    }

    /// Texts as tables: all bytes, and the places where each begins and the last one ends.
    pub(crate) fn texts(&mut self, texts: &[String]) -> [Argument; 2] {
        Table::of_texts(texts).map(|table| self.table(table))
    }

    /// The code at a position of a node's inputs.
    pub(crate) fn code_at(&mut self, node: &Node, position: usize) -> Result<usize, Error> {
        match self.place(node, position)? {
            Place::Code(code) => Ok(code),
            Place::Binned(at) => codes::code_of(self, node, at),
            _ => Err(self.misfit(node)),
        }
    }

    /// The code at a position of a node's inputs, in which `missing` stands for a missing value.
    pub(crate) fn code_with(&mut self, node: &Node, position: usize, missing: u8) -> Result<usize, Error> {
        let code = self.code_at(node, position)?;
        if missing == MISSING {
            return Ok(code);
        }
        Ok(self.recoded(code, "recode", Argument::Whole(missing.into())))
    }

    /// The code at a position of a node's inputs as sets of `n_codes` take it: `n_codes` stands for missing, the next one
    /// for every code beyond.
    pub(crate) fn set_code(&mut self, node: &Node, position: usize, n_codes: usize) -> Result<usize, Error> {
        let code = self.code_at(node, position)?;
        Ok(self.recoded(code, "recode_set", Argument::Length(n_codes)))
    }

    fn recoded(&mut self, code: usize, routine: &'static str, how: Argument) -> usize {
        let known = self.recoded.iter().find(|known| (known.0, known.1, known.2) == (code, routine, how));
        if let Some(known) = known {
            return known.3;
        }
        let new = self.code();
        self.step(routine, vec![Argument::Code(new), Argument::Codes, Argument::Length(code), how]);
        self.recoded.push((code, routine, how, new));
        new
    }

    /// The slot of an output of the graph.
    fn output(&mut self, idx: ValueIdx) -> Result<usize, Error> {
        match self.places[idx.0 as usize] {
            Some(Place::Slot(slot)) => Ok(slot),
            Some(Place::Column(column)) => Ok(self.column_of_doubles(column)),
            _ => {
                let name = &self.graph.value(idx).name;
                Err(unsupported(name, "output", "an output of this kind", "fit a model that predicts"))
            }
        }
    }
}

/// All of the values, if they fit the narrower type.
fn narrowed<From: Copy, To: TryFrom<From>>(values: &[From]) -> Option<Vec<To>> {
    values.iter().map(|&v| To::try_from(v).ok()).collect()
}
