use super::*;

/// Cells, the task asked for, the task and the classes expected.
type TaskCase<'a> = (&'a [&'a str], Option<Task>, Task, &'a [&'a str]);

/// Cells, the task and the positive class asked for, the message expected.
type MessageCase<'a> = (&'a [&'a str], Option<Task>, Option<&'a str>, &'a str);

fn resolve(cells: &[&str], task: Option<Task>, positive: Option<&str>) -> Result<Target> {
    let options = TargetOptions { name: "y", task, classes: None, positive, missing: Markers::new(&["-"]) };
    Target::resolve(cells.iter().map(|&cell| Some(cell)), &options)
}

fn numbers(n: usize) -> Vec<String> {
    (0..n).map(|i| i.to_string()).collect()
}

#[test]
fn tasks() {
    use Task::{Binary, Multiclass, Regression};
    let cases: &[TaskCase<'_>] = &[
        (&["b", "a", "b"], None, Binary, &["a", "b"]),
        (&["b", "a", "c"], None, Multiclass, &["a", "b", "c"]),
        (&["0", "1"], None, Binary, &["0", "1"]),
        (&["0.5", "0.25"], None, Binary, &["0.25", "0.5"]),
        (&["10", "9", "-1"], None, Multiclass, &["-1", "9", "10"]),
        (&["1.0", "3.0", "2.0"], None, Multiclass, &["1.0", "2.0", "3.0"]),
        (&["1", "2", "2.5"], None, Regression, &[]),
        (&["10", "9", "x"], None, Multiclass, &["10", "9", "x"]),
        (&["1", "1.0", "01", "2", "+2"], None, Binary, &["1", "2"]),
        (&["2.0", "1", "2", "3"], None, Multiclass, &["1", "2.0", "3"]),
        (&[" yes ", "no", "yes"], None, Binary, &["no", "yes"]),
        (&["Z", "a", "B"], None, Multiclass, &["B", "Z", "a"]),
        (&["0", "1", "2"], Some(Regression), Regression, &[]),
        (&["0", "1"], Some(Regression), Regression, &[]),
        (&["7", "7"], Some(Regression), Regression, &[]),
        (&["0.1", "0.2", "0.3"], Some(Multiclass), Multiclass, &["0.1", "0.2", "0.3"]),
        (&["0", "1"], Some(Binary), Binary, &["0", "1"]),
    ];
    for &(cells, asked, task, classes) in cases {
        let target = resolve(cells, asked, None).unwrap();
        assert_eq!(
            (target.task, target.classes.as_slice()),
            (task, &classes.iter().map(|c| c.to_string()).collect::<Vec<_>>()[..]),
            "{cells:?}"
        );
        assert_eq!(target.positive, (task == Binary).then_some(1), "{cells:?}");
        assert_eq!(target.kept_rows.len(), cells.len());
    }
}

#[test]
fn twenty_whole_numbers_are_classes() {
    for (n, task) in [(20, Task::Multiclass), (21, Task::Regression)] {
        let cells = numbers(n);
        let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
        assert_eq!(resolve(&cells, None, None).unwrap().task, task, "{n}");
    }
}

#[test]
fn a_thousand_classes() {
    let cells: Vec<String> = (0..3_000).map(|i| format!("c{:03}", 999 - i % 1_000)).collect();
    let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
    let target = resolve(&cells, None, None).unwrap();
    assert_eq!((target.task, target.classes.len()), (Task::Multiclass, 1_000));
    assert_eq!((target.classes[0].as_str(), target.classes[999].as_str()), ("c000", "c999"));
    let TargetValues::Labels(labels) = &target.values else { panic!("labels") };
    for (label, cell) in labels.iter().zip(&cells) {
        assert_eq!(target.classes[*label as usize], *cell);
    }
    let cells = numbers(1_000);
    let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
    let target = resolve(&cells, Some(Task::Multiclass), None).unwrap();
    assert_eq!((target.classes.len(), target.classes[10].as_str()), (1_000, "10"));
}

#[test]
fn values_and_missing_rows() {
    let target = resolve(&["b", "", "a", "?", "-", "b"], None, None).unwrap();
    assert_eq!(target.values, TargetValues::Labels(vec![1, 0, 1]));
    assert_eq!((target.kept_rows.as_slice(), target.n_missing), (&[0, 2, 5][..], 3));
    let target = resolve(&["1.5", "NA", " 2 ", "-3e1", "1"], None, None).unwrap();
    assert_eq!(target.values, TargetValues::Numbers(vec![1.5, 2.0, -30.0, 1.0]));
    assert_eq!((target.kept_rows.as_slice(), target.n_missing), (&[0, 2, 3, 4][..], 1));
    let options =
        TargetOptions { name: "y", task: None, classes: None, positive: None, missing: Markers::default() };
    let target = Target::resolve([Some("a"), None, Some("b")].into_iter(), &options).unwrap();
    assert_eq!((target.kept_rows.as_slice(), target.n_missing), (&[0, 2][..], 1));
}

#[test]
fn known_classes_keep_their_order() {
    let known = ["b", "a", "10.0"].map(String::from);
    let of = |cells: &[&str], known: &[String], task| {
        let missing = Markers::default();
        let options = TargetOptions { name: "y", task, classes: Some(known), positive: None, missing };
        Target::resolve(cells.iter().map(|&cell| Some(cell)), &options)
    };
    let target = of(&["a", " b ", "", "a"], &known, None).unwrap();
    assert_eq!((target.task, target.positive), (Task::Multiclass, None));
    assert_eq!((&target.classes[..], &target.values), (&known[..], &TargetValues::Labels(vec![1, 0, 1])));
    let target = of(&["10", "a"], &known, None).unwrap();
    assert_eq!(target.values, TargetValues::Labels(vec![2, 1]));
    assert_eq!(of(&["a", "b"], &known[..2], None).unwrap().positive, Some(1));
    for (cells, known, task, says) in [
        (
            &["a", "c", "d", "b"][..],
            &known[..],
            None,
            "expected one of b, a, 10.0, got \"c\" or another in 2 rows",
        ),
        (&["a", "a"], &known, None, "has one class, \"a\""),
        (&["a", "b"], &known, Some(Task::Binary), "has 3 classes"),
    ] {
        let error = of(cells, known, task).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn positive_may_be_chosen() {
    for (positive, expected) in [("no", 0), ("yes", 1), (" yes ", 1)] {
        assert_eq!(resolve(&["no", "yes"], None, Some(positive)).unwrap().positive, Some(expected));
    }
    assert_eq!(resolve(&["1", "0"], None, Some("1.0")).unwrap().positive, Some(1));
}

#[test]
fn messages() {
    use Task::{Binary, Multiclass, Regression};
    let mut nearly = numbers(399);
    nearly.push(String::from("n/a"));
    let nearly: Vec<&str> = nearly.iter().map(String::as_str).collect();
    let cases: &[MessageCase<'_>] = &[
        (
            &["", "?"],
            None,
            None,
            "target \"y\" has no value in 2 rows; check the column and the --missing markers",
        ),
        (
            &["a", "a", ""],
            None,
            None,
            "target \"y\" has one class, \"a\"; expected at least two, so add rows of another class",
        ),
        (
            &["1", "1.0"],
            None,
            None,
            "target \"y\" has one class, \"1\"; expected at least two, so add rows of another class",
        ),
        (
            &["1", "a", "b", "c", "d"],
            Some(Regression),
            None,
            "target \"y\" (regression): expected numbers, got \"a\" at row 2, \"b\" at row 3, \"c\" at row 4 (4 such); \
             use --task multiclass, or drop these rows with --missing a",
        ),
        (
            &["a b", "c"],
            Some(Regression),
            None,
            "target \"y\" (regression): expected numbers, got \"a b\" at row 1, \"c\" at row 2 (2 such); \
             use --task binary, or drop these rows with --missing 'a b'",
        ),
        (
            &["1", "", "inf"],
            Some(Regression),
            None,
            "target \"y\" (regression): expected finite numbers, got \"inf\" at row 3; drop these rows with --missing inf",
        ),
        (
            &["no", "yes"],
            None,
            Some("Yes"),
            "target \"y\": no class \"Yes\"; did you mean \"yes\"? classes: no, yes",
        ),
        (&["no", "yes"], None, Some("maybe"), "target \"y\": no class \"maybe\"; classes: no, yes"),
        (
            &["a", "b", "c"],
            None,
            Some("a"),
            "target \"y\" (multiclass): --positive a is for binary tasks; leave it out",
        ),
        (
            &["a", "b", "c"],
            Some(Binary),
            None,
            "target \"y\" has 3 classes, binary needs exactly 2; use --task multiclass",
        ),
        (
            &["a", "b"],
            Some(Multiclass),
            None,
            "target \"y\" has 2 classes, multiclass needs at least 3; use --task binary",
        ),
        (
            &nearly,
            None,
            None,
            "target \"y\": expected a number in every cell, as in 399 of 400, got \"n/a\" at row 400 (1 such); \
             drop these rows with --missing n/a, or learn classes with --task multiclass",
        ),
    ];
    for &(cells, task, positive, expected) in cases {
        assert_eq!(resolve(cells, task, positive).unwrap_err().to_string(), expected);
    }
    assert_eq!(resolve(&nearly, Some(Multiclass), None).unwrap().classes.len(), 400);
}

#[test]
fn several_targets_are_of_one_kind() {
    let named = |name: &str, cells: &[&str], task: Option<Task>| NamedTarget {
        name: name.to_owned(),
        target: resolve(cells, task, None).unwrap(),
    };
    let yes = named("yes", &["y", "-", "n", "-"], None);
    let other = named("other", &["-", "-", "1", "0"], None);
    let both = Target::several(vec![yes.clone(), other.clone()]).unwrap();
    assert_eq!((both.task, both.positive), (Task::Multilabel, None));
    assert_eq!((&both.kept_rows[..], both.n_missing), (&[0, 2, 3][..], 1));
    assert_eq!(both.values, TargetValues::Several(vec![yes.clone(), other]));
    // One alone stays as it is.
    assert_eq!(Target::several(vec![yes.clone()]).unwrap(), yes.target);
    let length = named("length", &["1", "2", "3", "4"], Some(Task::Regression));
    let width = named("width", &["0.5", "2", "-", "4"], None);
    let numbers = Target::several(vec![length.clone(), width]).unwrap();
    assert_eq!((numbers.task, numbers.n_missing), (Task::MultiRegression, 0));
    let error = |targets: Vec<NamedTarget>| Target::several(targets).unwrap_err();
    let mixed = error(vec![yes.clone(), length]);
    assert!(mixed.to_string().starts_with("targets \"length\" and \"yes\": "), "{mixed}");
    assert_eq!(mixed.nature(), crate::Nature::Unsupported);
    let three = error(vec![yes, named("kind", &["a", "b", "c", "c"], None)]);
    assert!(three.to_string().contains("target \"kind\"") && three.to_string().contains("got 3 classes"));
}
