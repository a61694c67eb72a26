//! `group_means`, `group_differences`: a number beside its mean over the rows of a category.

use super::arithmetic::{finite_or_missing, finite_or_missing_node};
use super::base::Base;
use super::cells::{Codes, Ranks};
use super::{Construction, Look, Parents};
use crate::nodes::Labels;
use crate::statistics::mean;
use crate::transform::{Group, Lower, StepInput, StepTarget};
use ir::op::Arithmetic;
use ir::{GraphBuilder, Op, ValueIdx};

/// Most keys with a mean of their own, the most frequent ones: the file holds each.
const MOST_GROUPS: usize = 1000;

/// The mean of the finite numbers of the training rows of the row's category, or how far the row's number lies above
/// it. Unseen and missing categories, those beyond the 1000 most frequent, and those without a finite number have the
/// mean of all rows. It never sees the target; row weights do not count.
pub(super) struct OfGroups {
    name: &'static str,
    gives: Gives,
}

#[derive(Clone, Copy)]
enum Gives {
    Mean,
    Difference,
}

/// The mean.
pub(super) static GROUP_MEANS: OfGroups = OfGroups { name: "group_means", gives: Gives::Mean };
/// The number less the mean; missing where the number is not finite.
pub(super) static GROUP_DIFFERENCES: OfGroups =
    OfGroups { name: "group_differences", gives: Gives::Difference };

impl Construction for OfGroups {
    fn name(&self) -> &'static str {
        self.name
    }

    fn parents(&self) -> Parents {
        Parents::NumberAndCategory
    }

    fn serves(&self, _: StepTarget<'_>) -> bool {
        true
    }

    fn look(&self, a: &Base<'_>, b: &Base<'_>) -> Look {
        let (numbers, groups) = (a.numbers(), b.keys(MOST_GROUPS));
        let means = means(numbers, &groups);
        let value = |(&x, group): (&f64, usize)| match self.gives {
            Gives::Mean => means[group],
            Gives::Difference => finite_or_missing(Arithmetic::Sub.of(x, means[group])),
        };
        Look::Values(numbers.iter().zip(groups.iter()).map(value).collect())
    }

    fn group(&self, input: &StepInput<'_>, uses: [usize; 2]) -> Option<Group> {
        let [number, category] = uses.map(|at| input.columns[at].name);
        let ranks = Ranks::new(&input.texts(uses[1]));
        let means = means(&input.numbers(uses[0]), &ranks.codes(MOST_GROUPS));
        let labels = ranks.labels(MOST_GROUPS, |group| means[group]);
        Some(match self.gives {
            Gives::Mean => {
                Group::number(vec![uses[1]], format!("mean of \"{number}\" by \"{category}\""), labels)
            }
            Gives::Difference => {
                let name = format!("\"{number}\" less its mean by \"{category}\"");
                Group::number(uses.to_vec(), name, Difference { labels })
            }
        })
    }
}

/// The mean of each group; of others and missing, the last two, that of all.
fn means(numbers: &[f64], groups: &Codes) -> Vec<f64> {
    let mut members: Vec<Vec<f64>> = vec![Vec::new(); groups.n];
    for (&x, group) in numbers.iter().zip(groups.iter()).filter(|(x, _)| x.is_finite()) {
        members[group].push(x);
    }
    let all: Vec<f64> = numbers.iter().copied().filter(|x| x.is_finite()).collect();
    let of_all = mean(&all);
    let of = |(group, members): (usize, &Vec<f64>)| {
        if group + 2 >= groups.n || members.is_empty() { of_all } else { mean(members) }
    };
    members.iter().enumerate().map(of).collect()
}

struct Difference {
    labels: Labels,
}

impl Lower for Difference {
    fn lower(&self, builder: &mut GraphBuilder, columns: &[ValueIdx]) -> Result<ValueIdx, ir::Error> {
        let mean = self.labels.lower(builder, &columns[1..])?;
        let q = builder.node(Op::Arithmetic(Arithmetic::Sub), &[columns[0], mean])?;
        finite_or_missing_node(builder, q)
    }
}
