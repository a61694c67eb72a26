//! One model of several that were fitted apart.
//!
//! It stands apart from [`crate::finish`], which has learners and rows: here models are all that there is. Of each the
//! nodes are taken that its score hangs on, without its link and label; models share columns by name, and nodes and
//! constants that are equal.

use crate::chain::{InputValues, Source, add_inputs};
use crate::combination::Combination;
use crate::error::{Error, Kind};
use crate::finish::ends;
use crate::grafts::Grafts;
use crate::share::share;
use crate::shrink::shrink;
use crate::size::Size;
use ir::op::LinkKind;
use ir::{Card, Dim, GraphBuilder, Input, Model, Op, OutputRole, Signature, ValueIdx};
use learn::{Decision, ScoreLink};
use runtime::cost::OperationCosts;
use runtime::self_test;

/// The score of a model, and how it becomes what people read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ModelScore {
    pub(crate) value: ValueIdx,
    /// The link. A model does not say how many votes there can be for several classes: of their shares the offset is 0
    /// until they are counted.
    pub link: ScoreLink,
    /// Scores a row.
    pub n_outputs: usize,
}

impl ModelScore {
    /// `None` of a model without a score, or without a link that takes it.
    pub fn of(model: &Model) -> Option<ModelScore> {
        let graph = model.graph();
        let value = *graph.outputs().get(model.signature().output(OutputRole::Score)?)?;
        let [_, Dim::Fixed(n_outputs)] = &graph.value(value).shape.0[..] else { return None };
        let link = graph.nodes().iter().find_map(|node| match &node.op {
            Op::Link(link) if node.inputs == [value] => Some(*link),
            _ => None,
        })?;
        let link = ScoreLink { kind: link.kind, shift: link.shift, offset: link.offset };
        Some(ModelScore { value, link, n_outputs: *n_outputs })
    }

    /// Takes the most votes that a row has for the votes that there can be, where the model does not say how many.
    /// `scores: [n_rows, n_outputs]`.
    pub fn count_votes(&mut self, scores: &[i32]) {
        if self.link.kind == LinkKind::Share && self.n_outputs > 1 {
            let votes = |row: &[i32]| row.iter().map(|&votes| i64::from(votes.max(0))).sum::<i64>();
            let most = scores.chunks_exact(self.n_outputs).map(votes).max();
            self.link.offset = most.unwrap_or(1).max(1);
        }
    }
}

/// A graph on its way: models are added one by one, then combined.
pub struct Merge {
    signature: Signature,
    builder: GraphBuilder,
    inputs: InputValues,
    grafts: Grafts,
    scores: Vec<ValueIdx>,
    links: Vec<ScoreLink>,
    n_outputs: usize,
}

impl Merge {
    /// Without a model yet. `signature` is that of the whole, its columns are those of all models; outputs come with
    /// [`Merge::finish`]. A column of numbers may be doubles here and whole numbers in a model.
    ///
    /// # Errors
    /// The graph refuses a column: two of one name.
    pub fn new(signature: Signature) -> Result<Merge, Error> {
        let mut builder = GraphBuilder::new();
        let all: Vec<Input> = signature.inputs.iter().chain(signature.joined_inputs()).cloned().collect();
        let inputs = add_inputs(&mut builder, (&all, signature.inputs.len()), &vec![true; all.len()])?;
        let (grafts, scores, links) = (Grafts::default(), Vec::new(), Vec::new());
        Ok(Merge { signature, builder, inputs, grafts, scores, links, n_outputs: 0 })
    }

    /// Adds the nodes of a model that its score hangs on.
    ///
    /// # Errors
    /// `Widened` where no node gives the same for doubles as the model's for whole numbers; columns that the whole does
    /// not have, or of another dtype; more nodes than a graph may have.
    pub fn add(&mut self, model: &Model, score: ModelScore) -> Result<(), Error> {
        let Merge { signature, builder, inputs, grafts, .. } = self;
        let column = |input: &Input, is_second: bool| {
            let n_main = signature.inputs.len();
            let (of, first) =
                if is_second { (signature.joined_inputs(), n_main) } else { (&signature.inputs[..], 0) };
            let at = of.iter().position(|known| known.name == input.name)?;
            Some((of[at].graph_dtype(), *inputs.get(&Source::Input(first + at))?))
        };
        self.scores.push(grafts.score(builder, (model, score), &column)?);
        self.links.push(score.link);
        self.n_outputs = score.n_outputs;
        Ok(())
    }

    /// The model that combines those that were added, in their order; the most probable class is predicted.
    ///
    /// # Errors
    /// A combination of other members; a graph that does not hold: a bug.
    pub fn finish(self, combination: &Combination, card: Card) -> Result<Model, Error> {
        let mut model = self.untested(combination, card)?;
        model.self_test = Some(self_test(model.graph(), model.card.seed)?);
        Ok(model)
    }

    /// The same without a self-test.
    fn untested(mut self, combination: &Combination, card: Card) -> Result<Model, Error> {
        let on_grids = combination.on_grids(&self.links, self.n_outputs)?;
        let (inputs, known) = (&self.signature.inputs, &self.inputs);
        let column = |name: &str| {
            let at = inputs.iter().position(|input| input.name == name)?;
            Some((inputs[at].graph_dtype(), *known.get(&Source::Input(at))?))
        };
        let score = on_grids.lower(&mut self.builder, &self.scores, &column)?;
        let link = on_grids.link();
        let outputs = ends(&mut self.builder, score, (&link, self.n_outputs), &Decision::Largest)?;
        let values: Vec<ValueIdx> = outputs.iter().map(|(_, value)| *value).collect();
        let graph = share(&shrink(&self.builder.finish(&values)?)?)?;
        let outputs = outputs.into_iter().map(|(role, _)| role).collect();
        let signature = Signature { outputs, ..self.signature };
        Ok(Model::try_new(graph, signature, card)?)
    }
}

/// What one model takes of several that were fitted to one table, as it would be written: columns, codes and what a file
/// says of itself are there once.
///
/// # Errors
/// As [`Merge`]: no model, or a combination of others.
pub fn size_together(
    models: &[(&Model, ModelScore)],
    combination: &Combination,
    costs: &OperationCosts,
) -> Result<Size, Error> {
    let Some((first, _)) = models.first() else {
        return Err(Kind::Combination { what: "members" }.into());
    };
    let mut signature = first.signature().clone();
    let mut recipes = Vec::with_capacity(models.len());
    for ((model, _), weight) in models.iter().zip(combination.weights()) {
        let Signature { inputs, joined, .. } = model.signature();
        add_unknown(&mut signature.inputs, inputs);
        match (&mut signature.joined, joined) {
            (Some(all), Some(own)) => add_unknown(&mut all.inputs, &own.inputs),
            (all @ None, Some(own)) => *all = Some(own.clone()),
            (_, None) => {}
        }
        recipes.push(format!("{weight:.3} ({})", model.card.recipe));
    }
    let mut merge = Merge::new(signature)?;
    models.iter().try_for_each(|(model, score)| merge.add(model, *score))?;
    let card = Card { recipe: recipes.join(" + "), ..first.card.clone() };
    Size::with_test(&merge.untested(combination, card)?, costs)
}

/// Adds columns that are not there by name.
fn add_unknown(all: &mut Vec<Input>, own: &[Input]) {
    for input in own {
        if all.iter().all(|known| known.name != input.name) {
            all.push(input.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::combination::Space;
    use ir::op::{Arithmetic, Bin, Cast, Columns, Link, ToScores};
    use ir::{Column, ColumnData, ColumnKind, DType, Shape, Task, Tensor, TensorData};

    fn signature(dtype: DType) -> Signature {
        Signature {
            task: Task::Regression,
            target: "y".into(),
            targets: Vec::new(),
            inputs: vec![Input { name: "x".into(), kind: ColumnKind::Number, dtype }],
            outputs: vec![OutputRole::Score, OutputRole::Value],
            classes: Vec::new(),
            positive: None,
            missing: Vec::new(),
            columns: Vec::new(),
            joined: None,
        }
    }

    /// The number, and how many edges are below it.
    fn model(edges: TensorData) -> Model {
        let dtype = edges.dtype();
        let mut b = GraphBuilder::new();
        let x = b.input("x", dtype, Shape::rows()).unwrap();
        let edges = b.constant(Tensor::vector(edges)).unwrap();
        let code = b.node(Op::Bin(Bin), &[x, edges]).unwrap();
        let code = b.node(Op::Cast(Cast), &[code]).unwrap();
        let number = b.node(Op::Cast(Cast), &[x]).unwrap();
        let sum = b.node(Op::Arithmetic(Arithmetic::Add), &[number, code]).unwrap();
        let sum = b.node(Op::Columns(Columns), &[sum]).unwrap();
        let score = b.node(Op::ToScores(ToScores { shift: 6 }), &[sum]).unwrap();
        let link = Link { kind: LinkKind::Linear, shift: 6, offset: 0 };
        let value = b.node(Op::Link(link), &[score]).unwrap();
        Model::try_new(b.finish(&[score, value]).unwrap(), signature(dtype), Card::default()).unwrap()
    }

    fn values(model: &Model, column: ColumnData<'_>) -> Vec<f64> {
        let column = Column::try_new(column, None).unwrap();
        match runtime::reference::run(model.graph(), &[column]).unwrap()[1].data() {
            TensorData::F64(values) => values.clone(),
            other => panic!("{other:?}"),
        }
    }

    fn mean_of(models: &[&Model]) -> Result<Model, Error> {
        let mut merge = Merge::new(signature(DType::F64))?;
        for model in models {
            merge.add(model, ModelScore::of(model).unwrap())?;
        }
        merge.finish(
            &Combination::mean(Space::Scores, &vec![1.0; models.len()], [-100.0, 100.0]),
            Card::default(),
        )
    }

    #[test]
    fn whole_numbers_meet_doubles() {
        let whole = model(TensorData::I64(vec![-2, 0, 5]));
        let real = model(TensorData::F64(vec![-1.5, 0.0]));
        let both = mean_of(&[&whole, &real]).unwrap();
        let cells = [-3.0, -2.0, -1.75, -1.0, -0.5, -0.0, 0.0, 0.25, 1.0, 4.75, 5.0, 5.5, 77.0];
        let ceilings = cells.map(|c: f64| c.ceil() as i64);
        let of_whole = values(&whole, ColumnData::I64(&ceilings));
        let of_real = values(&real, ColumnData::F64(&cells));
        for (i, got) in values(&both, ColumnData::F64(&cells)).into_iter().enumerate() {
            let expected = (of_whole[i] + of_real[i]) / 2.0;
            assert!((got - expected).abs() <= 0.5 / 64.0, "{}: {got}, expected {expected}", cells[i]);
        }
        assert_eq!(runtime::verify(&both).unwrap()[0].verdict, runtime::Verdict::Ok);
        assert_eq!(both.signature().outputs, [OutputRole::Score, OutputRole::Value]);
    }

    #[test]
    fn equal_parts_are_there_once() {
        let real = || model(TensorData::F64(vec![-1.5, 0.0]));
        let n_nodes = |models: &[&Model]| mean_of(models).unwrap().graph().nodes().len();
        assert_eq!(n_nodes(&[&real(), &real(), &real()]), n_nodes(&[&real()]));
    }

    #[test]
    fn what_is_shared_is_weighed_once() {
        let models = [model(TensorData::I64(vec![-2, 0, 5])), model(TensorData::I64(vec![-2, 3]))];
        let scored: Vec<_> = models.iter().map(|model| (model, ModelScore::of(model).unwrap())).collect();
        let costs = OperationCosts::default();
        let weigh = |of: &[(&Model, ModelScore)]| {
            let mean = Combination::mean(Space::Scores, &vec![1.0; of.len()], [-100.0, 100.0]);
            size_together(of, &mean, &costs).unwrap()
        };
        let [first, second] = [0, 1].map(|at| weigh(&scored[at..=at]));
        let both = weigh(&scored);
        assert!(both.bytes > first.bytes.max(second.bytes), "{both:?}");
        assert!(both.bytes < first.bytes + second.bytes && both.ns > first.ns, "{both:?} {second:?}");
        // As the file that is written.
        let mut merge = Merge::new(signature(DType::I64)).unwrap();
        scored.iter().for_each(|(model, score)| merge.add(model, *score).unwrap());
        let card = Card { recipe: "0.500 () + 0.500 ()".to_owned(), ..Card::default() };
        let mean = Combination::mean(Space::Scores, &[1.0; 2], [-100.0, 100.0]);
        let written = ir::file::write(&merge.finish(&mean, card).unwrap()).len() as u64;
        assert!(written.abs_diff(both.bytes) <= 12, "{written} {both:?}");
        assert!(size_together(&[], &mean, &costs).is_err());
    }

    #[test]
    fn an_edge_that_doubles_cannot_tell_is_refused() {
        let whole = model(TensorData::I64(vec![1 << 53]));
        let error = mean_of(&[&whole]).unwrap_err();
        assert_eq!(error.nature(), ir::Nature::Unsupported);
        assert!(error.to_string().contains("column \"x\""), "{error}");
    }
}
