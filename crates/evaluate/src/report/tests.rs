use super::*;
use crate::explain::{GridPoint, Side};
use metrics::{Classified, ClassifiedParts, Probabilities, Regressed};

fn headline(metric: &str) -> Headline {
    Headline {
        question: "binary classification of “y”".to_owned(),
        metric: metric.to_owned(),
        greater_is_better: true,
        score: Some(0.9),
        interval: Some([0.88, 0.92]),
        score_on: (20, "test rows".to_owned()),
        bytes: 4321,
        ns_per_row: Some(1234.0),
        ns_single: None,
        n_rows: Some(100),
        n_columns: (2, Some(3)),
        exact: "integers only".to_owned(),
    }
}

fn report<'a>(observed: Option<Observed<'a>>, classes: &'a [String]) -> Report<'a> {
    Report {
        title: "model <b>.smidgen".to_owned(),
        headline: headline("roc_auc"),
        scores: Vec::new(),
        diagnosis: None,
        stability: None,
        models: Vec::new(),
        comparisons: Vec::new(),
        floats: Floats::default(),
        notices: Vec::new(),
        columns: Vec::new(),
        observed,
        observed_on: "out-of-fold rows",
        classes,
        learning: Vec::new(),
        worth_metric: "brier",
        importance: Vec::new(),
        shapes: Vec::new(),
        tables: Vec::new(),
        worst: WorstRows::default(),
        stages: Vec::new(),
        recipe: Vec::new(),
        command: "smidgen fit 'a b.csv' --target y".to_owned(),
        command_makes: "the same bytes",
    }
}

fn classified<'a>(labels: &'a [u32], probabilities: &'a [f64], n_classes: usize) -> Observed<'a> {
    Observed::Classified(
        Classified::try_new(ClassifiedParts {
            labels,
            predicted: labels,
            probabilities: Probabilities::F64(probabilities),
            n_classes,
            positive: None,
            row_weights: None,
        })
        .unwrap(),
    )
}

/// Every tag is closed, nothing is fetched, nothing runs, no colour of a stand-in is left.
fn check(page: &str) {
    let mut open: Vec<&str> = Vec::new();
    let void = ["meta", "link", "circle", "line", "polyline", "rect", "polygon", "path"];
    for tag in page.split('<').skip(1) {
        let name = tag.split(|c: char| c.is_whitespace() || c == '>' || c == '/').next().unwrap();
        if let Some(closed) = tag.strip_prefix('/') {
            let closed = closed.split('>').next().unwrap();
            assert_eq!(open.pop(), Some(closed), "closed in order");
        } else if !tag.starts_with('!')
            && !void.contains(&name)
            && !tag.split('>').next().unwrap().ends_with('/')
        {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{open:?}");
    for refused in ["<script", "http:", "https:", "@import", "url(", "#01020"] {
        let found = page.replace("http://www.w3.org/2000/svg", "").contains(refused);
        assert!(!found, "{refused}");
    }
}

#[test]
fn names_are_escaped_and_the_page_stands_alone() {
    let classes = ["a<b".to_owned(), "c&d".to_owned()];
    let labels = [0, 1, 1, 0, 1];
    let p = [0.9, 0.1, 0.2, 0.8, 0.4, 0.6, 0.7, 0.3, 0.5, 0.5];
    let mut report = report(Some(classified(&labels, &p, 2)), &classes);
    report.learning = [100, 200, 400]
        .map(|n_rows| LearningPoint { n_rows, training: Some(0.95), held_back: Some(0.9) })
        .to_vec();
    report.importance =
        vec![Importance { column: "<i>".to_owned(), permutation: 0.1, deviation: 0.01, shap: 0.4 }];
    report.models = [("<small>", 1000), ("large", 1_000_000)]
        .map(|(name, bytes)| ModelLine {
            name: name.to_owned(),
            score: Some(0.9),
            interval: None,
            bytes,
            ns_per_row: Some(bytes as f64),
            ns_single: None,
        })
        .to_vec();
    report.comparisons = vec!["<small> is worse".to_owned()];
    report.floats.lines = vec![FloatLine { name: "<f>".to_owned(), float: 0.9, integer: 0.8 }];
    let point = |text: Option<&str>, number| GridPoint { text: text.map(str::to_owned), number };
    let shape = |column: &str, grid: Vec<GridPoint>| Dependence {
        column: column.to_owned(),
        width: 2,
        mean: vec![0.5; 2 * grid.len()],
        lines: vec![0.25; 4 * grid.len()],
        rows: vec![0, 1],
        grid,
    };
    report.shapes = vec![
        shape("<n>", vec![point(Some("1"), Some(1.0)), point(Some("2"), Some(2.0)), point(None, None)]),
        shape("<c>", vec![point(Some("<v>"), None), point(None, None)]),
    ];
    let side = |name: &str, edges: Option<Vec<f64>>| Side {
        name: name.to_owned(),
        edges,
        places: vec!["<p>".to_owned(), "missing".to_owned()],
        counts: vec![3, 1],
    };
    let table = |sides: Vec<Side>| ScoreTable {
        values: (0..1 << sides.len()).map(|v| f64::from(v) - 1.0).collect(),
        sides,
        width: 1,
        deviation: 0.5,
    };
    report.tables = vec![
        table(vec![side("<a>", Some(vec![1.0]))]),
        table(vec![side("b", None)]),
        table(vec![side("a", None), side("b", None)]),
    ];
    report.notices =
        vec![Notice { is_warning: true, column: Some("x".to_owned()), text: "<script>".to_owned() }];
    report.stages = vec![("reading".to_owned(), 0.5)];
    let page = html(&report).unwrap();
    check(&page);
    assert!(
        page.contains("model &lt;b&gt;.smidgen")
            && page.contains("c&amp;d")
            && page.contains("&lt;script&gt;")
    );
    let sections = [
        "notices",
        "models",
        "floats",
        "classes",
        "curves",
        "learning",
        "importance",
        "shapes",
        "tables",
        "stages",
        "again",
    ];
    // Two of models, four of curves, the learning curve, one shape, one table.
    assert_eq!(page.matches("<svg").count(), 9);
    for section in sections {
        assert!(page.contains(&format!("<section id=\"{section}\">")), "{section}");
    }
}

#[test]
fn what_is_missing_is_left_out() {
    let page = html(&report(None, &[])).unwrap();
    check(&page);
    assert_eq!(page.matches("<section").count(), 1, "how to make it again");
}

#[test]
fn hard_rows_give_a_page() {
    // One class, constant predictions, two rows, a huge range, 500 classes.
    let classes: Vec<String> = (0..500).map(|k| format!("class {k}")).collect();
    let labels: Vec<u32> = (0..3000).map(|r| r % 500).collect();
    let p = vec![1.0 / 500.0; 3000 * 500];
    let page = html(&report(Some(classified(&labels, &p, 500)), &classes)).unwrap();
    check(&page);
    assert!(page.len() < 1_000_000, "{}", page.len());
    let one = ["only".to_owned(), "never".to_owned()];
    check(&html(&report(Some(classified(&[0, 0], &[1.0, 0.0, 1.0, 0.0], 2)), &one)).unwrap());
    for values in [[1.0, 1.0], [-1e300, 1e300], [0.0, 1e-300]] {
        let rows = Observed::Regressed(Regressed::try_new(&values, &[1.0, 1.0], None).unwrap());
        check(&html(&report(Some(rows), &[])).unwrap());
    }
}

fn layer(name: String, noise: f64) -> LayerFigures {
    let range = |name, high| RangeLine { name, range: [0.0, high], error: 1e-6 * high };
    LayerFigures {
        name,
        op: "Conv",
        bits: (8, 8),
        n_weights: 1200,
        signal_to_noise: [30.0, f64::INFINITY],
        alone: Distance { labels: Some((0.99, 1e-4)), noise },
        causes: vec!["<wide>".to_owned()],
        remedy: Some(("--observer <mse>".to_owned(), Distance { labels: None, noise: noise * 0.1 })),
        range: [0.0, 4.0],
        beyond: 0.01,
        zeros: 0.5,
        histogram: Histogram { low: 0.0, high: 8.0, counts: (0..64).map(|i| 4000 >> (i / 8)).collect() },
        observers: vec![range("min_max", 8.0), range("mse", 4.0), range("mean_std", 9.0)],
    }
}

fn quantization<'a>(classes: &'a [String], confusion: Option<[&'a [Vec<u64>]; 2]>) -> Quantization<'a> {
    Quantization {
        title: "small<er>.smidgen".to_owned(),
        source: "net.onnx".to_owned(),
        bytes: [400_000, 110_000],
        n_rows: 1000,
        distance: Distance { labels: confusion.map(|_| (0.998, 2e-4)), noise: 1e-3 },
        accuracy: confusion.map(|_| [0.9, 0.89]),
        interval: confusion.map(|_| [0.87, 0.91]),
        ns_per_row: None,
        demand: confusion.map(|_| Demand {
            bound: "0.5% of the float network's error".to_owned(),
            holds: false,
            drop: 0.01,
            interval: [0.0, 0.02],
            wide: vec!["<conv>".to_owned()],
            widest: Vec::new(),
            floats: Vec::new(),
            n_checks: 3,
            passes: 2.4,
        }),
        lines: vec![BesideLine {
            name: "peak memory".to_owned(),
            meaning: "",
            unit: Unit::Bytes,
            float: Some(4000.0),
            integer: Some(1000.0),
        }],
        sentences: Vec::new(),
        classes,
        confusion,
        observer: "mse".to_owned(),
        layers: Vec::new(),
        floats: &[],
        recipe: Vec::new(),
        command: "smidgen quantize net.onnx".to_owned(),
    }
}

#[test]
fn a_quantization_shows_what_each_layer_lost() {
    let classes = ["a<b".to_owned(), "c".to_owned()];
    let [float, integer] = [vec![vec![40, 10], vec![8, 42]], vec![vec![38, 12], vec![8, 42]]];
    let mut report = quantization(&classes, Some([&float, &integer]));
    report.layers = vec![layer("first".to_owned(), 1e-5), layer("second <b>".to_owned(), 1e-3)];
    let page = quantization_html(&report).unwrap();
    check(&page);
    // Two of signal to noise, one histogram a layer.
    assert_eq!(page.matches("<svg").count(), 4);
    for section in ["beside", "demand", "classes", "signal", "layers", "inputs", "again"] {
        assert!(page.contains(&format!("<section id=\"{section}\">")), "{section}");
    }
    for told in ["-75.0 %", "not met", "28 %", "a&lt;b", "second &lt;b&gt;", "&lt;wide&gt;", "-2", "exact"] {
        assert!(page.contains(told), "{told}");
    }
    let (worst, other) = (page.find("<b>2. second").unwrap(), page.find("<b>1. first").unwrap());
    assert!(worst < other, "the worst layer comes first");
}

#[test]
fn a_quantization_of_many_layers_and_classes_stays_a_page() {
    let page = quantization_html(&quantization(&[], None)).unwrap();
    check(&page);
    assert_eq!(page.matches("<section").count(), 2, "figures, and how to make it again");
    let classes: Vec<String> = (0..500).map(|k| format!("class {k}")).collect();
    let float = vec![vec![2; 500]; 500];
    let integer = vec![vec![3; 500]; 500];
    let mut report = quantization(&classes, Some([&float, &integer]));
    report.layers = (0..500).map(|i| layer(format!("block {i}"), f64::from(i) * 1e-6)).collect();
    let page = quantization_html(&report).unwrap();
    check(&page);
    assert!(page.len() < 1_000_000, "{}", page.len());
}
