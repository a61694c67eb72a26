//! Scores of several members as one score: what an ensemble learnt, and its integers.
//!
//! What was learnt is on real scores (log odds, logs of shares, values), so one combination serves members of
//! different grids: those of folds and those of the model on all rows. It stands apart because whoever learns it stands
//! above this crate, and whoever writes models in it.

mod cascade;
mod gate;
mod member_sum;
mod score_trees;
mod stages;

pub use cascade::Cascade;
pub use gate::{Gate, GateColumn};
pub use member_sum::{MemberSum, Space};
pub use score_trees::{ScoreColumn, ScoreTrees};

use crate::coded_columns::CodedRows;
use crate::error::Error;
use cascade::CascadeOnGrids;
use gate::GateOnGrids;
use ir::{DType, GraphBuilder, ValueIdx};
use learn::ScoreLink;
use member_sum::SumOnGrids;
use score_trees::TreesOnGrids;

/// How members become one score.
#[derive(Clone, Debug, PartialEq)]
pub enum Combination {
    /// By a weighted sum.
    Sum(MemberSum),
    /// By a first stage where it is sure, else by a second one.
    Cascade(Box<Cascade>),
    /// By trees that ask their scores.
    Trees(Box<ScoreTrees>),
    /// By one of two sums, as trees say that ask columns of the table.
    Gate(Box<Gate>),
}

/// A combination on the grids of its members.
#[derive(Clone, Debug)]
pub struct OnGrids {
    form: Form,
    link: ScoreLink,
}

#[derive(Clone, Debug)]
enum Form {
    Sum(SumOnGrids),
    Cascade(Box<CascadeOnGrids>),
    Trees(Box<TreesOnGrids>),
    Gate(Box<GateOnGrids>),
}

impl Combination {
    /// A weighted sum of members, without offsets and maps; the mean if the weights are alike.
    pub fn mean(space: Space, weights: &[f64], range: [f64; 2]) -> Combination {
        Combination::Sum(MemberSum::mean(space, weights, range))
    }

    /// The weighted sum, if it is one.
    pub fn sum(&self) -> Option<&MemberSum> {
        match self {
            Combination::Sum(sum) => Some(sum),
            Combination::Cascade(_) | Combination::Trees(_) | Combination::Gate(_) => None,
        }
    }

    /// What it is called where it is no sum.
    pub fn form(&self) -> Option<&'static str> {
        match self {
            Combination::Sum(_) => None,
            Combination::Cascade(_) => Some("cascade"),
            Combination::Trees(_) => Some("trees over the scores"),
            Combination::Gate(_) => Some("gate"),
        }
    }

    /// Number of members.
    pub fn n_members(&self) -> usize {
        match self {
            Combination::Sum(sum) => sum.weights.len(),
            Combination::Cascade(cascade) => cascade.first.weights.len(),
            Combination::Trees(trees) => trees.n_members(),
            Combination::Gate(gate) => gate.first.weights.len(),
        }
    }

    /// How much each member counts: its weight in the sum; of a cascade, or behind a gate, the mean of its weights in both
    /// stages, by the rows that each of them answered in training; of trees the share of splits that ask it.
    pub fn weights(&self) -> Vec<f64> {
        match self {
            Combination::Sum(sum) => sum.weights.clone(),
            Combination::Cascade(cascade) => cascade.weights(),
            Combination::Trees(trees) => trees.weights(),
            Combination::Gate(gate) => gate.weights(),
        }
    }

    /// Names of the columns of the table that it asks.
    pub(crate) fn columns(&self) -> Vec<&str> {
        match self {
            Combination::Gate(gate) => gate.columns.iter().map(|column| column.name.as_str()).collect(),
            Combination::Sum(_) | Combination::Cascade(_) | Combination::Trees(_) => Vec::new(),
        }
    }

    /// True if scores pass maps that rows taught.
    pub fn has_maps(&self) -> bool {
        match self {
            Combination::Sum(sum) => !sum.before.is_empty() || sum.after.is_some(),
            Combination::Cascade(_) | Combination::Trees(_) | Combination::Gate(_) => false,
        }
    }

    /// The same of some of the members, in that order: those that are left out weigh nothing. Trees need all that they ask.
    pub fn of_members(&self, members: &[usize]) -> Combination {
        match self {
            Combination::Sum(sum) => Combination::Sum(sum.of_members(members)),
            Combination::Cascade(cascade) => Combination::Cascade(Box::new(cascade.of_members(members))),
            Combination::Trees(trees) => Combination::Trees(Box::new(trees.of_members(members))),
            Combination::Gate(gate) => Combination::Gate(Box::new(gate.of_members(members))),
        }
    }

    /// Members that weigh anything, rising; the first one where none does, so that there is one.
    pub fn used(&self) -> Vec<usize> {
        match self {
            Combination::Sum(sum) => sum.used(),
            Combination::Cascade(cascade) => cascade.used(),
            Combination::Trees(trees) => trees.used(),
            Combination::Gate(gate) => gate.used(),
        }
    }

    /// Members that weigh anything, the heaviest first; of a cascade those of the first stage, then the others.
    pub fn ranked(&self) -> Vec<usize> {
        let mut members = self.used();
        let (weights, is_first): (Vec<f64>, Vec<bool>) = match self {
            Combination::Sum(sum) => (sum.weights.clone(), vec![false; sum.weights.len()]),
            Combination::Cascade(cascade) => {
                let is_first = cascade.first.weights.iter().map(|w| *w != 0.0).collect();
                (cascade.second.weights.clone(), is_first)
            }
            Combination::Trees(_) | Combination::Gate(_) => (self.weights(), vec![false; self.n_members()]),
        };
        members.sort_by(|&a, &b| {
            let by_weight = || weights[b].abs().total_cmp(&weights[a].abs());
            is_first[b].cmp(&is_first[a]).then_with(by_weight).then(a.cmp(&b))
        });
        members
    }

    /// What integer scores `[n_rows, n_outputs]` of all members become, with their links, by the members that are used;
    /// `rows` are those of the scores, where there is a table whose columns may be asked.
    ///
    /// # Errors
    /// As [`Combination::on_grids`] and [`OnGrids::apply`].
    pub fn apply(
        &self,
        members: &[(&[i32], ScoreLink)],
        n_outputs: usize,
        rows: Option<CodedRows<'_>>,
    ) -> Result<(Vec<i32>, ScoreLink), Error> {
        let used = self.used();
        let (scores, links): (Vec<&[i32]>, Vec<ScoreLink>) =
            used.iter().filter_map(|&at| members.get(at).copied()).unzip();
        let on_grids = self.of_members(&used).on_grids(&links, n_outputs)?;
        Ok((on_grids.apply(&scores, rows)?, on_grids.link()))
    }

    /// What a member would be alone: all the weight is its.
    pub(crate) fn alone(&self, member: usize) -> Combination {
        match self {
            Combination::Sum(sum) => {
                Combination::Sum(MemberSum { weights: vec![1.0], ..sum.of_members(&[member]) })
            }
            Combination::Cascade(cascade) => Combination::mean(Space::Scores, &[1.0], cascade.second.range),
            Combination::Gate(gate) => Combination::mean(Space::Scores, &[1.0], gate.second.range),
            Combination::Trees(trees) => {
                let range = trees.members.first().map_or([0.0; 2], |member| member.range);
                Combination::mean(Space::Scores, &[1.0], range)
            }
        }
    }

    /// The first `n` members, one at least, with weights of the sum that all had: those that are left stand for those that
    /// went. `None` where weights below 0 make up for others, or trees ask one that went.
    pub(crate) fn first(&self, n: usize) -> Option<Combination> {
        match self {
            Combination::Sum(sum) => sum.first(n).map(Combination::Sum),
            Combination::Cascade(cascade) => cascade.first(n),
            Combination::Gate(gate) => gate.first(n),
            Combination::Trees(trees) => {
                let first: Vec<usize> = (0..n).collect();
                let is_whole = trees.used().iter().all(|&at| at < n);
                is_whole.then(|| Combination::Trees(Box::new(trees.of_members(&first))))
            }
        }
    }

    /// The same where member `j` is the mean of `n_fits[j]` fits.
    pub(crate) fn spread(&self, n_fits: &[usize]) -> Combination {
        match self {
            Combination::Sum(sum) => Combination::Sum(sum.spread(n_fits)),
            Combination::Cascade(cascade) => Combination::Cascade(Box::new(cascade.spread(n_fits))),
            Combination::Trees(trees) => Combination::Trees(Box::new(trees.spread(n_fits))),
            Combination::Gate(gate) => Combination::Gate(Box::new(gate.spread(n_fits))),
        }
    }

    /// The same on the grids of members with these links, of `n_outputs` scores a row each.
    ///
    /// # Errors
    /// Links that are not of one task, as many as weights; weights, offsets or maps that the doc of the field excludes; a
    /// cascade of numbers; trees that ask members which are left out.
    pub fn on_grids(&self, links: &[ScoreLink], n_outputs: usize) -> Result<OnGrids, Error> {
        match self {
            Combination::Sum(sum) => {
                let sum = sum.on_grids(links, n_outputs)?;
                Ok(OnGrids { link: sum.link(), form: Form::Sum(sum) })
            }
            Combination::Cascade(cascade) => {
                let (cascade, link) = cascade.on_grids(links, n_outputs)?;
                Ok(OnGrids { form: Form::Cascade(Box::new(cascade)), link })
            }
            Combination::Trees(trees) => {
                let (trees, link) = trees.on_grids(links, n_outputs)?;
                Ok(OnGrids { form: Form::Trees(Box::new(trees)), link })
            }
            Combination::Gate(gate) => {
                let (gate, link) = gate.on_grids(links, n_outputs)?;
                Ok(OnGrids { form: Form::Gate(Box::new(gate)), link })
            }
        }
    }
}

impl OnGrids {
    /// How the score becomes probabilities or values.
    pub fn link(&self) -> ScoreLink {
        self.link
    }

    /// The score of integer scores `[n_rows, n_outputs]` of all members, as the graph computes it; `rows` are those of the
    /// scores, where there is a table whose columns may be asked.
    ///
    /// # Errors
    /// A gate without rows, or of other columns.
    pub fn apply(&self, members: &[&[i32]], rows: Option<CodedRows<'_>>) -> Result<Vec<i32>, Error> {
        match &self.form {
            Form::Sum(sum) => Ok(sum.apply(members)),
            Form::Cascade(cascade) => Ok(cascade.apply(members)),
            Form::Trees(trees) => Ok(trees.apply(members)),
            Form::Gate(gate) => gate.apply(members, rows),
        }
    }

    /// Appends the nodes behind the members' scores; `column` gives the columns of the table by name.
    ///
    /// # Errors
    /// The graph refuses a node: scores of other shapes; a gate whose columns are not there.
    pub fn lower(
        &self,
        builder: &mut GraphBuilder,
        members: &[ValueIdx],
        column: &dyn Fn(&str) -> Option<(DType, ValueIdx)>,
    ) -> Result<ValueIdx, Error> {
        match &self.form {
            Form::Sum(sum) => Ok(sum.lower(builder, members)?),
            Form::Cascade(cascade) => Ok(cascade.lower(builder, members)?),
            Form::Trees(trees) => Ok(trees.lower(builder, members)?),
            Form::Gate(gate) => gate.lower(builder, members, column),
        }
    }
}
