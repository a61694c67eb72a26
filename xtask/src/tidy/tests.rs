//! Every rule on a small made-up tree that keeps it and on changes of that tree that break it.

use std::fs;

use super::run;

/// A tree that keeps every rule.
const GOOD: &[(&str, &str)] = &[
    (
        "Cargo.toml",
        "[workspace]\nmembers = [\"crates/*\"]\n[workspace.dependencies]\nlow = { path = \"crates/low\" }\nhigh = { package = \"x-high\", path = \"crates/high\" }\nrope = \"1\"\n",
    ),
    (
        "tidy.toml",
        "skip = [\"target\"]\ntest_files = [\"**/tests.rs\"]\ngenerated_files = [\"**/made.rs\"]\nrefused_names = [\"utils\", \"mod\"]\n\
         [file_size]\nsoft = 3\nhard = 5\n\
         [[crate]]\nname = \"low\"\nmay_use = []\n\
         [[crate]]\nname = \"high\"\nmay_use = [\"low\"]\n\
         [[family]]\nname = \"fruit\"\ndir = \"crates/low/src/fruit\"\ntable_file = \"crates/low/src/fruit.rs\"\npattern = \"{name}::ENTRY\"\nexcept = [\"laws\"]\n\
         [[refused_word]]\nparts = [\"LA\", \"TER\"]\nplace = \"text\"\nwhole = true\ninstead = \"do it now\"\n\
         [[refused_word]]\nparts = [\"/mach\", \"ine/\"]\nplace = \"text\"\nwhole = true\ntests_may = true\ninstead = \"use a relative path\"\n\
         [[refused_word]]\nparts = [\"late\", \"r!(\"]\nplace = \"code\"\ninstead = \"write it\"\n",
    ),
    ("ARCHITECTURE.md", "Outside crates: `rope` ties things.\n"),
    ("crates/low/Cargo.toml", LOW),
    ("crates/high/Cargo.toml", HIGH),
    ("crates/low/src/lib.rs", "//! Low.\n\nmod fruit;\n"),
    ("crates/low/src/fruit.rs", "//! Fruit.\nmod apple;\nstatic ALL: &[u8] = &[apple::ENTRY];\n"),
    ("crates/low/src/fruit/apple.rs", "//! Apple.\nconst ENTRY: u8 = 1;\n"),
    ("crates/low/src/fruit/laws.rs", "//! Laws.\n"),
    ("crates/high/src/lib.rs", "//! High.\n"),
    ("target/junk.md", "LATER\n"),
];

const LOW: &str = "[package]\nname = \"x-low\"\nlicense.workspace = true\n[lints]\nworkspace = true\n[dependencies]\nrope.workspace = true\n[dev-dependencies]\nhigh.workspace = true\n";
const HIGH: &str = "[package]\nname = \"x-high\"\nlicense.workspace = true\n[lints]\nworkspace = true\n[dependencies]\nlow.workspace = true\n";

/// What tidy prints, its closing line apart, on the good tree with `changes` (path, text) laid over it.
fn findings(changes: &[(&str, &str)]) -> Vec<String> {
    let root = tempfile::tempdir().unwrap();
    for (path, text) in GOOD.iter().chain(changes) {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let mut out = Vec::new();
    let clean = run(&root.path().join("crates"), &mut out).unwrap();
    let out = String::from_utf8(out).unwrap();
    let mut lines: Vec<String> = out.lines().map(str::to_owned).collect();
    let closing = lines.pop().unwrap();
    assert_eq!(clean, closing.contains(": 0 failures"), "{closing}");
    lines
}

fn good(path: &str) -> &'static str {
    GOOD.iter().find(|(name, _)| *name == path).unwrap().1
}

/// The tree with one changed file gives exactly `expected`.
fn breaks(path: &str, text: &str, expected: &[&str]) {
    assert_eq!(findings(&[(path, text)]), expected, "{path}:\n{text}");
}

/// The tree with one changed file is clean.
fn keeps(path: &str, text: &str) {
    breaks(path, text, &[]);
}

#[test]
fn the_good_tree_is_clean() {
    assert_eq!(findings(&[]), [""; 0]);
}

#[test]
fn crate_edges() {
    let refused =
        "low may not use high, only no other crate; move the code, or change the design and tidy.toml";
    breaks(
        "crates/low/Cargo.toml",
        &LOW.replace("[dev-dependencies]\n", ""),
        &[&format!("crates/low/Cargo.toml:8: crate-edges: {refused}")],
    );
    breaks(
        "crates/low/Cargo.toml",
        &LOW.replace(
            "[dev-dependencies]\nhigh.workspace = true",
            "[target.'cfg(unix)'.dependencies.high]\npath = \"../high\"",
        ),
        &[&format!("crates/low/Cargo.toml:8: crate-edges: {refused}")],
    );
    breaks(
        "crates/new/Cargo.toml",
        &LOW.replace("x-low", "x-new"),
        &[
            "crates/new/Cargo.toml:1: crate-edges: crate \"new\" is not listed; add a [[crate]] with its edges to tidy.toml",
        ],
    );
    let low = "name = \"low\"\nmay_use = []\n";
    let excepted = format!("{low}[[crate.exception]]\nto = \"high\"\nreason = \"for now\"\n");
    let changes = [
        ("tidy.toml", &*good("tidy.toml").replace(low, &excepted)),
        ("crates/low/Cargo.toml", &*LOW.replace("[dev-dependencies]\n", "")),
    ];
    assert_eq!(findings(&changes), [""; 0]);
}

#[test]
fn dependency_reasons() {
    breaks(
        "ARCHITECTURE.md",
        "rope without backticks\n",
        &["Cargo.toml:6: dependency-reasons: rope has no reason; add a line with `rope` to ARCHITECTURE.md"],
    );
    breaks(
        "crates/low/Cargo.toml",
        &LOW.replace("rope.workspace = true", "cord = \"2\""),
        &[
            "crates/low/Cargo.toml:7: dependency-reasons: cord is declared here; declare it once in [workspace.dependencies]",
        ],
    );
    keeps("ARCHITECTURE.md", "# Crates\n- `rope`: ties.\n");
}

#[test]
fn manifests() {
    breaks(
        "crates/high/Cargo.toml",
        "[package]\nname = \"x-high\"\nlicense = \"MIT\"\n",
        &[
            "crates/high/Cargo.toml:1: manifests: lints are not the workspace's; write [lints] and workspace = true",
            "crates/high/Cargo.toml:3: manifests: the licence is not the workspace's; write license.workspace = true",
        ],
    );
    keeps(
        "crates/high/Cargo.toml",
        "lints = { workspace = true }\npackage = { license = { workspace = true } }\n",
    );
}

#[test]
fn file_size() {
    let path = "crates/high/src/lib.rs";
    let file = |n_code: usize| {
        let tests = "#[cfg(test)]\nmod tests {\n fn a() {}\n fn b() {}\n fn c() {}\n}\n";
        format!("//! High.\n\n// why\n{}{tests}", "fn f() {}\n".repeat(n_code))
    };
    keeps(path, &file(3));
    breaks(
        path,
        &file(4),
        &[&format!("{path}:1: file-size: warning: 4 code lines, past the soft limit 3; split it by concept")],
    );
    breaks(
        path,
        &file(6),
        &[&format!("{path}:1: file-size: 6 code lines, the limit is 5; split it by concept")],
    );
    keeps("crates/high/src/tests.rs", &file(6));

    let size = "soft = 3\nhard = 5\n";
    let exception = format!("{size}[[file_size.exception]]\npath = \"{path}\"\nreason = \"one table\"\n");
    let config = good("tidy.toml").replace(size, &exception);
    assert_eq!(findings(&[("tidy.toml", &config), (path, &file(6))]), [""; 0]);
    breaks(
        "tidy.toml",
        &config,
        &[&format!("tidy.toml:1: file-size: the size exception of {path} is not needed; remove it")],
    );
}

#[test]
fn module_doc() {
    let path = "crates/high/src/lib.rs";
    let missing = "module-doc: no module doc on the first line; open with //! and what the file is";
    for text in ["", "\n//! Late.\n", "// Not a doc.\n", "//!\n"] {
        breaks(path, text, &[&format!("{path}:1: {missing}")]);
    }
    keeps("crates/high/src/made.rs", "fn generated() {}\n");
    keeps("crates/high/src/tests.rs", "fn tested() {}\n");
}

#[test]
fn names() {
    breaks(
        "crates/high/src/utils.rs",
        "//! x\n",
        &["crates/high/src/utils.rs:1: names: the name \"utils\" says nothing; name the concept it holds"],
    );
    breaks(
        "crates/high/src/utils/rope.rs",
        "//! x\n",
        &[
            "crates/high/src/utils/rope.rs:1: names: the name \"utils\" says nothing; name the concept it holds",
        ],
    );
    breaks(
        "crates/high/src/rope/mod.rs",
        "//! x\n",
        &["crates/high/src/rope/mod.rs:1: names: mod.rs is refused; write foo.rs beside the folder foo/"],
    );
    breaks(
        "crates/high/src/lib.rs",
        "//! x\n\npub(crate) mod utils {\n}\n",
        &[
            "crates/high/src/lib.rs:3: names: the module name \"utils\" says nothing; name the concept it holds",
        ],
    );
    keeps("crates/high/src/lib.rs", "//! x\n// mod utils {\nmod rope {}\nuse other::utils;\n");
}

#[test]
fn families() {
    let table = "crates/low/src/fruit.rs";
    breaks(
        "crates/low/src/fruit/pear.rs",
        "//! Pear.\n",
        &[
            "crates/low/src/fruit/pear.rs:1: families: pear is not in the table of fruit; add `pear::ENTRY` to crates/low/src/fruit.rs",
        ],
    );
    breaks(
        table,
        "//! Fruit.\nmod apple;\n// apple::ENTRY\n",
        &[
            "crates/low/src/fruit/apple.rs:1: families: apple is not in the table of fruit; add `apple::ENTRY` to crates/low/src/fruit.rs",
        ],
    );
    breaks(
        table,
        &format!("{}static MORE: u8 = plum::ENTRY;\n", good(table)),
        &[
            "crates/low/src/fruit.rs:4: families: fruit lists plum, but there is no crates/low/src/fruit/plum.rs; remove one or add the other",
        ],
    );
    keeps("crates/low/src/fruit/apple/skin.rs", "//! A part of a member is no member.\n");

    let by_module = good("tidy.toml").replace("{name}::ENTRY", "mod {name};");
    assert_eq!(findings(&[("tidy.toml", &by_module), (table, "//! Fruit.\npub mod apple;\n")]), [""; 0]);
}

#[test]
fn refused_words() {
    let later = "refused-words: \"LATER\" is refused; do it now";
    breaks("notes.md", "fine\nsay LATER.\n", &[&format!("notes.md:2: {later}")]);
    breaks(".ci/run", "# LATER\n", &[&format!(".ci/run:1: {later}")]);
    keeps("notes.md", "LATERAL, BLATER, aLATER\n");
    keeps("notes.txt", "LATER\n");

    let machine = "refused-words: \"/machine/\" is refused; use a relative path";
    let source = "//! x\nconst A: &str = \"/machine/a\";\n#[cfg(test)]\nmod tests { const B: &str = \"/machine/b\"; }\n";
    breaks("crates/high/src/lib.rs", source, &[&format!("crates/high/src/lib.rs:2: {machine}")]);
    keeps("notes.md", "see ../machine/a and state/machine/b\n");

    let call = "refused-words: \"later!(\" is refused; write it";
    breaks(
        "crates/high/src/lib.rs",
        "//! x\nfn a() { later!() }\n",
        &[&format!("crates/high/src/lib.rs:2: {call}")],
    );
    keeps("crates/high/src/lib.rs", "//! later!() in prose\nconst A: &str = \"later!(\";\n");
}

#[test]
fn the_closing_line_counts_files_and_rules() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("Cargo.toml"), "[workspace]\nmembers = []\n").unwrap();
    let config = "skip = []\ntest_files = []\ngenerated_files = []\nrefused_names = []\n[file_size]\nsoft = 1\nhard = 2\n";
    fs::write(root.path().join("tidy.toml"), config).unwrap();
    let mut out = Vec::new();
    assert!(run(root.path(), &mut out).unwrap());
    assert_eq!(String::from_utf8(out).unwrap(), "tidy: 2 files, 8 rules: 0 failures, 0 warnings\n");
}

#[test]
fn outside_a_repository_the_error_says_so() {
    let root = tempfile::tempdir().unwrap();
    let error = run(root.path(), &mut Vec::new()).unwrap_err();
    assert!(error.to_string().starts_with("no tidy.toml in "), "{error}");
}
