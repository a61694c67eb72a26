//! Forests that other libraries trained: LightGBM's text and XGBoost's JSON become a graph with a signature.
//!
//! A file is read into an [`ir::RealForest`], whose walk is what the library computes, and lowered to codes and integer
//! leaves: every row takes the same leaf. What cannot be expressed is refused by name, nothing is approximated but the
//! rounding of leaves, whose bound comes with the result. Memory is bounded by the bytes of the file: no count in it is
//! believed.
//!
//! Columns are numbers by name; those that no split asks are left out. The self-test is made by whoever can run graphs.

mod lightgbm;
mod xgboost;

use crate::error::{Error, Kind};
use ir::fixed::link;
use ir::op::{ArgMax, Link, LinkKind, Threshold};
use ir::real_forest::{Grid, Lowered};
use ir::{
    Card, ColumnKind, DType, Graph, GraphBuilder, Input, Op, OutputRole, RealForest, Shape, Signature, Task,
};
use std::fmt;

/// A library whose forests are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Library {
    /// LightGBM, the text that `save_model` writes.
    LightGbm,
    /// XGBoost, the JSON that `save_model("m.json")` writes.
    XgBoost,
}

impl fmt::Display for Library {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Library::LightGbm => "lightgbm",
            Library::XgBoost => "xgboost",
        })
    }
}

/// The library that wrote these bytes, by how they begin; none of the two for other bytes. Looks at a few bytes only, so
/// the whole may still be damaged.
pub fn library_of(bytes: &[u8]) -> Option<Library> {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    // The second line keeps a table of one column named so apart.
    let is_line = |rest: &[u8]| rest.first().is_some_and(|b| matches!(b, b'\n' | b'\r'));
    let versioned = |rest: &[u8]| is_line(rest) && rest.trim_ascii_start().starts_with(b"version=");
    if text.strip_prefix(b"tree").is_some_and(versioned) {
        return Some(Library::LightGbm);
    }
    // JSON, or the binary form of the same, whose first mark is a type of UBJSON.
    let rest = text.strip_prefix(b"{")?;
    let is_json = rest.trim_ascii_start().first() == Some(&b'"');
    (is_json || is_binary(bytes)).then_some(Library::XgBoost)
}

/// True for UBJSON, the form that XGBoost writes by default.
fn is_binary(bytes: &[u8]) -> bool {
    matches!(bytes, [b'{', b'L' | b'l' | b'I' | b'i' | b'U' | b'$' | b'#', ..])
}

/// A forest of another library as it is understood here.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The library.
    pub library: Library,
    /// What the file says: its walk takes each row to the leaf to which the library takes it, and the sum of leaves is the
    /// library's score but for the roundings of the library's own sum.
    pub forest: RealForest,
    /// Columns in the order of the forest's features.
    pub features: Vec<String>,
    /// The forest over codes, with the bounds of its scores.
    pub lowered: Lowered,
    /// What the model computes.
    pub graph: Graph,
    /// What it takes and gives.
    pub signature: Signature,
    /// Where it comes from.
    pub card: Card,
}

impl Imported {
    /// Scores in real units for integer scores of a row.
    pub fn reals(&self, scores: &[i32]) -> Vec<f64> {
        let Lowered { shift, offset, .. } = self.lowered;
        scores.iter().map(|&s| link::linear(s, offset, shift)).collect()
    }
}

/// A forest of LightGBM or XGBoost; `target` names the column that it predicts, which the files do not.
///
/// Classes are named by their numbers, as the libraries do; of two, the second is positive. O(n log n) for n splits.
///
/// # Errors
/// `NoForest` for bytes of neither library, `Foreign` for a file that is not well formed, `ForeignUnsupported` for what cannot be
/// expressed, `Graph` for a forest that the graph refuses.
pub fn import(bytes: &[u8], target: &str) -> Result<Imported, Error> {
    let Some(library) = library_of(bytes) else {
        return Err(Kind::NoForest.into());
    };
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let known = match library {
        Library::LightGbm => lightgbm::read(bytes),
        Library::XgBoost if is_binary(bytes) => {
            let instead = "save the model under a name that ends with .json";
            return Err(unsupported(library, "file", "the binary form UBJSON", instead));
        }
        Library::XgBoost => xgboost::read(bytes),
    };
    known.and_then(|known| assemble(library, known, target)).map_err(|e| told(library, "", e))
}

/// What the scores of a forest mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    /// Log odds of the second of two classes.
    Logistic,
    /// Logs of shares of classes.
    Softmax,
    /// The number itself.
    Linear,
    /// The log of the number.
    Exponential,
}

/// What a file says.
struct Known {
    forest: RealForest,
    features: Vec<String>,
    meaning: Meaning,
    /// A line for the card.
    recipe: String,
}

fn assemble(library: Library, known: Known, target: &str) -> Result<Imported, Error> {
    let Known { forest, features, meaning, recipe } = known;
    let n_outputs = forest.initial_scores().len();
    let (kind, grid) = match meaning {
        Meaning::Logistic => (LinkKind::Logistic, Grid::Powers),
        Meaning::Softmax => (LinkKind::Softmax, Grid::Powers),
        Meaning::Linear => (LinkKind::Linear, Grid::Linear),
        Meaning::Exponential => (LinkKind::Exponential, Grid::Powers),
    };
    let lowered = forest.lower(grid)?;
    let mut builder = GraphBuilder::new();
    let (mut inputs, mut columns) = (Vec::new(), Vec::new());
    for &feature in &lowered.used {
        let name = features.get(feature as usize).cloned().unwrap_or_default();
        columns.push(builder.input(&name, DType::F64, Shape::rows())?);
        inputs.push(Input { name, kind: ColumnKind::Number, dtype: DType::F64 });
    }
    let score = lowered.append(&mut builder, &columns)?;
    let link = Link { kind, shift: lowered.shift, offset: lowered.offset };
    let linked = builder.node(Op::Link(link), &[score])?;
    let mut outputs = vec![(OutputRole::Score, score)];
    let n_classes = match meaning {
        Meaning::Logistic => {
            outputs.push((OutputRole::Probability, linked));
            let label = builder.node(Op::Threshold(Threshold { above: 0 }), &[score])?;
            outputs.push((OutputRole::Label, label));
            2
        }
        Meaning::Softmax => {
            outputs.push((OutputRole::Probability, linked));
            outputs.push((OutputRole::Label, builder.node(Op::ArgMax(ArgMax), &[score])?));
            n_outputs
        }
        Meaning::Linear | Meaning::Exponential => {
            outputs.push((OutputRole::Value, linked));
            0
        }
    };
    let values: Vec<_> = outputs.iter().map(|(_, value)| *value).collect();
    let graph = builder.finish(&values)?;
    let signature = Signature {
        task: match n_classes {
            0 => Task::Regression,
            2 => Task::Binary,
            _ => Task::Multiclass,
        },
        target: target.to_owned(),
        targets: Vec::new(),
        inputs,
        outputs: outputs.iter().map(|(role, _)| *role).collect(),
        classes: (0..n_classes).map(|class| class.to_string()).collect(),
        positive: (n_classes == 2).then_some(1),
        missing: Vec::new(),
        columns: Vec::new(),
        joined: None,
    };
    let card = Card { recipe, ..Card::default() };
    Ok(Imported { library, forest, features, lowered, graph, signature, card })
}

/// Names of columns, each once and none empty.
fn check_names(library: Library, names: &[String]) -> Result<(), Error> {
    let mut sorted: Vec<&String> = names.iter().collect();
    sorted.sort_unstable();
    let wrong = sorted.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0]);
    match wrong.or_else(|| names.iter().find(|name| name.is_empty())) {
        None => Ok(()),
        Some(name) => {
            Err(foreign(library, "feature names", "each one once and none empty", &format!("\"{name}\"")))
        }
    }
}

fn foreign(library: Library, at: &str, expected: &str, got: &dyn fmt::Display) -> Error {
    let (at, expected, got) = (at.to_owned(), expected.to_owned(), got.to_string());
    Kind::Foreign { library, at, expected, got }.into()
}

fn unsupported(library: Library, at: &str, what: &str, instead: &str) -> Error {
    let (at, what, instead) = (at.to_owned(), what.to_owned(), instead.to_owned());
    Kind::ForeignUnsupported { library, at, what, instead }.into()
}

/// An error of the forest as one of the file; `at` says where the forest stands, if it is a part.
fn told(library: Library, at: &str, error: Error) -> Error {
    let Kind::Graph(graph) = error.kind() else { return error };
    let place = |what: &str| if at.is_empty() { what.to_owned() } else { format!("{at}, {what}") };
    match graph.kind() {
        ir::Kind::Forest { what, expected, got } => foreign(library, &place(what), expected, &got.as_str()),
        ir::Kind::Unsuited { what, expected, got, instead } => {
            let asked = format!("{got}, where {expected} can be,");
            unsupported(library, &place(what), &asked, instead)
        }
        _ => error,
    }
}

/// A text as messages show it: not more than its start.
fn shown(text: &str) -> String {
    const MOST: usize = 40;
    match text.char_indices().nth(MOST) {
        None => format!("\"{text}\""),
        Some((end, _)) => format!("\"{}..\"", &text[..end]),
    }
}
