//! Trees over columns of the table that say which of two sums of members answers a row.

use super::Combination;
use super::member_sum::{MemberSum, Space};
use super::stages::{self, StageOnGrids};
use crate::coded_columns::CodedRows;
use crate::error::{Error, Kind};
use ir::forest::Tree;
use ir::op::{self, ForestOp};
use ir::{DType, GraphBuilder, Op, ValueIdx};
use learn::{ScoreLink, encoded};
use trees::{Compact, Encoder, compact};

/// Two weighted sums of the same members' scores, without maps behind them, and a gate.
#[derive(Clone, Debug, PartialEq)]
pub struct Gate {
    /// What answers rows whose gate is at least 0.
    pub first: MemberSum,
    /// What answers all other rows.
    pub second: MemberSum,
    /// By feature of the trees the column of the table that it asks.
    pub columns: Vec<GateColumn>,
    /// The gate of a row is the sum of their leaves, one output each.
    pub trees: Vec<Tree>,
    /// The share of rows that took the second score in training.
    pub passed_on: f64,
}

/// A column of the table, as a gate asks it.
#[derive(Clone, Debug, PartialEq)]
pub struct GateColumn {
    /// Its name.
    pub name: String,
    /// How it becomes codes.
    pub encoder: Encoder,
}

/// The columns of a graph by name: dtype and value.
type ColumnOf<'c> = &'c dyn Fn(&str) -> Option<(DType, ValueIdx)>;

/// A gate on the grids of its members.
#[derive(Clone, Debug)]
pub(super) struct GateOnGrids {
    first: StageOnGrids,
    second: StageOnGrids,
    columns: Vec<GateColumn>,
    trees: Vec<Tree>,
    compact: Compact,
    op: op::Gate,
    n_outputs: usize,
}

/// The gates of rows.
fn gates(columns: &[GateColumn], trees: &[Tree], rows: CodedRows<'_>) -> Result<Vec<i32>, Error> {
    let place = |column: &GateColumn| {
        let place = rows.columns.place(&column.name)?;
        (rows.columns.encoders()[place] == column.encoder).then_some(place)
    };
    let places: Option<Vec<usize>> = columns.iter().map(place).collect();
    let places = places.ok_or(Kind::Combination { what: "the columns that a gate asks" })?;
    let gate = |&row: &u32| -> i32 {
        let code = |feature: u32| rows.columns.code(places[feature as usize], row);
        trees.iter().map(|tree| tree.leaves[tree.leaf(code) as usize]).sum()
    };
    Ok(rows.rows.iter().map(gate).collect())
}

impl Gate {
    /// The gates of rows, as a graph computes them.
    ///
    /// # Errors
    /// Rows without a column that is asked, or with other codes of it.
    pub fn gates(&self, rows: CodedRows<'_>) -> Result<Vec<i32>, Error> {
        gates(&self.columns, &self.trees, rows)
    }

    fn of(&self, stage: impl Fn(&MemberSum) -> MemberSum) -> Gate {
        Gate { first: stage(&self.first), second: stage(&self.second), ..self.clone() }
    }

    pub(super) fn weights(&self) -> Vec<f64> {
        stages::weights([&self.first, &self.second], self.passed_on)
    }

    pub(super) fn of_members(&self, members: &[usize]) -> Gate {
        self.of(|stage| stage.of_members(members))
    }

    pub(super) fn used(&self) -> Vec<usize> {
        stages::used([&self.first, &self.second])
    }

    pub(super) fn spread(&self, n_fits: &[usize]) -> Gate {
        self.of(|stage| stage.spread(n_fits))
    }

    /// The first `n` members; the one stage that has any left, where only one has.
    pub(super) fn first(&self, n: usize) -> Option<Combination> {
        match (self.first.first(n), self.second.first(n)) {
            (Some(first), Some(second)) => {
                Some(Combination::Gate(Box::new(Gate { first, second, ..self.clone() })))
            }
            (Some(stage), None) | (None, Some(stage)) => Some(Combination::Sum(stage)),
            (None, None) => None,
        }
    }

    /// Both stages on one grid, as [`MemberSum::joint`] finds it.
    pub(super) fn on_grids(
        &self,
        links: &[ScoreLink],
        n_outputs: usize,
    ) -> Result<(GateOnGrids, ScoreLink), Error> {
        let refuse = |what| Err(Kind::Combination { what }.into());
        let is_sum = |stage: &MemberSum| {
            stage.space == Space::Scores && stage.after.is_none() && stage.weights.len() == links.len()
        };
        if !is_sum(&self.first) || !is_sum(&self.second) {
            return refuse("stages that are sums of scores, one weight a member in each");
        }
        let n_columns = self.columns.len();
        let is_gate = |tree: &Tree| {
            (tree.first_output, tree.width) == (0, 1)
                && tree.splits.iter().all(|split| (split.feature as usize) < n_columns)
        };
        if n_columns == 0 || !self.trees.iter().all(is_gate) {
            return refuse("a gate of one output that asks columns");
        }
        let on = |stage: &MemberSum, link: Option<ScoreLink>| {
            let used = stage.used();
            let links: Vec<ScoreLink> = used.iter().map(|&at| links[at]).collect();
            let stage = stage.of_members(&used);
            let sum = match link {
                None => stage.on_grids(&links, n_outputs)?,
                Some(link) => stage.on_link(&links, n_outputs, link)?,
            };
            Ok::<_, Error>(StageOnGrids { used, sum })
        };
        let [a, b] = [on(&self.first, None)?.sum.link(), on(&self.second, None)?.sum.link()];
        let link = self.second.joint((&self.first, a), b);
        let encoders: Vec<Encoder> = self.columns.iter().map(|column| column.encoder.clone()).collect();
        let all = f64::from(op::Gate::ALL);
        let on_grids = GateOnGrids {
            first: on(&self.first, Some(link))?,
            second: on(&self.second, Some(link))?,
            columns: self.columns.clone(),
            trees: self.trees.clone(),
            compact: compact(self.trees.clone(), vec![0], &encoders).map_err(learn::Error::from)?,
            op: op::Gate { passed_on: (self.passed_on * all).round().clamp(0.0, all) as u16 },
            n_outputs,
        };
        Ok((on_grids, link))
    }
}

impl GateOnGrids {
    pub(super) fn apply(&self, members: &[&[i32]], rows: Option<CodedRows<'_>>) -> Result<Vec<i32>, Error> {
        let rows = rows.ok_or(Kind::Combination { what: "rows whose columns a gate can ask" })?;
        let (mut scores, second) = (self.first.apply(members), self.second.apply(members));
        op::Gate::apply(self.n_outputs, &gates(&self.columns, &self.trees, rows)?, &mut scores, &second);
        Ok(scores)
    }

    pub(super) fn lower(
        &self,
        builder: &mut GraphBuilder,
        members: &[ValueIdx],
        column: ColumnOf<'_>,
    ) -> Result<ValueIdx, Error> {
        let mut codes = Vec::with_capacity(self.compact.features.len());
        for used in &self.compact.features {
            let expected = match &used.encoder {
                Encoder::Whole(_) => DType::I64,
                Encoder::Real(_) => DType::F64,
                Encoder::Category { .. } => DType::Str,
            };
            let known = self.columns.get(used.feature).and_then(|of| column(&of.name));
            let known = known.filter(|(dtype, _)| *dtype == expected);
            let (_, value) = known.ok_or(Kind::Combination { what: "the columns that a gate asks" })?;
            codes.push(encoded(&used.encoder, builder, value)?);
        }
        let forest = self.compact.forest.clone();
        let gate = builder.node(Op::Forest(ForestOp { forest }), &codes)?;
        let inputs = [gate, self.first.lower(builder, members)?, self.second.lower(builder, members)?];
        Ok(builder.node(Op::Gate(self.op), &inputs)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coded_columns::CodedColumns;
    use ir::forest::{Child, Split, Test};
    use ir::op::LinkKind;
    use ir::{Column, ColumnData};
    use jobs::Threads;
    use trees::CodeMatrix;

    fn sum(weights: &[f64]) -> MemberSum {
        MemberSum::mean(Space::Scores, weights, [-8.0, 8.0])
    }

    /// Rows above 2 take the second stage.
    fn gate() -> Gate {
        let (left, right) = (Child::Leaf(0), Child::Leaf(1));
        let split = Split { feature: 0, test: Test::Greater(1), missing_left: false, left, right };
        Gate {
            first: sum(&[0.0, 1.0]),
            second: sum(&[3.0, 1.0]),
            columns: vec![GateColumn { name: "x".to_owned(), encoder: Encoder::Real(vec![1.0, 2.0, 3.0]) }],
            trees: vec![Tree { first_output: 0, width: 1, splits: vec![split], leaves: vec![0, -1] }],
            passed_on: 0.5,
        }
    }

    /// A column of 0.5, 1.5, 2.5, 3.5 and a missing cell.
    fn columns(encoder: Encoder) -> CodedColumns {
        let cells = [0.5, 1.5, 2.5, 3.5, f64::NAN];
        let column = Column::try_new(ColumnData::F64(&cells), None).unwrap();
        let encoders = vec![encoder];
        let codes = CodeMatrix::new(&encoders, &[vec![column]], 5, &Threads::one());
        CodedColumns::try_new(vec!["x".to_owned()], encoders, codes).unwrap()
    }

    fn link(kind: LinkKind, shift: i16, offset: i64) -> ScoreLink {
        ScoreLink { kind, shift, offset }
    }

    #[test]
    fn columns_choose_the_stage() {
        let columns = columns(gate().columns[0].encoder.clone());
        let rows = [0, 3, 4, 1, 2, 0];
        let rows = CodedRows { columns: &columns, rows: &rows };
        assert_eq!(gate().gates(rows).unwrap(), [0, -1, -1, 0, -1, 0]);
        let (a, b) = ([80, 80, 80, 80, 80, -16], [4, 8, 12, 16, 20, 24]);
        // In 16ths the first stage is 2 b, the second (3 a + 2 b) / 4.
        let logistic = |shift| link(LinkKind::Logistic, shift, 0);
        let members = [(&a[..], logistic(4)), (&b[..], logistic(3))];
        let made = Combination::Gate(Box::new(gate()));
        let (scores, link) = made.apply(&members, 1, Some(rows)).unwrap();
        assert_eq!((scores, link), (vec![8, 64, 66, 32, 70, 48], logistic(4)));
    }

    #[test]
    fn stages_of_numbers_meet_on_one_line() {
        let columns = columns(gate().columns[0].encoder.clone());
        let rows = CodedRows { columns: &columns, rows: &[0, 3] };
        // 4 and 12 in the unit of the target; 20 and 40.
        let members =
            [(&[0, 16][..], link(LinkKind::Linear, 1, 8)), (&[1, 6][..], link(LinkKind::Linear, -2, 4))];
        let made = Combination::Gate(Box::new(Gate {
            first: MemberSum { range: [0.0, 50.0], ..sum(&[0.0, 1.0]) },
            second: MemberSum { range: [0.0, 50.0], ..sum(&[3.0, 1.0]) },
            ..gate()
        }));
        let (scores, link) = made.apply(&members, 1, Some(rows)).unwrap();
        let values = link.apply(&scores, 1);
        let unit = ir::fixed::power_of_two((-link.shift).into());
        assert!((values[0] - 20.0).abs() <= unit && (values[1] - 19.0).abs() <= unit, "{values:?} {link:?}");
    }

    #[test]
    fn what_members_count() {
        let made = Combination::Gate(Box::new(gate()));
        assert_eq!(made.weights(), [0.375, 0.625]);
        assert_eq!((made.used(), made.ranked()), (vec![0, 1], vec![1, 0]));
        assert_eq!(made.spread(&[1, 2]).weights(), [0.375, 0.3125, 0.3125]);
        let some = made.of_members(&[1, 0]);
        assert_eq!(
            some.first(1),
            Some(Combination::Gate(Box::new(Gate { first: sum(&[1.0]), second: sum(&[1.0]), ..gate() })))
        );
        assert_eq!(made.first(1), Some(Combination::Sum(sum(&[1.0]))));
    }

    #[test]
    fn what_is_no_gate_is_refused() {
        let logistic = [link(LinkKind::Logistic, 4, 0); 2];
        let on = |gate: Gate| gate.on_grids(&logistic, 1).map(|_| ()).unwrap_err().to_string();
        assert!(on(gate().of_members(&[0])).contains("one weight a member"));
        assert!(on(Gate { columns: Vec::new(), ..gate() }).contains("asks columns"));
        // Other codes of the same column.
        let columns = columns(Encoder::Real(vec![1.0]));
        let error = gate().gates(CodedRows { columns: &columns, rows: &[0] }).unwrap_err();
        assert!(error.to_string().contains("the columns that a gate asks"), "{error}");
        let made = Combination::Gate(Box::new(gate()));
        let scores = [3, 4];
        let members = [(&scores[..], logistic[0]); 2];
        let error = made.apply(&members, 1, None).unwrap_err();
        assert!(error.to_string().contains("rows whose columns"), "{error}");
    }
}
