//! Errors of the graph and of the file.

use alloc::boxed::Box;
use alloc::string::String;

/// Whose business an error is; it decides the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nature {
    /// The user can mend it.
    Input,
    /// It could be added to smidgen.
    Unsupported,
    /// It is a defect of smidgen.
    Bug,
}

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(Box<Kind>);

/// What went wrong.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Kind {
    /// A node does not fit what it is given.
    #[error("graph: node \"{node}\" ({op}): {what}: expected {expected}, got {got}")]
    Node {
        /// Name of the node.
        node: String,
        /// Name of its operator.
        op: &'static str,
        /// What does not fit.
        what: String,
        /// What the operator asks for.
        expected: String,
        /// What stands there.
        got: String,
    },
    /// The graph as a whole, or its signature, is not well formed.
    #[error("graph: {what}: expected {expected}, got {got}")]
    Graph {
        /// What does not fit.
        what: String,
        /// What is asked for.
        expected: String,
        /// What stands there.
        got: String,
    },
    /// A graph that computes more for a row than is allowed.
    #[error(
        "graph: up to node \"{node}\" a row takes {got} numbers, at most {most} are allowed; use fewer columns or transforms"
    )]
    Wide {
        /// Name of the node.
        node: String,
        /// The most numbers.
        most: usize,
        /// The numbers up to this node.
        got: usize,
    },
    /// A graph whose nodes look at more constant numbers than is allowed.
    #[error(
        "graph: up to node \"{node}\" nodes take {got} constant numbers, at most {most} are allowed; use fewer rows, columns or members"
    )]
    Work {
        /// Name of the node.
        node: String,
        /// The most numbers.
        most: usize,
        /// The numbers up to this node.
        got: usize,
    },
    /// A forest from elsewhere that is not well formed.
    #[error("forest: {what}: expected {expected}, got {got}")]
    Forest {
        /// What does not fit.
        what: String,
        /// What is asked for.
        expected: String,
        /// What stands there.
        got: String,
    },
    /// A forest from elsewhere that codes and integers cannot express.
    #[error("forest: {what}: expected {expected}, got {got}; {instead}")]
    Unsuited {
        /// What does not fit.
        what: String,
        /// What is asked for.
        expected: String,
        /// What stands there.
        got: String,
        /// What to do.
        instead: &'static str,
    },
    /// A file that is not whole, or not ours.
    #[error(
        "model file: section \"{section}\", byte {at}: {what}; the file is damaged or truncated, copy it again"
    )]
    Damaged {
        /// Part of the file that was being read.
        section: &'static str,
        /// Byte from the start of the file, or of the section once it is found.
        at: usize,
        /// What is wrong.
        what: String,
    },
    /// A file of a later format.
    #[error(
        "model file: format version {version} is newer than {known}, the latest that this program reads; update smidgen"
    )]
    Newer {
        /// Version of the file.
        version: u16,
        /// Latest version that is read here.
        known: u16,
    },
    /// An operator that no file can hold.
    #[error(
        "model file: node \"{node}\" ({op}): a graph inside a node cannot be stored in a .smidgen file; keep the network in ONNX"
    )]
    Unstored {
        /// Name of the node.
        node: String,
        /// Its operator.
        op: &'static str,
    },
    /// A section or an operator that this program must understand and does not know.
    #[error("model file: {what} is not known to this program; update smidgen")]
    Unknown {
        /// The part that is not known.
        what: String,
    },
}

impl Error {
    /// What went wrong.
    pub fn kind(&self) -> &Kind {
        &self.0
    }

    /// Whose business it is.
    pub fn nature(&self) -> Nature {
        match *self.0 {
            Kind::Node { .. } | Kind::Graph { .. } => Nature::Bug,
            Kind::Damaged { .. } | Kind::Forest { .. } => Nature::Input,
            Kind::Newer { .. }
            | Kind::Unknown { .. }
            | Kind::Unstored { .. }
            | Kind::Wide { .. }
            | Kind::Work { .. }
            | Kind::Unsuited { .. } => Nature::Unsupported,
        }
    }

    /// Takes the node's name into an error that an operator raised without knowing it.
    pub fn at_node(mut self, name: &str) -> Error {
        if let Kind::Node { node, .. } = &mut *self.0 {
            node.clear();
            node.push_str(name);
        }
        self
    }

    /// Takes the index of a tree into an error about its splits.
    pub(crate) fn in_tree(mut self, index: usize) -> Error {
        if let Kind::Node { what, .. } | Kind::Forest { what, .. } = &mut *self.0 {
            *what = alloc::format!("tree {index}: {what}");
        }
        self
    }
}

impl From<Kind> for Error {
    fn from(kind: Kind) -> Error {
        Error(Box::new(kind))
    }
}
