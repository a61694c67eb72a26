//! `construct`: columns made of two others, those that say more than they cost.
//!
//! A small family of its own: a [`Construction`] is a way to make one column of two, [`CONSTRUCTIONS`] lists them.
//! [`choose()`] tries every pair on a sample of the rows and says which columns are worth it; only these are then
//! learnt from all rows. What a column is, its nodes say; what is tried on the sample is computed by the same
//! operators.

mod arithmetic;
mod base;
mod cells;
mod choose;
mod crosses;
mod group_means;
mod joint;
mod residual;

use crate::error::{Error, Kind};
use crate::transform::{FeatureKind, FittedStep, Group, StepInput, StepTarget, Transform, TransformEntry};
use base::Base;
use cells::Codes;
use choose::{Search, choose};
use params::{ParamSpec, Params, Range, Value};

/// The line of the table.
pub(crate) static ENTRY: TransformEntry = TransformEntry {
    name: "construct",
    doc: "columns made of two others (sums, differences, products, ratios, means by category, crosses), those that say more than they cost",
    takes: &[FeatureKind::Number, FeatureKind::Category],
    sees_target: true,
    cleans: false,
    spec: SPEC,
    transform: &Construct,
};

const SPEC: &[ParamSpec] = &[
    ParamSpec {
        name: "kinds",
        aliases: &[],
        default: Value::Word("sums,differences,products,ratios,group_means,group_differences,crosses"),
        range: Range::Text,
        doc: "kinds of columns that are tried",
    },
    ParamSpec {
        name: "most",
        aliases: &[],
        default: Value::Int(8),
        range: Range::Int { low: 1, high: 200 },
        doc: "most columns made",
    },
    ParamSpec {
        name: "price",
        aliases: &[],
        default: Value::Real(0.002),
        range: Range::Real { low: 0.0, high: 1.0 },
        doc: "share of what the columns one by one leave unexplained that a column made must explain, beyond chance and beyond what its two columns explain when each is cut in 6",
    },
];

/// Every kind of column, in the order in which equal ones are preferred.
static CONSTRUCTIONS: &[&dyn Construction] = &[
    &arithmetic::SUMS,
    &arithmetic::DIFFERENCES,
    &arithmetic::PRODUCTS,
    &arithmetic::RATIOS,
    &group_means::GROUP_MEANS,
    &group_means::GROUP_DIFFERENCES,
    &crosses::CROSSES,
];

/// All columns go on; beside them stand those of [`CONSTRUCTIONS`] that explain what additive terms do not:
///
/// 1. At most 20,000 rows are looked at, evenly spaced, at most 24 numbers and 8 categories, those that explain
///    most of the target one by one; of more than two classes the 8 most frequent.
/// 2. `r` is the target less `sum_j f_j(x_j)`, a curve a column, fitted in turn until that gains nothing.
/// 3. A column made is worth what its 32 bins explain of `r` beside the bins of its two columns, less what chance
///    explains of the best of all tried, less what the two columns crossed in 6 x 6 cells explain, as a share of
///    `sum w r^2`. A pair of categories is its own cells.
/// 4. The best one above the price is taken and fitted away; the best 64 of the first look are looked at again.
///
/// Ties go to the first pair, and to the first of its kinds. Missing is a cell of its own; what is not finite is
/// missing. On a target of noise a column is made about once in 20 fits or less. Exact: sums run in row order.
/// O(candidates (rows + bins^3)), and O(rows log rows) for each column made.
/// # Source  after Katz, Shin, Song, ExploreKit, ICDM 2016, and Horn, Pack, Rieger, The autofeat Python library,
/// 2019, which make columns and keep those that help; the way to choose is ours.
struct Construct;

impl Transform for Construct {
    fn fit(&self, input: &StepInput<'_>, params: &Params) -> Result<FittedStep, Error> {
        let target = input.target(ENTRY.name)?;
        let mut kinds = kinds(params.text("kinds"))?;
        kinds.retain(|kind| kind.serves(target));
        let search = Search {
            kinds,
            most: usize::try_from(params.int("most")).unwrap_or(1),
            price: params.real("price"),
        };
        let chosen = choose(input, target, &search);
        let groups = input.threads.map(chosen.len(), |i| chosen[i].kind.group(input, chosen[i].uses));
        Ok(FittedStep {
            kept: (0..input.columns.len()).collect(),
            groups: groups.into_iter().flatten().collect(),
        })
    }
}

/// The constructions of a list of words; all if there is none.
///
/// # Errors
/// `UnknownWord` lists the known ones.
fn kinds(text: &str) -> Result<Vec<&'static dyn Construction>, Error> {
    let words: Vec<&str> = text.split([',', ';']).map(str::trim).filter(|word| !word.is_empty()).collect();
    let known = || CONSTRUCTIONS.iter().map(|kind| kind.name());
    if let Some(word) = words.iter().find(|word| known().all(|name| name != **word)) {
        return Err(Kind::UnknownWord {
            transform: ENTRY.name,
            param: "kinds",
            word: (*word).to_owned(),
            suggestion: params::suggestion(word, known()),
            known: known().collect::<Vec<_>>().join(", "),
        }
        .into());
    }
    let is_named = |kind: &&dyn Construction| words.is_empty() || words.contains(&kind.name());
    Ok(CONSTRUCTIONS.iter().copied().filter(is_named).collect())
}

/// A way to make one column of two.
trait Construction: Sync {
    /// Its word in `kinds`.
    fn name(&self) -> &'static str;
    /// What it is made of.
    fn parents(&self) -> Parents;
    /// Whether it can be made for a target.
    fn serves(&self, target: StepTarget<'_>) -> bool;
    /// The column for the rows looked at.
    fn look(&self, a: &Base<'_>, b: &Base<'_>) -> Look;
    /// The column, learnt from all rows to learn from; none where it would not be of finite numbers.
    fn group(&self, input: &StepInput<'_>, uses: [usize; 2]) -> Option<Group>;
}

/// The columns that a construction is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Parents {
    /// Two numbers, either first: the column is the same, or says the same.
    Numbers,
    /// Two numbers, each of them first.
    NumbersInBothOrders,
    /// A number, then a category.
    NumberAndCategory,
    /// Two categories.
    Categories,
}

impl Parents {
    /// The orders in which two columns of these kinds are parents.
    fn orders(self, kinds: [FeatureKind; 2]) -> &'static [[usize; 2]] {
        use FeatureKind::{Category, Number};
        match (self, kinds) {
            (Parents::Numbers, [Number, Number])
            | (Parents::NumberAndCategory, [Number, Category])
            | (Parents::Categories, [Category, Category]) => &[[0, 1]],
            (Parents::NumberAndCategory, [Category, Number]) => &[[1, 0]],
            (Parents::NumbersInBothOrders, [Number, Number]) => &[[0, 1], [1, 0]],
            _ => &[],
        }
    }
}

/// A construction for the rows looked at.
enum Look {
    /// Numbers; NaN is missing.
    Values(Vec<f64>),
    /// Cells whose means of the target become the column.
    Cells(Codes),
}

#[cfg(test)]
mod tests;
