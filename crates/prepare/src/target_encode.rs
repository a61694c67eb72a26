//! `target_encode`: a category to the mean of the target over its rows.

use crate::error::Error;
use crate::nodes::side_by_side;
use crate::transform::{FeatureKind, FittedStep, Group, Lower, StepInput, StepTarget};
use crate::transform::{Transform, TransformEntry};
use ir::digest::SplitMix64;
use ir::op::LabelEncoder;
use ir::{GraphBuilder, Op, Tensor, TensorData, ValueIdx};
use params::{ParamSpec, Params, Range, Value};
use std::collections::BTreeMap;

/// The line of the table.
pub(crate) static ENTRY: TransformEntry = TransformEntry {
    name: "target_encode",
    doc: "a category to the mean of the target over its rows",
    takes: &[FeatureKind::Category],
    sees_target: true,
    cleans: false,
    spec: SPEC,
    transform: &TargetEncode,
};

const SPEC: &[ParamSpec] = &[
    ParamSpec {
        name: "smoothing",
        aliases: &["smooth"],
        default: Value::Real(10.0),
        range: Range::Real { low: 0.0, high: 1e9 },
        doc: "rows of the mean of all rows that are added to those of each category",
    },
    ParamSpec {
        name: "how",
        aliases: &[],
        default: Value::Word("fixed"),
        range: Range::Words(&["fixed", "auto"]),
        doc: "whether smoothing is the number given or follows from how much the target varies (empirical Bayes)",
    },
    ParamSpec {
        name: "folds",
        aliases: &["cv"],
        default: Value::Int(5),
        range: Range::Int { low: 2, high: 50 },
        doc: "parts of the training rows, each of which gets its values from the other parts",
    },
    ParamSpec {
        name: "min_rows",
        aliases: &["min_samples_leaf"],
        default: Value::Int(1),
        range: Range::Int { low: 1, high: 1_000_000_000 },
        doc: "rows that a category has at least to have a value of its own",
    },
];

/// `(sum_i w_i y_i + smoothing * mean) / (sum_i w_i + smoothing)` over the rows of the category, `mean` the
/// weighted mean of all rows. `y` is the number of a regression, 1 or 0 for the second of two classes, and 1 or
/// 0 for each of three classes or more, which gives one column each. With `how=auto`,
/// `l m_c + (1 - l) mean`, `l = v n / (v n + v_c)`, where `m_c`, `v_c` and `n` are mean, variance and weight of
/// the category and `v` is the variance of all rows.
///
/// Missing is a category of its own. Unseen categories, and those of fewer than `min_rows` rows, give `mean`.
/// The training rows get values from the rows of the other folds alone, so that no row sees its own target:
/// folds are drawn from the seed, each with its share of every class.
/// O(folds rows + rows log categories), for each column made; the model holds every key.
/// # Source  Micci-Barreca, SIGKDD Explorations 3(1), 2001; scikit-learn's `TargetEncoder` (`smooth="auto"` is
/// ours; its folds are others, and it refits on all rows as we do).
struct TargetEncode;

impl Transform for TargetEncode {
    fn fit(&self, input: &StepInput<'_>, params: &Params) -> Result<FittedStep, Error> {
        let target = input.target(ENTRY.name)?;
        let rule = Rule {
            smoothing: (params.word("how") == "fixed").then(|| params.real("smoothing")),
            min_rows: u64::try_from(params.int("min_rows")).unwrap_or(1),
        };
        let n_folds = usize::try_from(params.int("folds")).unwrap_or(2).min(input.rows.len().max(1));
        let folds = folds(input, target, n_folds);
        let targets = targets(input, target);
        let weights = weights(input, &targets);
        let mut step = FittedStep::default();
        for (at, column) in input.columns.iter().enumerate() {
            let coded = Coded::new(input, at);
            let rows = Rows { coded: &coded, weights: &weights, rule: &rule };
            let maps: Vec<Encoding> =
                input.threads.map(targets.len(), |t| rows.encode(&targets[t], |_| true));
            let tasks = input.threads.map(targets.len() * n_folds, |task| {
                let (t, fold) = (task / n_folds, task % n_folds);
                let others = rows.encode(&targets[t], |row| folds[row] != fold);
                // Where the other folds weigh nothing there is only the whole.
                let known = if others.weight > 0.0 { &others } else { &maps[t] };
                let of_fold = (0..folds.len()).filter(|&row| folds[row] == fold);
                of_fold.map(|row| (row, known.values[coded.ids[row] as usize])).collect::<Vec<_>>()
            });
            let mut training = vec![0.0; folds.len() * targets.len()];
            for (task, values) in tasks.into_iter().enumerate() {
                for (row, value) in values {
                    training[row * targets.len() + task / n_folds] = value;
                }
            }
            let names: Vec<String> = match target {
                StepTarget::Values(_) => vec![format!("target mean by \"{}\"", column.name)],
                StepTarget::Classes(..) if targets.len() == 1 => {
                    vec![format!("target rate by \"{}\"", column.name)]
                }
                StepTarget::Classes(..) => (1..=targets.len())
                    .map(|class| format!("rate of class number {class} by \"{}\"", column.name))
                    .collect(),
            };
            let maps = Maps::new(&coded, &maps);
            let mut group = match <[String; 1]>::try_from(names) {
                Ok([name]) => Group::number(vec![at], name, maps),
                Err(names) => Group::matrix(vec![at], names, maps),
            };
            group.training = Some(training);
            step.groups.push(group);
        }
        Ok(step)
    }
}

/// What each column made is the mean of, by training row.
pub(crate) fn targets(input: &StepInput<'_>, target: StepTarget<'_>) -> Vec<Vec<f64>> {
    let rows = || input.rows.iter().map(|&row| row as usize);
    let of_class = |labels: &[u32], class: u32| {
        rows().map(|row| f64::from(u8::from(labels.get(row) == Some(&class)))).collect()
    };
    match target {
        StepTarget::Values(values) => {
            vec![rows().map(|row| values.get(row).copied().unwrap_or(f64::NAN)).collect()]
        }
        StepTarget::Classes(labels, 0..=2) => vec![of_class(labels, 1)],
        StepTarget::Classes(labels, n) => (0..n as u32).map(|class| of_class(labels, class)).collect(),
    }
}

/// Weight of each training row; 0 where the target is no number.
pub(crate) fn weights(input: &StepInput<'_>, targets: &[Vec<f64>]) -> Vec<f64> {
    let weight = |(i, &row): (usize, &u32)| {
        let given = input.row_weights.map_or(1.0, |w| w.get(row as usize).map_or(0.0, |&w| f64::from(w)));
        if targets.iter().all(|t| t[i].is_finite()) { given } else { 0.0 }
    };
    input.rows.iter().enumerate().map(weight).collect()
}

/// The fold of each training row.
pub(crate) fn folds(input: &StepInput<'_>, target: StepTarget<'_>, n_folds: usize) -> Vec<usize> {
    let n = input.rows.len();
    let mut random = SplitMix64::new(input.seed.derive(ENTRY.name, 0).0);
    let mut order: Vec<usize> = (0..n).collect();
    random.shuffle(&mut order);
    if let StepTarget::Classes(labels, _) = target {
        // The sort is stable: within a class the order is as drawn.
        order.sort_by_key(|&row| labels.get(input.rows[row] as usize));
    }
    let mut folds = vec![0; n];
    order.iter().enumerate().for_each(|(place, &row)| folds[row] = place % n_folds.max(1));
    folds
}

/// The keys of a column as numbers.
struct Coded {
    /// In byte order.
    keys: Vec<String>,
    /// Place of the key of each training row; missing is `keys.len()`.
    ids: Vec<u32>,
}

impl Coded {
    fn new(input: &StepInput<'_>, at: usize) -> Coded {
        let texts = input.texts(at);
        let mut places: BTreeMap<&str, u32> = texts.iter().flatten().map(|&key| (key, 0)).collect();
        places.values_mut().zip(0..).for_each(|(place, at)| *place = at);
        let missing = places.len() as u32;
        let ids = texts.iter().map(|t| t.and_then(|key| places.get(key).copied()).unwrap_or(missing));
        let ids = ids.collect();
        Coded { keys: places.into_keys().map(str::to_owned).collect(), ids }
    }
}

/// How a mean becomes a value.
struct Rule {
    /// `None` is empirical Bayes.
    smoothing: Option<f64>,
    min_rows: u64,
}

struct Rows<'a> {
    coded: &'a Coded,
    weights: &'a [f64],
    rule: &'a Rule,
}

/// Values of all keys and of missing cells.
struct Encoding {
    values: Vec<f64>,
    /// Whether the value is the key's own.
    is_own: Vec<bool>,
    mean: f64,
    weight: f64,
}

#[derive(Clone, Copy, Default)]
struct Sums {
    n: u64,
    weight: f64,
    sum: f64,
    squares: f64,
}

impl Rows<'_> {
    /// Values from the rows that are taken.
    fn encode(&self, y: &[f64], takes: impl Fn(usize) -> bool) -> Encoding {
        let taken = || (0..y.len()).filter(|&row| takes(row) && self.weights[row] > 0.0);
        let mut sums = vec![Sums::default(); self.coded.keys.len() + 1];
        let mut all = Sums::default();
        for row in taken() {
            let weight = self.weights[row];
            for sums in [&mut sums[self.coded.ids[row] as usize], &mut all] {
                sums.n += 1;
                sums.weight += weight;
                sums.sum += weight * y[row];
            }
        }
        let mean = if all.weight > 0.0 { all.sum / all.weight } else { 0.0 };
        if self.rule.smoothing.is_none() {
            for row in taken() {
                let sums = &mut sums[self.coded.ids[row] as usize];
                let (near, far) = (y[row] - sums.sum / sums.weight, y[row] - mean);
                sums.squares += self.weights[row] * near * near;
                all.squares += self.weights[row] * far * far;
            }
        }
        let variance = all.squares / all.weight;
        let value = |s: &Sums| match self.rule.smoothing {
            _ if s.n < self.rule.min_rows || s.n == 0 => None,
            Some(smoothing) => Some((s.sum + smoothing * mean) / (s.weight + smoothing)),
            None => {
                let known = variance * s.weight;
                let own = known / (known + s.squares / s.weight);
                Some(own * (s.sum / s.weight) + (1.0 - own) * mean)
            }
        };
        let values: Vec<Option<f64>> = sums.iter().map(|s| value(s).filter(|v| v.is_finite())).collect();
        Encoding {
            is_own: values.iter().map(Option::is_some).collect(),
            values: values.into_iter().map(|v| v.unwrap_or(mean)).collect(),
            mean,
            weight: all.weight,
        }
    }
}

/// The map of the graph: for each column a number for each key, for other keys and for missing cells.
struct Maps {
    keys: Vec<String>,
    values: Vec<Vec<f64>>,
}

impl Maps {
    /// Keys that share the mean in every column are unseen to the graph.
    fn new(coded: &Coded, columns: &[Encoding]) -> Maps {
        let own = |k: &usize| columns.iter().any(|c| c.is_own[*k]);
        let places: Vec<usize> = (0..coded.keys.len()).filter(own).collect();
        let values = |c: &Encoding| {
            places.iter().map(|&k| c.values[k]).chain([c.mean, c.values[coded.keys.len()]]).collect()
        };
        Maps {
            keys: places.iter().map(|&k| coded.keys[k].clone()).collect(),
            values: columns.iter().map(values).collect(),
        }
    }
}

impl Lower for Maps {
    fn lower(&self, builder: &mut GraphBuilder, columns: &[ValueIdx]) -> Result<ValueIdx, ir::Error> {
        let keys = builder.constant(Tensor::vector(TensorData::Str(self.keys.clone())))?;
        let mut made = Vec::with_capacity(self.values.len());
        for values in &self.values {
            let values = builder.constant(Tensor::vector(TensorData::F64(values.clone())))?;
            made.push(builder.node(Op::LabelEncoder(LabelEncoder), &[columns[0], keys, values])?);
        }
        match made[..] {
            [one] => Ok(one),
            _ => side_by_side(builder, &made),
        }
    }
}

#[cfg(test)]
#[path = "target_encode/tests.rs"]
mod tests;
