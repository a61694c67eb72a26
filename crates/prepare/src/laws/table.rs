//! A table that owns its columns, for tests: fits a transform on it and runs the nodes that come of it.

use crate::transform::{
    Cells, FeatureKind, FittedStep, Made, StepColumn, StepInput, StepTarget, TransformEntry,
};
use ir::digest::mix;
use ir::op::HashBucket;
use ir::{Bags, Bits, Card, Column, ColumnData, ColumnKind, DType, Dim, Graph, GraphBuilder, Input, Model};
use ir::{OutputRole, Shape, Signature, Task, Tensor, TensorData, ValueIdx};
use jobs::{Seed, Threads};

/// Cells of one column.
#[derive(Clone, Debug)]
pub(crate) enum Cell {
    Real(Vec<f64>),
    Whole(Vec<Option<i64>>),
    Text(Vec<Option<String>>),
}

impl Cell {
    pub(crate) fn texts(cells: &[&str]) -> Cell {
        Cell::Text(cells.iter().map(|c| (!c.is_empty()).then(|| (*c).to_owned())).collect())
    }

    fn n_rows(&self) -> usize {
        match self {
            Cell::Real(v) => v.len(),
            Cell::Whole(v) => v.len(),
            Cell::Text(v) => v.len(),
        }
    }

    fn dtype(&self) -> DType {
        match self {
            Cell::Real(_) => DType::F64,
            Cell::Whole(_) => DType::I64,
            Cell::Text(_) => DType::Str,
        }
    }

    /// Some of the rows, in any order.
    fn select(&self, rows: &[usize]) -> Cell {
        match self {
            Cell::Real(v) => Cell::Real(rows.iter().map(|&r| v[r]).collect()),
            Cell::Whole(v) => Cell::Whole(rows.iter().map(|&r| v[r]).collect()),
            Cell::Text(v) => Cell::Text(rows.iter().map(|&r| v[r].clone()).collect()),
        }
    }
}

/// A column in Arrow's layout.
struct Laid {
    whole: Vec<i64>,
    real: Vec<f64>,
    offsets: Vec<i32>,
    bytes: Vec<u8>,
    validity: Vec<u8>,
    dtype: DType,
    n_rows: usize,
}

impl Laid {
    fn new(cell: &Cell) -> Laid {
        let n_rows = cell.n_rows();
        let mut laid = Laid {
            whole: Vec::new(),
            real: Vec::new(),
            offsets: vec![0],
            bytes: Vec::new(),
            validity: vec![0; n_rows.div_ceil(8)],
            dtype: cell.dtype(),
            n_rows,
        };
        let mut valid = |row: usize, is: bool| laid.validity[row >> 3] |= u8::from(is) << (row & 7);
        match cell {
            Cell::Real(v) => {
                laid.real.clone_from(v);
                (0..n_rows).for_each(|row| valid(row, true));
            }
            Cell::Whole(v) => {
                v.iter().enumerate().for_each(|(row, x)| valid(row, x.is_some()));
                laid.whole = v.iter().map(|x| x.unwrap_or(-7)).collect();
            }
            Cell::Text(v) => {
                for (row, text) in v.iter().enumerate() {
                    valid(row, text.is_some());
                    laid.bytes.extend_from_slice(text.as_deref().unwrap_or("").as_bytes());
                    laid.offsets.push(laid.bytes.len() as i32);
                }
            }
        }
        laid
    }

    fn column(&self) -> Column<'_> {
        let data = match self.dtype {
            DType::F64 => ColumnData::F64(&self.real),
            DType::I64 => ColumnData::I64(&self.whole),
            _ => ColumnData::Str { offsets: &self.offsets, bytes: &self.bytes },
        };
        Column::try_new(data, Some(Bits::try_new(&self.validity, 0, self.n_rows).unwrap())).unwrap()
    }
}

/// What stands for a made category.
pub(crate) const HASH: HashBucket = HashBucket { n_buckets: u32::MAX };

/// Columns with names and kinds.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) columns: Vec<(String, FeatureKind, Cell)>,
}

/// How a step is fitted.
#[derive(Clone)]
pub(crate) struct Fitting<'a> {
    /// Rows to learn from; all if empty.
    pub(crate) rows: Vec<u32>,
    pub(crate) target: Option<StepTarget<'a>>,
    pub(crate) row_weights: Option<&'a [f32]>,
    pub(crate) n_threads: usize,
    /// Rows of a chunk.
    pub(crate) chunk: usize,
}

impl Default for Fitting<'_> {
    fn default() -> Self {
        Fitting { rows: Vec::new(), target: None, row_weights: None, n_threads: 1, chunk: usize::MAX }
    }
}

/// A fitted step as a model of its own.
pub(crate) struct Fitted {
    /// Names of the made columns, in order, and of the kept ones before them.
    pub(crate) names: Vec<String>,
    /// Names of the kept columns.
    pub(crate) kept: Vec<String>,
    /// The columns that were made, as a model; none if there is none.
    pub(crate) model: Option<Model>,
    /// Values of the rows that were learnt from, where they differ, by made column.
    pub(crate) training: Vec<Option<Vec<f64>>>,
}

impl Table {
    pub(crate) fn new(columns: &[(&str, FeatureKind, Cell)]) -> Table {
        let own = |(name, kind, cell): &(&str, FeatureKind, Cell)| ((*name).to_owned(), *kind, cell.clone());
        Table { columns: columns.iter().map(own).collect() }
    }

    /// Number columns.
    pub(crate) fn numbers(columns: &[(&str, &[f64])]) -> Table {
        let of =
            |(name, v): &(&str, &[f64])| ((*name).to_owned(), FeatureKind::Number, Cell::Real(v.to_vec()));
        Table { columns: columns.iter().map(of).collect() }
    }

    pub(crate) fn n_rows(&self) -> usize {
        self.columns.first().map_or(0, |c| c.2.n_rows())
    }

    /// Some of the rows, in any order.
    pub(crate) fn select(&self, rows: &[usize]) -> Table {
        let of = |(name, kind, cell): &(String, FeatureKind, Cell)| (name.clone(), *kind, cell.select(rows));
        Table { columns: self.columns.iter().map(of).collect() }
    }

    /// Fits on all rows without a target; panics where a fit fails.
    pub(crate) fn fit(&self, entry: &TransformEntry, settings: &[(&str, &str)]) -> Fitted {
        self.fit_with(entry, settings, &Fitting::default()).unwrap()
    }

    /// Fits.
    pub(crate) fn fit_with(
        &self,
        entry: &TransformEntry,
        settings: &[(&str, &str)],
        fitting: &Fitting<'_>,
    ) -> Result<Fitted, crate::Error> {
        let laid: Vec<Laid> = self.columns.iter().map(|c| Laid::new(&c.2)).collect();
        let chunks = self.chunks(&laid, fitting.chunk);
        let cells = chunks.iter().map(|chunks| Cells::Chunks(chunks));
        let columns: Vec<StepColumn<'_>> = self
            .columns
            .iter()
            .zip(cells)
            .map(|((name, kind, _), cells)| StepColumn { name, kind: *kind, cells })
            .collect();
        let step = self.fit_step(&columns, entry, settings, fitting)?;
        Ok(self.assemble(&step, None))
    }

    /// Fits a step and then another one to the bags that the first makes; the model gives what the second makes.
    pub(crate) fn fit_chain(
        &self,
        first: (&TransformEntry, &[(&str, &str)]),
        second: (&TransformEntry, &[(&str, &str)]),
        fitting: &Fitting<'_>,
    ) -> Result<Fitted, crate::Error> {
        let laid: Vec<Laid> = self.columns.iter().map(|c| Laid::new(&c.2)).collect();
        let chunks = self.chunks(&laid, fitting.chunk);
        let columns: Vec<StepColumn<'_>> = self
            .columns
            .iter()
            .zip(&chunks)
            .map(|((name, kind, _), chunks)| StepColumn { name, kind: *kind, cells: Cells::Chunks(chunks) })
            .collect();
        let step = self.fit_step(&columns, first.0, first.1, fitting)?;
        let mut b = GraphBuilder::new();
        let (values, _) = self.inputs(&mut b);
        let bags = self.lowered(&mut b, &step, &values);
        // A column a group, chunk by chunk.
        let mut made: Vec<Vec<Bags>> = vec![Vec::new(); bags.len()];
        let mut widths = vec![0; bags.len()];
        if !bags.is_empty() {
            let graph = b.finish(&bags).unwrap();
            for chunk in 0..chunks[0].len() {
                let rows: Vec<Column<'_>> = chunks.iter().map(|c| c[chunk]).collect();
                for (at, tensor) in runtime::reference::run(&graph, &rows).unwrap().into_iter().enumerate() {
                    widths[at] = tensor.dims()[1];
                    let TensorData::Bag(bags) = tensor.into_data() else { panic!("no bags") };
                    made[at].push(bags);
                }
            }
        }
        let borrowed: Vec<Vec<&Bags>> = made.iter().map(|m| m.iter().collect()).collect();
        let columns: Vec<StepColumn<'_>> = step
            .groups
            .iter()
            .zip(borrowed.iter().zip(widths))
            .map(|(group, (bags, width))| {
                let Made::Bag { name, terms } = &group.made else { panic!("the first step makes no bags") };
                let cells = Cells::Bags { bags, width, terms: terms.as_deref() };
                StepColumn { name, kind: FeatureKind::Bag, cells }
            })
            .collect();
        let after = self.fit_step(&columns, second.0, second.1, fitting)?;
        Ok(self.assemble(&step, Some(&after)))
    }

    fn chunks<'l>(&self, laid: &'l [Laid], chunk: usize) -> Vec<Vec<Column<'l>>> {
        let parted = |l: &'l Laid| {
            let whole = l.column();
            let step = chunk.min(l.n_rows.max(1));
            (0..l.n_rows.div_ceil(step))
                .map(|i| whole.slice(i * step, step.min(l.n_rows - i * step)).unwrap())
                .collect()
        };
        laid.iter().map(parted).collect()
    }

    fn fit_step(
        &self,
        columns: &[StepColumn<'_>],
        entry: &TransformEntry,
        settings: &[(&str, &str)],
        fitting: &Fitting<'_>,
    ) -> Result<FittedStep, crate::Error> {
        let settings: Vec<(String, String)> =
            settings.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        let params = entry.params(&settings)?;
        let all: Vec<u32> = (0..self.n_rows() as u32).collect();
        let threads = Threads::try_new(fitting.n_threads).unwrap();
        let input = StepInput {
            columns,
            rows: if fitting.rows.is_empty() { &all } else { &fitting.rows },
            target: fitting.target,
            row_weights: fitting.row_weights,
            seed: Seed(7),
            threads: &threads,
        };
        entry.transform.fit(&input, &params)
    }

    /// All columns as inputs of a graph; steps see doubles where a column is of numbers.
    fn inputs(&self, b: &mut GraphBuilder) -> (Vec<ValueIdx>, Vec<Input>) {
        let mut values = Vec::new();
        let mut inputs = Vec::new();
        for (name, kind, cell) in &self.columns {
            values.push(b.input(name, cell.dtype(), Shape::rows()).unwrap());
            let kind = match kind {
                FeatureKind::Number => ColumnKind::Number,
                FeatureKind::Category => ColumnKind::Category,
                FeatureKind::Time => ColumnKind::Time,
                FeatureKind::Text | FeatureKind::Bag => ColumnKind::Text,
            };
            inputs.push(Input { name: name.clone(), kind, dtype: cell.dtype() });
        }
        for (value, (_, kind, cell)) in values.iter_mut().zip(&self.columns) {
            if *kind == FeatureKind::Number && cell.dtype() == DType::I64 {
                *value = b.node(ir::Op::Cast(ir::op::Cast), &[*value]).unwrap();
            }
        }
        (values, inputs)
    }

    /// The value of each group of a step.
    fn lowered(&self, b: &mut GraphBuilder, step: &FittedStep, values: &[ValueIdx]) -> Vec<ValueIdx> {
        let lower = |group: &crate::transform::Group| {
            let used: Vec<ValueIdx> = group.uses.iter().map(|&at| values[at]).collect();
            group.part.lower(b, &used).unwrap()
        };
        step.groups.iter().map(lower).collect()
    }

    /// A model that takes all columns and gives the made ones: those of `after`, which takes what `step` makes,
    /// if there is one.
    fn assemble(&self, step: &FittedStep, after: Option<&FittedStep>) -> Fitted {
        let mut b = GraphBuilder::new();
        let (mut values, inputs) = self.inputs(&mut b);
        if after.is_some() {
            values = self.lowered(&mut b, step, &values);
        }
        let last = after.unwrap_or(step);
        let made = self.lowered(&mut b, last, &values);
        let (mut names, mut outputs, mut training) = (Vec::new(), Vec::new(), Vec::new());
        for (group, made) in last.groups.iter().zip(made) {
            match &group.made {
                Made::Column(column) => {
                    assert_eq!(b.rank(made), Some(1), "{}", column.name);
                    names.push(column.name.clone());
                    outputs.push(match column.kind {
                        // Outputs of a model are numbers: a category is seen by a hash of it.
                        FeatureKind::Category => b.node(ir::Op::HashBucket(HASH), &[made]).unwrap(),
                        _ => made,
                    });
                    training.push(group.training.clone());
                }
                Made::Matrix(columns) => {
                    for (k, name) in columns.iter().enumerate() {
                        outputs.push(column_of(&mut b, made, k));
                        names.push(name.clone());
                        let own = group.training.as_ref();
                        training
                            .push(own.map(|t| t.iter().copied().skip(k).step_by(columns.len()).collect()));
                    }
                }
                Made::Bag { name, terms } => {
                    let (mixed, width) = mixed(&mut b, made);
                    assert!(terms.as_ref().is_none_or(|t| t.len() == width), "{name}: a term an id");
                    names.push(name.clone());
                    outputs.push(column_of(&mut b, mixed, 0));
                    training.push(None);
                }
            }
        }
        let kept =
            |of: &FittedStep, name: &dyn Fn(usize) -> String| of.kept.iter().map(|&at| name(at)).collect();
        let bag_name = |at: usize| match &step.groups[at].made {
            Made::Bag { name, .. } => name.clone(),
            other => panic!("{other:?}"),
        };
        let kept = match after {
            None => kept(step, &|at| self.columns[at].0.clone()),
            Some(after) => kept(after, &bag_name),
        };
        let model = (!outputs.is_empty()).then(|| {
            let signature = Signature {
                task: Task::Transform,
                target: String::new(),
                targets: Vec::new(),
                inputs,
                outputs: vec![OutputRole::Column; outputs.len()],
                classes: Vec::new(),
                positive: None,
                missing: Vec::new(),
                columns: (0..outputs.len()).map(|i| format!("column {i}")).collect(),
                joined: None,
            };
            Model::try_new(b.finish(&outputs).unwrap(), signature, Card::default()).unwrap()
        });
        Fitted { names, kept, model, training }
    }
}

/// One column of a matrix.
fn column_of(b: &mut GraphBuilder, matrix: ValueIdx, k: usize) -> ValueIdx {
    let at = Tensor::try_new(vec![], TensorData::I64(vec![k as i64])).unwrap();
    let at = b.constant(at).unwrap();
    b.node(ir::Op::Gather(ir::op::Gather), &[matrix, at]).unwrap()
}

/// Bags as one number a row, to which each id adds its weight times a number of its own; and their width.
fn mixed(b: &mut GraphBuilder, bags: ValueIdx) -> (ValueIdx, usize) {
    let Some([_, Dim::Fixed(width)]) = b.shape(bags).map(|s| &s.0[..]) else { panic!("no bags") };
    let width = *width;
    let w = (0..width).map(|id| 1.0 + (mix(id as u64) % 251) as f64 / 256.0).collect();
    let w = b.constant(Tensor::try_new(vec![width, 1], TensorData::F64(w)).unwrap()).unwrap();
    (b.node(ir::Op::BagGemm(ir::op::BagGemm), &[bags, w]).unwrap(), width)
}

impl Fitted {
    pub(crate) fn graph(&self) -> Option<&Graph> {
        self.model.as_ref().map(Model::graph)
    }

    /// The made columns of a table, by the reference interpreter.
    pub(crate) fn run(&self, table: &Table) -> Vec<Vec<f64>> {
        let Some(graph) = self.graph() else { return Vec::new() };
        let laid: Vec<Laid> = table.columns.iter().map(|c| Laid::new(&c.2)).collect();
        let columns: Vec<Column<'_>> = laid.iter().map(Laid::column).collect();
        doubles(runtime::reference::run(graph, &columns).unwrap())
    }

    /// The made columns of a table, by the plan of the file's model.
    pub(crate) fn run_plan(&self, table: &Table) -> Vec<Vec<f64>> {
        let Some(model) = &self.model else { return Vec::new() };
        let written = ir::file::write(model);
        let back = ir::file::read(&written).unwrap();
        // Bytes, since a model that holds NaN does not equal itself.
        assert!(ir::file::write(&back) == written, "the file changes the model");
        let laid: Vec<Laid> = table.columns.iter().map(|c| Laid::new(&c.2)).collect();
        let columns: Vec<Column<'_>> = laid.iter().map(Laid::column).collect();
        doubles(runtime::Plan::new(back.graph()).unwrap().run(&columns).unwrap())
    }

    /// One made column, by name.
    pub(crate) fn column(&self, table: &Table, name: &str) -> Vec<f64> {
        let at = self.names.iter().position(|n| n == name);
        let at = at.unwrap_or_else(|| panic!("no column {name:?} among {:?}", self.names));
        self.run(table).swap_remove(at)
    }
}

fn doubles(outputs: Vec<Tensor>) -> Vec<Vec<f64>> {
    let of = |t: Tensor| match t.into_data() {
        TensorData::F64(v) => v,
        other => panic!("a made column is {}", other.dtype()),
    };
    outputs.into_iter().map(of).collect()
}
