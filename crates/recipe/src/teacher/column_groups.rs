//! Groups of columns whose cells must come of one row: features that are made of several columns join them.

use crate::error::{Error, Kind};
use crate::features::Features;
use crate::prepared::Prepared;

/// Columns of the table and features, by the group that they belong to. A feature is a function of the columns of its
/// group, so a row whose cells come from one row a group has, in each feature, the cell of the row that its group comes
/// from.
#[derive(Debug)]
pub(super) struct ColumnGroups {
    /// By input of the table.
    pub(super) of_input: Vec<usize>,
    /// By feature.
    pub(super) of_feature: Vec<usize>,
    /// Number of groups; two at least.
    pub(super) n: usize,
}

impl ColumnGroups {
    /// The connected components of the columns that features use together, in the order of their first columns.
    /// O(features groups of the chain).
    ///
    /// # Errors
    /// `Generate` where columns have a role, so that rows belong together, and where there are not two groups.
    pub(super) fn new(
        generator: &'static str,
        prepared: &Prepared<'_>,
        features: &Features,
    ) -> Result<ColumnGroups, Error> {
        let roles = &prepared.relations;
        let role = [
            roles.order.map(|column| format!("rows in the order of \"{column}\"")),
            roles.group.map(|column| format!("groups of \"{column}\"")),
            roles.join.as_ref().map(|join| format!("the second table {}", join.name)),
        ];
        if let Some(got) = role.into_iter().flatten().next() {
            let (expected, cure) = ("rows that stand alone", "leave out the generator");
            return Err(Kind::Generate { generator, expected, got, cure }.into());
        }
        let n_inputs = prepared.inputs.len();
        let mut parent: Vec<usize> = (0..n_inputs).collect();
        let mut first_of: Vec<Option<usize>> = Vec::with_capacity(features.features.len());
        for feature in &features.features {
            let needs = features.chain.needs([feature.source], &|_| false, n_inputs);
            let mut used = (0..n_inputs).filter(|&input| needs.inputs[input]);
            let first = used.next();
            if let Some(first) = first {
                used.for_each(|other| join(&mut parent, first, other));
            }
            first_of.push(first);
        }
        let mut number = vec![None; n_inputs];
        let mut n = 0;
        let mut group = |root: usize| {
            *number[root].get_or_insert_with(|| {
                n += 1;
                n - 1
            })
        };
        let of_input: Vec<usize> = (0..n_inputs).map(|input| group(root(&mut parent, input))).collect();
        // A feature without a column is the same for all rows.
        let of_feature = first_of.iter().map(|first| first.map_or(0, |input| of_input[input])).collect();
        if n < 2 {
            let (expected, got) = ("two columns or more that no feature uses together", n_inputs);
            let got = format!("{got} that are used together");
            let cure = "leave out the generator, or transforms of whole rows";
            return Err(Kind::Generate { generator, expected, got, cure }.into());
        }
        Ok(ColumnGroups { of_input, of_feature, n })
    }
}

fn root(parent: &mut [usize], mut at: usize) -> usize {
    while parent[at] != at {
        parent[at] = parent[parent[at]];
        at = parent[at];
    }
    at
}

/// The root that stands first stays one.
fn join(parent: &mut [usize], a: usize, b: usize) {
    let (a, b) = (root(parent, a), root(parent, b));
    parent[a.max(b)] = a.min(b);
}
