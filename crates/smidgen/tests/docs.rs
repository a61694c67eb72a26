//! The page of parameters is made from the tables; `UPDATE_GOLDEN=1` writes it anew.
#![allow(clippy::unwrap_used, reason = "tests may unwrap")]

use quantize::{CORRECTIONS, GRIDS, OBSERVERS, ROUNDINGS};
use smidgen::{
    AUGMENTATIONS, CALIBRATORS, COMMON, ENSEMBLES, LEARNERS, ParamSpec, TRANSFORMS, past_rows, related_rows,
};
use std::fmt::Write;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/parameters.md");

fn table(page: &mut String, spec: &[ParamSpec]) {
    if spec.is_empty() {
        return;
    }
    page.push_str("\n| parameter | default | range | what it does |\n|---|---|---|---|\n");
    for p in spec {
        let also =
            if p.aliases.is_empty() { String::new() } else { format!(" (also {})", p.aliases.join(", ")) };
        writeln!(
            page,
            "| `{}`{also} | {} | {} | {} |",
            p.name,
            p.default,
            p.range,
            p.doc.replace('|', "\\|")
        )
        .unwrap();
    }
}

type Members = Vec<(&'static str, &'static str, &'static [ParamSpec])>;

/// The families of quantization, with the flag that names their members.
fn quantization() -> [(&'static str, Members); 4] {
    [
        (
            "Observers: `--observer`, `--weight-observer`",
            OBSERVERS.iter().map(|m| (m.name, m.doc, m.spec)).collect(),
        ),
        ("Grids: `--grid`", GRIDS.iter().map(|m| (m.name, m.doc, m.spec)).collect()),
        ("Roundings: `--rounding`", ROUNDINGS.iter().map(|m| (m.name, m.doc, m.spec)).collect()),
        ("Corrections: `--corrections`", CORRECTIONS.iter().map(|m| (m.name, m.doc, m.spec)).collect()),
    ]
}

#[test]
fn the_page_of_parameters_is_that_of_the_tables() {
    let mut page = String::from(
        "# Parameters\n\nMade from the tables by a test; do not edit.\nA parameter is set with `--set NAME.PARAMETER=VALUE`.\n\n## Learners\n",
    );
    for l in LEARNERS {
        let tasks = l.tasks.iter().map(|t| t.name()).collect::<Vec<_>>().join(", ");
        write!(page, "\n### {}\n\n{} ({tasks}).\n", l.name, l.doc).unwrap();
        table(&mut page, &l.spec().copied().collect::<Vec<_>>());
    }
    page.push_str("\n### All learners of classes\n");
    table(&mut page, LEARNERS[0].shared());
    page.push_str(
        "\n## Transforms\n\n`--transforms NAME,..`, each on all columns that it takes, or `NAME(COL;COL)`; parameters may stand with the name, `NAME:PARAMETER=VALUE`.\nEach has the parameter:\n",
    );
    table(&mut page, COMMON);
    for t in TRANSFORMS {
        let target = if t.sees_target { "; fitted to the target, inside each fold" } else { "" };
        write!(page, "\n### {}\n\n{} (takes {}{target}).\n", t.name, t.doc, t.takes_shown()).unwrap();
        table(&mut page, t.spec);
    }
    page.push_str(
        "\n## Augmentations: `--augment`\n\nRows that are added to the training rows of each fold.\n",
    );
    for a in AUGMENTATIONS {
        let tasks = a.tasks.iter().map(|t| t.name()).collect::<Vec<_>>().join(", ");
        write!(page, "\n### {}\n\n{} ({tasks}).\n", a.name, a.doc).unwrap();
        table(&mut page, a.spec);
    }
    page.push_str("\n## Calibrators: `--calibrator`\n");
    for c in CALIBRATORS {
        let tasks = c.tasks.iter().map(|t| t.name()).collect::<Vec<_>>().join(", ");
        write!(page, "\n### {}\n\n{} ({tasks}).\n", c.name, c.doc).unwrap();
        table(&mut page, c.spec);
    }
    page.push_str(
        "\n## Ensembles: `fit --ensemble`, `compose --method`\n\nHow several models become one; `--weights` gives a weight for each.\n",
    );
    for e in ENSEMBLES {
        let tasks = e.tasks.iter().map(|t| t.name()).collect::<Vec<_>>().join(", ");
        let weights = if e.takes_weights { "; takes `--weights`" } else { "" };
        write!(page, "\n### {}\n\n{} ({tasks}{weights}).\n", e.name, e.doc).unwrap();
        table(&mut page, e.spec);
    }
    page.push_str(
        "\n## Networks: `quantize`\n\nA member is named with its settings, `NAME:PARAMETER=VALUE`.\n",
    );
    for (family, members) in quantization() {
        write!(page, "\n### {family}\n").unwrap();
        for (name, doc, spec) in members {
            write!(page, "\n- `{name}`: {doc}\n").unwrap();
            table(&mut page, spec);
        }
    }
    write!(page, "\n## Earlier rows: `--order`, `--group`\n\nSet as `{}.PARAMETER`.\n", past_rows::NAME)
        .unwrap();
    table(&mut page, past_rows::SPEC);
    let name = related_rows::NAME;
    write!(page, "\n## A second table: `--join`, `--on`, `--before`, `--by`\n\nSet as `{name}.PARAMETER`.\n")
        .unwrap();
    table(&mut page, related_rows::SPEC);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(PAGE, &page).unwrap();
    }
    let written = std::fs::read_to_string(PAGE).unwrap_or_default();
    assert!(
        written == page,
        "docs/parameters.md is not that of the tables; run this test with UPDATE_GOLDEN=1"
    );
}
