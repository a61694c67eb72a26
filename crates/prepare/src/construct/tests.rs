use super::*;
use crate::laws::table::{Cell, Fitted, Fitting, Table};
use crate::laws::wine::check_column;
use ir::digest::SplitMix64;

const NAN: f64 = f64::NAN;

/// Makes every column of every pair that a target allows.
struct Every;

static EVERY: TransformEntry = TransformEntry {
    name: "every",
    doc: "every column of every pair",
    takes: &[FeatureKind::Number, FeatureKind::Category],
    sees_target: true,
    cleans: false,
    spec: &[],
    transform: &Every,
};

impl Transform for Every {
    fn fit(&self, input: &StepInput<'_>, _: &Params) -> Result<FittedStep, Error> {
        let target = input.target(ENTRY.name)?;
        let mut step = FittedStep::default();
        for second in 0..input.columns.len() {
            for first in 0..second {
                let pair = [first, second];
                for kind in CONSTRUCTIONS.iter().filter(|kind| kind.serves(target)) {
                    for order in kind.parents().orders(pair.map(|at| input.columns[at].kind)) {
                        step.groups.extend(kind.group(input, order.map(|side| pair[side])));
                    }
                }
            }
        }
        Ok(step)
    }
}

fn number(name: &'static str, values: Vec<f64>) -> (&'static str, FeatureKind, Cell) {
    (name, FeatureKind::Number, Cell::Real(values))
}

fn category(name: &'static str, keys: &[&str]) -> (&'static str, FeatureKind, Cell) {
    (name, FeatureKind::Category, Cell::texts(keys))
}

fn fit(table: &Table, entry: &TransformEntry, settings: &[(&str, &str)], target: StepTarget<'_>) -> Fitted {
    let fitting = Fitting { target: Some(target), ..Fitting::default() };
    table.fit_with(entry, settings, &fitting).unwrap()
}

#[test]
fn arithmetic_hand_computed() {
    let table = Table::new(&[
        number("a", vec![6.0, 1.0, NAN, 4.0, 0.0, 9.0, f64::INFINITY]),
        number("b", vec![2.0, 0.0, 3.0, -8.0, 0.0, 1e308, 1.0]),
    ]);
    let fitted = fit(&table, &EVERY, &[], StepTarget::Values(&[0.0; 7]));
    let expected: [(&str, [f64; 7]); 5] = [
        ("\"a\" + \"b\"", [8.0, 1.0, NAN, -4.0, 0.0, 1e308, NAN]),
        ("\"a\" - \"b\"", [4.0, 1.0, NAN, 12.0, 0.0, -1e308, NAN]),
        ("\"a\" * \"b\"", [12.0, 0.0, NAN, -32.0, 0.0, NAN, NAN]),
        ("\"a\" / \"b\"", [3.0, NAN, NAN, -0.5, NAN, 9.0 / 1e308, NAN]),
        ("\"b\" / \"a\"", [2.0 / 6.0, 0.0, NAN, -2.0, NAN, 1e308 / 9.0, 0.0]),
    ];
    assert_eq!(fitted.names, expected.map(|(name, _)| name));
    for ((_, expected), made) in expected.iter().zip(fitted.run(&table)) {
        check_column(&made, expected, 0.0);
    }
    assert!(fitted.training.iter().all(Option::is_none));
}

/// The group x has the numbers 6 and 0, y 1 and 9; all have the mean 4.
#[test]
fn group_means_hand_computed() {
    let of = |a: &[f64], g: &[&str]| Table::new(&[number("a", a.to_vec()), category("g", g)]);
    let table = of(&[6.0, 1.0, NAN, 4.0, 0.0, 9.0], &["x", "y", "x", "", "x", "y"]);
    let fitted = fit(&table, &EVERY, &[], StepTarget::Values(&[0.0; 6]));
    assert_eq!(fitted.names, ["mean of \"a\" by \"g\"", "\"a\" less its mean by \"g\""]);
    let made = fitted.run(&table);
    check_column(&made[0], &[3.0, 5.0, 3.0, 4.0, 3.0, 5.0], 0.0);
    check_column(&made[1], &[3.0, -4.0, NAN, 0.0, -3.0, 4.0], 0.0);
    let made = fitted.run(&of(&[7.0, f64::INFINITY, 7.0], &["new", "x", ""]));
    check_column(&made[0], &[4.0, 3.0, 4.0], 0.0);
    check_column(&made[1], &[3.0, NAN, 3.0], 0.0);
}

#[test]
fn crosses_hand_computed() {
    let of = |g: &[&str], h: &[&str]| Table::new(&[category("g", g), category("h", h)]);
    let table = of(&["x", "y", "x", "", "x", "y"], &["u", "u", "v", "v", "u", ""]);
    let values = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    let fitted = fit(&table, &EVERY, &[], StepTarget::Values(&values));
    assert_eq!(fitted.names, ["target mean by \"g\" and \"h\""]);
    // (sum + 10 * 3.5) / (n + 10); pairs and keys that were not seen have the mean, 3.5.
    let other = of(&["x", "y", "x", "", "y", "y", "new", ""], &["u", "u", "v", "v", "", "v", "u", ""]);
    let expected = [41.0 / 12.0, 37.0 / 11.0, 38.0 / 11.0, 39.0 / 11.0, 41.0 / 11.0, 3.5, 3.5, 3.5];
    // 1e-15 of the value, because a sum and a division are rounded.
    check_column(&fitted.run(&other)[0], &expected, 1e-15);
    let fitted = fit(&table, &EVERY, &[], StepTarget::Classes(&[0, 1, 1, 0, 1, 1], 2));
    assert_eq!(fitted.names, ["target rate by \"g\" and \"h\""]);
    let made = fitted.run(&of(&["x"], &["u"]));
    check_column(&made[0], &[(1.0 + 10.0 * 4.0 / 6.0) / 12.0], 1e-15);
    // Of three classes there is none, and none of a target too large for the nodes.
    assert!(fit(&table, &EVERY, &[], StepTarget::Classes(&[0, 1, 2, 0, 1, 2], 3)).names.is_empty());
    let huge = [f64::MAX, -f64::MAX, 0.0, f64::MAX, f64::MAX, 1.0];
    assert!(fit(&table, &EVERY, &[], StepTarget::Values(&huge)).names.is_empty());
}

/// Of 67 keys the three that are there once are others, as unseen ones are.
#[test]
fn rare_keys_of_a_cross_are_one() {
    let names: Vec<String> = (0..67).map(|i| format!("k{i:02}")).collect();
    let mut keys: Vec<&str> = names.iter().map(String::as_str).collect();
    keys.extend_from_within(..64);
    let values: Vec<f64> = (0..131).map(|row| if (64..67).contains(&row) { 10.0 } else { 0.0 }).collect();
    let of = |g: &[&str]| Table::new(&[category("g", g), category("h", &vec!["one"; g.len()])]);
    let fitted = fit(&of(&keys), &EVERY, &[], StepTarget::Values(&values));
    let mean = 30.0 / 131.0;
    let expected = [10.0 * mean / 12.0, (30.0 + 10.0 * mean) / 13.0, (30.0 + 10.0 * mean) / 13.0];
    check_column(&fitted.run(&of(&["k00", "k65", "new"]))[0], &expected, 1e-15);
}

#[test]
fn no_row_of_a_cross_sees_its_own_target() {
    let g = ["x", "y", "x", "y", "x", "y", "x", "x", "y", "x"];
    let h = ["u", "u", "v", "v", "u", "u", "u", "u", "v", "v"];
    let table = Table::new(&[category("g", &g), category("h", &h)]);
    let values = [1.5, 2.0, 0.5, 4.0, 3.0, 2.5, 1.0, 6.0, 1.0, 2.0];
    let training =
        |values: &[f64]| fit(&table, &EVERY, &[], StepTarget::Values(values)).training[0].clone().unwrap();
    let before = training(&values);
    for row in 0..10 {
        let mut other = values;
        other[row] = 1e6;
        let after = training(&other);
        assert_eq!(before[row].to_bits(), after[row].to_bits(), "row {row}");
        assert!(before != after, "row {row}");
    }
}

/// Numbers in -1..1.
fn noise(random: &mut SplitMix64, n: usize) -> Vec<f64> {
    (0..n).map(|_| 2.0 * random.unit() - 1.0).collect()
}

/// `a` and `b` among six columns of noise, and `a / b`.
fn ratio() -> (Table, Vec<f64>) {
    let n = 2000;
    let mut random = SplitMix64::new(5);
    let mut columns: Vec<_> =
        ["n1", "n2", "n3", "n4", "n5", "n6"].map(|name| number(name, noise(&mut random, n))).to_vec();
    let a = noise(&mut random, n);
    let b: Vec<f64> = (0..n).map(|_| 0.1 + 2.9 * random.unit()).collect();
    let y = a.iter().zip(&b).map(|(a, b)| a / b).collect();
    columns.insert(3, number("a", a));
    columns.push(number("b", b));
    (Table::new(&columns), y)
}

#[test]
fn a_ratio_among_noise_comes_first() {
    let (table, y) = ratio();
    let fitted = fit(&table, &ENTRY, &[], StepTarget::Values(&y));
    assert_eq!(fitted.names.first().map(String::as_str), Some("\"a\" / \"b\""));
    assert_eq!(fitted.kept, ["n1", "n2", "n3", "a", "n4", "n5", "n6", "b"]);
    check_column(&fitted.run(&table)[0], &y, 0.0);
    // A target of other units has the same columns.
    let larger: Vec<f64> = y.iter().map(|y| 1e9 + 1e6 * y).collect();
    assert_eq!(fit(&table, &ENTRY, &[], StepTarget::Values(&larger)).names[0], fitted.names[0]);
}

#[test]
fn settings_are_respected() {
    let (table, y) = ratio();
    let names = |settings: &[(&str, &str)]| fit(&table, &ENTRY, settings, StepTarget::Values(&y)).names;
    assert_eq!(names(&[("most", "1")]).len(), 1);
    assert!(names(&[("kinds", "sums, differences;group_means")]).iter().all(|n| !n.contains('/')));
    assert_eq!(names(&[("kinds", "ratios")])[0], "\"a\" / \"b\"");
    assert!(names(&[("price", "1")]).is_empty());
    let unknown = |text: &str| {
        let fitting = Fitting { target: Some(StepTarget::Values(&y)), ..Fitting::default() };
        table.fit_with(&ENTRY, &[("kinds", text)], &fitting).err().map(|e| e.to_string())
    };
    let expected = "construct: kinds holds the unknown word \"sum\"; did you mean \"sums\"?; known: sums, differences, products, ratios, group_means, group_differences, crosses";
    assert_eq!(unknown("ratios,sum").as_deref(), Some(expected));
    // The default is what there is.
    let listed: Vec<&str> = CONSTRUCTIONS.iter().map(|kind| kind.name()).collect();
    assert_eq!(
        SPEC[0].default,
        Value::Word("sums,differences,products,ratios,group_means,group_differences,crosses")
    );
    assert_eq!(SPEC[0].default.to_string(), listed.join(","));
}

/// Twelve groups around numbers of their own; class 1 is near to that of the group.
#[test]
fn a_difference_from_a_group_is_found() {
    let n = 2000;
    let mut random = SplitMix64::new(9);
    let mut columns: Vec<_> = ["n1", "n2", "n3"].map(|name| number(name, noise(&mut random, n))).to_vec();
    let groups: Vec<u32> = (0..n).map(|_| random.below(12)).collect();
    let away = noise(&mut random, n);
    let a = groups.iter().zip(&away).map(|(&group, away)| 0.8 * f64::from(group) + away).collect();
    let keys: Vec<String> = groups.iter().map(|group| format!("g{group}")).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    columns.push(category("g", &keys));
    columns.push(number("a", a));
    let classes: Vec<u32> = away.iter().map(|away| u32::from(away.abs() < 0.5)).collect();
    let fitted = fit(&Table::new(&columns), &ENTRY, &[], StepTarget::Classes(&classes, 2));
    assert_eq!(fitted.names.first().map(String::as_str), Some("\"a\" less its mean by \"g\""));
}

/// Two categories of twelve keys; the class is whether both are even or both are odd.
#[test]
fn a_cross_is_found() {
    let n = 4000;
    let mut random = SplitMix64::new(3);
    let mut keys = || (0..n).map(|_| random.below(12)).collect::<Vec<u32>>();
    let (g, h) = (keys(), keys());
    let named = |of: &[u32]| Cell::Text(of.iter().map(|key| Some(format!("k{key}"))).collect());
    let table = Table::new(&[
        ("g", FeatureKind::Category, named(&g)),
        number("n1", noise(&mut random, n)),
        ("h", FeatureKind::Category, named(&h)),
        number("n2", noise(&mut random, n)),
    ]);
    let classes: Vec<u32> = g.iter().zip(&h).map(|(g, h)| (g + h) % 2).collect();
    let fitted = fit(&table, &ENTRY, &[], StepTarget::Classes(&classes, 2));
    assert_eq!(fitted.names.first().map(String::as_str), Some("target rate by \"g\" and \"h\""));
    let values = fitted.training[0].clone().unwrap();
    let is_right = |(value, class): &(f64, &u32)| (*value > 0.5) == (**class == 1);
    let n_right = values.into_iter().zip(&classes).filter(is_right).count();
    assert!(n_right > n * 99 / 100, "{n_right} of {n}");
    // Of three classes there is no cross.
    let three: Vec<u32> = g.iter().zip(&h).map(|(g, h)| (g + h) % 3).collect();
    let names = fit(&table, &ENTRY, &[], StepTarget::Classes(&three, 3)).names;
    assert!(names.iter().all(|name| !name.starts_with("target")), "{names:?}");
}

#[test]
fn noise_makes_nothing() {
    for seed in 0..6 {
        let mut random = SplitMix64::new(seed);
        let n = [60, 400, 1500][seed as usize % 3];
        let mut columns: Vec<_> =
            ["n1", "n2", "n3", "n4"].map(|name| number(name, noise(&mut random, n))).to_vec();
        columns.push(number("wide", (0..n).map(|_| 1.0 / (random.unit() + 1e-3)).collect()));
        for name in ["g", "h"] {
            let keys: Vec<String> = (0..n).map(|_| format!("k{}", random.below(9))).collect();
            columns.push(category(name, &keys.iter().map(String::as_str).collect::<Vec<_>>()));
        }
        let table = Table::new(&columns);
        let values: Vec<f64> = (0..n).map(|_| random.normal()).collect();
        let classes: Vec<u32> = (0..n).map(|_| u32::from(random.below(5) == 0)).collect();
        let five: Vec<u32> = (0..n).map(|_| random.below(5)).collect();
        for target in
            [StepTarget::Values(&values), StepTarget::Classes(&classes, 2), StepTarget::Classes(&five, 5)]
        {
            let fitted = fit(&table, &ENTRY, &[], target);
            assert!(fitted.names.is_empty(), "seed {seed}, {n} rows: {:?}", fitted.names);
            assert_eq!(fitted.kept.len(), 7);
        }
        // What the columns say one by one is no reason to make others.
        let Cell::Real(x) = &table.columns[0].2 else { panic!("a number") };
        let additive: Vec<f64> = x.iter().zip(&values).map(|(x, v)| 3.0 * x * x + v).collect();
        let names = fit(&table, &ENTRY, &[], StepTarget::Values(&additive)).names;
        assert!(names.is_empty(), "seed {seed}, {n} rows: {names:?}");
    }
}

#[test]
fn rows_of_no_weight_say_nothing() {
    let (table, y) = ratio();
    let mut weights = vec![1.0f32; y.len()];
    weights[..500].fill(0.0);
    let mut other = y.clone();
    other[..500].fill(NAN);
    let names = |y: &[f64]| {
        let fitting = Fitting {
            target: Some(StepTarget::Values(y)),
            row_weights: Some(&weights),
            ..Fitting::default()
        };
        table.fit_with(&ENTRY, &[("kinds", "ratios")], &fitting).unwrap().names
    };
    assert_eq!(names(&y), names(&other));
    assert_eq!(names(&y)[0], "\"a\" / \"b\"");
    weights.fill(0.0);
    let fitting =
        Fitting { target: Some(StepTarget::Values(&y)), row_weights: Some(&weights), ..Fitting::default() };
    assert!(table.fit_with(&ENTRY, &[], &fitting).unwrap().names.is_empty());
}
