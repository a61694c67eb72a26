//! `bag_columns`: the ids of a bag that say most about the target, as columns.

use crate::error::{Error, Kind};
use crate::transform::{Cells, FeatureKind, FittedStep, Group, Made, StepInput, StepTarget};
use crate::transform::{Transform, TransformEntry};
use ir::op::BagGather;
use ir::{Bags, GraphBuilder, Op, Tensor, TensorData, ValueIdx};
use params::{ParamSpec, Params, Range, Value};

/// The line of the table.
pub(crate) static ENTRY: TransformEntry = TransformEntry {
    name: "bag_columns",
    doc: "the ids of a bag that say most about the target, one column each",
    takes: &[FeatureKind::Bag],
    sees_target: true,
    cleans: false,
    spec: SPEC,
    transform: &BagColumns,
};

const SPEC: &[ParamSpec] = &[
    ParamSpec {
        name: "columns",
        aliases: &["k"],
        default: Value::Int(256),
        range: Range::Int { low: 1, high: 8192 },
        doc: "most columns of one bag",
    },
    ParamSpec {
        name: "how",
        aliases: &["score_func"],
        default: Value::Word("auto"),
        range: Range::Words(&["auto", "chi2", "anova", "correlation", "frequency"]),
        doc: "what ranks the ids: chi2 or anova for classes, correlation for numbers (auto: chi2 or correlation), \
              or the rows that have them",
    },
];

/// How ids are ranked.
#[derive(Clone, Copy)]
enum How<'a> {
    /// `sum over the classes c of (o_c - e_c)^2 / e_c`: `o_c` the weights of the id in rows of the class
    /// together, `e_c` the class's share of the rows times the weights in all rows.
    Chi2(&'a [u32], usize),
    /// The F statistic: variance of the id's weight between the classes over that within them.
    Anova(&'a [u32], usize),
    /// Square of Pearson's correlation of the id's weight with the target.
    Correlation(&'a [f64]),
    /// Rows that have the id.
    Frequency,
}

/// `out[j] = weight of the j-th chosen id`, 0 where the row has it not; columns in the order of the ids.
///
/// Of the ids that a row to learn from has, those of the largest score are chosen; of equal scores, and of
/// ids without a score (a constant weight, a target of one value), those that more rows have, then the
/// smaller. Row weights count as repetitions. A missing text gives zeros, as an empty one does. A bag without
/// any id is kept. O(ids of all rows + ids * classes).
/// # Source  scikit-learn's `chi2`, `f_classif` and `f_regression`, whose order `SelectKBest` takes; for one
/// column, the square of the correlation has the order of its F statistic. Yang & Pedersen, A Comparative
/// Study on Feature Selection in Text Categorization, ICML 1997.
struct BagColumns;

impl Transform for BagColumns {
    fn fit(&self, input: &StepInput<'_>, params: &Params) -> Result<FittedStep, Error> {
        let most = usize::try_from(params.int("columns")).unwrap_or(1);
        let how = how(params.word("how"), input)?;
        let mut step = FittedStep::default();
        for (at, column) in input.columns.iter().enumerate() {
            let Cells::Bags { width, terms, .. } = column.cells else { continue };
            let entries = Entries::new(&input.bags(at), width);
            let mut ranked = entries.scores(how, input);
            ranked.sort_by(|a, b| {
                let by_score = b.score.total_cmp(&a.score);
                by_score.then_with(|| b.rows.total_cmp(&a.rows)).then_with(|| a.id.cmp(&b.id))
            });
            ranked.truncate(most);
            if ranked.is_empty() {
                step.kept.push(at);
                continue;
            }
            let mut ids: Vec<i64> = ranked.iter().map(|r| r.id as i64).collect();
            ids.sort_unstable();
            let name = |&id: &i64| match terms.and_then(|t| t.get(usize::try_from(id).ok()?)) {
                Some(term) => format!("\"{term}\" in \"{}\"", column.name),
                None => format!("bucket {id} of \"{}\"", column.name),
            };
            let names = ids.iter().map(name).collect();
            let part = move |b: &mut GraphBuilder, columns: &[ValueIdx]| {
                let ids = b.constant(Tensor::vector(TensorData::I64(ids.clone())))?;
                b.node(Op::BagGather(BagGather), &[columns[0], ids])
            };
            step.groups.push(Group {
                uses: vec![at],
                made: Made::Matrix(names),
                part: Box::new(part),
                training: None,
            });
        }
        Ok(step)
    }
}

fn how<'a>(word: &str, input: &StepInput<'a>) -> Result<How<'a>, Error> {
    let refuse = |expected, got| Err(Kind::Task { transform: ENTRY.name, expected, got }.into());
    if word == "frequency" {
        return Ok(How::Frequency);
    }
    match (input.target(ENTRY.name)?, word) {
        (StepTarget::Classes(of, n), "auto" | "chi2") => Ok(How::Chi2(of, n)),
        (StepTarget::Classes(of, n), "anova") => Ok(How::Anova(of, n)),
        (StepTarget::Classes(..), _) => refuse("numbers (how=correlation)", "classification"),
        (StepTarget::Values(of), "auto" | "correlation") => Ok(How::Correlation(of)),
        (StepTarget::Values(_), "chi2") => refuse("classes (how=chi2)", "regression"),
        (StepTarget::Values(_), _) => refuse("classes (how=anova)", "regression"),
    }
}

/// An id with its score.
struct Ranked {
    id: usize,
    /// `-inf` without one.
    score: f64,
    /// Rows that have it, by weight.
    rows: f64,
}

/// The score of an id that stands in these rows with these weights.
type Scorer<'a> = Box<dyn Fn(&[u32], &[f64]) -> f64 + 'a>;

/// Bags by id: id `i` stands in the rows `rows[starts[i]..starts[i + 1]]`, rising, with these weights.
struct Entries {
    starts: Vec<usize>,
    rows: Vec<u32>,
    weights: Vec<f64>,
}

impl Entries {
    fn new(bags: &[(&Bags, usize)], width: usize) -> Entries {
        let mut starts = vec![0usize; width + 1];
        for (bags, row) in bags {
            bags.row(*row).for_each(|(id, _)| starts[id as usize + 1] += 1);
        }
        for i in 0..width {
            starts[i + 1] += starts[i];
        }
        let n = starts[width];
        let mut next = starts.clone();
        let mut entries = Entries { starts, rows: vec![0; n], weights: vec![0.0; n] };
        for ((bags, row), at) in bags.iter().zip(0..) {
            for (id, weight) in bags.row(*row) {
                let place = &mut next[id as usize];
                entries.rows[*place] = at;
                entries.weights[*place] = weight;
                *place += 1;
            }
        }
        entries
    }

    /// The ids that a row has, with their scores.
    fn scores(&self, how: How<'_>, input: &StepInput<'_>) -> Vec<Ranked> {
        let repeats: Vec<f64> = match input.row_weights {
            Some(weights) => input.rows.iter().map(|&row| weights[row as usize].into()).collect(),
            None => vec![1.0; input.rows.len()],
        };
        let n: f64 = repeats.iter().sum();
        let classes = |of: &[u32]| input.rows.iter().map(|&row| of[row as usize] as usize).collect();
        let scorer: Scorer<'_> = match how {
            How::Chi2(of, n_classes) => {
                let classes = Classes::new(classes(of), n_classes, &repeats);
                Box::new(move |rows, weights| classes.chi2(rows, weights, n))
            }
            How::Anova(of, n_classes) => {
                let classes = Classes::new(classes(of), n_classes, &repeats);
                Box::new(move |rows, weights| classes.anova(rows, weights, n))
            }
            How::Correlation(of) => {
                let of = input.rows.iter().map(|&row| of[row as usize]).collect();
                let numbers = Numbers::new(of, &repeats, n);
                Box::new(move |rows, weights| numbers.correlation(rows, weights, n))
            }
            How::Frequency => Box::new(|_, _| 0.0),
        };
        let ranked = |id: usize| {
            let range = self.starts[id]..self.starts[id + 1];
            let (rows, weights) = (&self.rows[range.clone()], &self.weights[range]);
            // Where all rows weigh alike, rounding alone would make a score.
            let constant = rows.len() == repeats.len() && weights.windows(2).all(|w| w[0] == w[1]);
            let score = if constant { f64::NAN } else { scorer(rows, weights) };
            let score = if score.is_nan() { f64::NEG_INFINITY } else { score };
            Ranked { id, score, rows: rows.iter().map(|&row| repeats[row as usize]).sum() }
        };
        let has_rows = |id: &usize| self.starts[*id] < self.starts[id + 1];
        (0..self.starts.len() - 1).filter(has_rows).map(ranked).collect()
    }
}

/// The class and the weight of each row.
struct Classes<'a> {
    of: Vec<usize>,
    repeats: &'a [f64],
    /// Weight of the rows of each class.
    sizes: Vec<f64>,
}

impl<'a> Classes<'a> {
    fn new(of: Vec<usize>, n_classes: usize, repeats: &'a [f64]) -> Classes<'a> {
        let mut sizes = vec![0.0; n_classes];
        of.iter().zip(repeats).for_each(|(&class, repeats)| sizes[class] += repeats);
        Classes { of, repeats, sizes }
    }

    /// Weights of an id by class, and the sum of their squares.
    fn sums(&self, rows: &[u32], weights: &[f64]) -> (Vec<f64>, f64) {
        let mut sums = vec![0.0; self.sizes.len()];
        let mut squares = 0.0;
        for (&row, &weight) in rows.iter().zip(weights) {
            let repeats = self.repeats[row as usize];
            sums[self.of[row as usize]] += repeats * weight;
            squares += repeats * (weight * weight);
        }
        (sums, squares)
    }

    fn chi2(&self, rows: &[u32], weights: &[f64], n: f64) -> f64 {
        let (sums, _) = self.sums(rows, weights);
        let total: f64 = sums.iter().sum();
        let mut chi2 = 0.0;
        for (observed, size) in sums.iter().zip(&self.sizes).filter(|(_, size)| **size > 0.0) {
            let expected = size / n * total;
            chi2 += (observed - expected) * (observed - expected) / expected;
        }
        chi2
    }

    fn anova(&self, rows: &[u32], weights: &[f64], n: f64) -> f64 {
        let (sums, squares) = self.sums(rows, weights);
        let total: f64 = sums.iter().sum();
        let (mut between, mut n_classes) = (-(total * total / n), 0.0);
        for (sum, size) in sums.iter().zip(&self.sizes).filter(|(_, size)| **size > 0.0) {
            between += sum * sum / size;
            n_classes += 1.0;
        }
        let within = squares - total * total / n - between;
        // Rounding may leave a little less than nothing.
        (between / (n_classes - 1.0)) / (within.max(0.0) / (n - n_classes))
    }
}

/// The target of each row less its mean, by weight of the row.
struct Numbers<'a> {
    centred: Vec<f64>,
    repeats: &'a [f64],
    squares: f64,
}

impl<'a> Numbers<'a> {
    fn new(mut of: Vec<f64>, repeats: &'a [f64], n: f64) -> Numbers<'a> {
        let mean = of.iter().zip(repeats).map(|(y, r)| r * y).sum::<f64>() / n;
        // The mean of equal numbers may be rounded.
        let equal = of.windows(2).all(|y| y[0] == y[1]);
        of.iter_mut().for_each(|y| *y = if equal { 0.0 } else { *y - mean });
        let squares = of.iter().zip(repeats).map(|(y, r)| r * (y * y)).sum();
        Numbers { centred: of, repeats, squares }
    }

    fn correlation(&self, rows: &[u32], weights: &[f64], n: f64) -> f64 {
        let (mut sum, mut squares, mut product) = (0.0, 0.0, 0.0);
        for (&row, &weight) in rows.iter().zip(weights) {
            let repeats = self.repeats[row as usize];
            sum += repeats * weight;
            squares += repeats * (weight * weight);
            product += repeats * weight * self.centred[row as usize];
        }
        product * product / ((squares - sum * sum / n) * self.squares)
    }
}

#[cfg(test)]
mod tests;
