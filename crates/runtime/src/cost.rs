//! What a row costs, by a closed form: operations are counted in a plan, and a table says what each takes.
//!
//! Nothing is timed, so the same model costs the same everywhere, and a search may decide by it.
//! A row is one of many in a batch, or alone in a call of its own, where what is done once a call counts too; on one
//! thread; columns are in memory, and so are outputs.

use alloc::string::String;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// A row, whatever becomes of it.
    Row,
    /// A number that is coded.
    NumberColumn,
    /// A step of the binary search for its code.
    SearchStep,
    /// A category that is looked up.
    CategoryColumn,
    /// A code that is copied, since several forests take it.
    CopiedCode,
    /// A tree of few leaves, which all rows sweep.
    SweptTree,
    /// A threshold of it.
    SweptSplit,
    /// A set of categories of it.
    SweptSet,
    /// A tree that a row walks.
    WalkedTree,
    /// A step of the longest way through it.
    WalkedStep,
    /// A value of a leaf that is added, beyond the first, in trees that many rows go through together.
    LeafValue,
    /// A term of tables of one code.
    TableTerm,
    /// A term of two codes.
    TablePair,
    /// A value of a term, beyond the first.
    TableValue,
    /// A number that becomes a small integer.
    QuantizedCell,
    /// A product of two integers.
    Product,
    /// A cell of a known row, in distances of 32 bits.
    DistanceCell,
    /// The same in distances of 64 bits.
    WideDistanceCell,
    /// A known row that is compared with the nearest ones.
    KnownRow,
    /// A neighbour that votes.
    Neighbour,
    /// A similarity times its coefficients.
    Similarity,
    /// A score of a member, or of a part that is added.
    MemberScore,
    /// A step of the search in a curve of scores.
    CurveStep,
    /// A probability, of a member or as an output.
    Probability,
    /// Any other value of an output.
    OutputValue,
    /// A value that the interpreter makes.
    ComputedCell,
    /// A text that the interpreter parts.
    ComputedText,
    /// A call, whatever its row.
    Call,
    /// A column that a call enters: one that is given, coded, quantized, or asked about.
    CallColumn,
    /// A part, a member or an output that a call enters.
    CallPart,
    /// A term of tables that a call enters.
    CallTerm,
    /// A node of the interpreter that a call enters.
    CallNode,
    /// Eight answers to what trees ask of a row where they step side by side.
    Answers,
    /// A lane for a tree of a row where trees step side by side.
    SingleTree,
    /// A step of a lane.
    SingleStep,
    /// A tree whose levels ask a question each.
    SymmetricTree,
    /// A threshold of a level of it.
    SymmetricLevel,
    /// Such a tree of a row alone.
    SingleSymmetricTree,
    /// A question of a level of it.
    SingleSymmetricLevel,
    /// A value of a leaf that is added, beyond the first, where each row goes its own way.
    SingleLeafValue,
}

/// Kinds of operations.
const N: usize = 40;

impl Operation {
    /// All of them, in the order of their tables.
    pub const ALL: [Operation; N] = [
        Operation::Row,
        Operation::NumberColumn,
        Operation::SearchStep,
        Operation::CategoryColumn,
        Operation::CopiedCode,
        Operation::SweptTree,
        Operation::SweptSplit,
        Operation::SweptSet,
        Operation::WalkedTree,
        Operation::WalkedStep,
        Operation::LeafValue,
        Operation::TableTerm,
        Operation::TablePair,
        Operation::TableValue,
        Operation::QuantizedCell,
        Operation::Product,
        Operation::DistanceCell,
        Operation::WideDistanceCell,
        Operation::KnownRow,
        Operation::Neighbour,
        Operation::Similarity,
        Operation::MemberScore,
        Operation::CurveStep,
        Operation::Probability,
        Operation::OutputValue,
        Operation::ComputedCell,
        Operation::ComputedText,
        Operation::Call,
        Operation::CallColumn,
        Operation::CallPart,
        Operation::CallTerm,
        Operation::CallNode,
        Operation::Answers,
        Operation::SingleTree,
        Operation::SingleStep,
        Operation::SymmetricTree,
        Operation::SymmetricLevel,
        Operation::SingleSymmetricTree,
        Operation::SingleSymmetricLevel,
        Operation::SingleLeafValue,
    ];

    /// Its name in a table of costs.
    pub fn name(self) -> &'static str {
        match self {
            Operation::Row => "row",
            Operation::NumberColumn => "number_column",
            Operation::SearchStep => "search_step",
            Operation::CategoryColumn => "category_column",
            Operation::CopiedCode => "copied_code",
            Operation::SweptTree => "swept_tree",
            Operation::SweptSplit => "swept_split",
            Operation::SweptSet => "swept_set",
            Operation::WalkedTree => "walked_tree",
            Operation::WalkedStep => "walked_step",
            Operation::LeafValue => "leaf_value",
            Operation::TableTerm => "table_term",
            Operation::TablePair => "table_pair",
            Operation::TableValue => "table_value",
            Operation::QuantizedCell => "quantized_cell",
            Operation::Product => "product",
            Operation::DistanceCell => "distance_cell",
            Operation::WideDistanceCell => "wide_distance_cell",
            Operation::KnownRow => "known_row",
            Operation::Neighbour => "neighbour",
            Operation::Similarity => "similarity",
            Operation::MemberScore => "member_score",
            Operation::CurveStep => "curve_step",
            Operation::Probability => "probability",
            Operation::OutputValue => "output_value",
            Operation::ComputedCell => "computed_cell",
            Operation::ComputedText => "computed_text",
            Operation::Call => "call",
            Operation::CallColumn => "call_column",
            Operation::CallPart => "call_part",
            Operation::CallTerm => "call_term",
            Operation::CallNode => "call_node",
            Operation::Answers => "answers",
            Operation::SingleTree => "single_tree",
            Operation::SingleStep => "single_step",
            Operation::SymmetricTree => "symmetric_tree",
            Operation::SymmetricLevel => "symmetric_level",
            Operation::SingleSymmetricTree => "single_symmetric_tree",
            Operation::SingleSymmetricLevel => "single_symmetric_level",
            Operation::SingleLeafValue => "single_leaf_value",
        }
    }
}

/// How many rows a call has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rows {
    /// Many, in blocks.
    Many,
    /// One.
    Single,
}

/// Operations of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Counts([f64; N]);

impl Default for Counts {
    fn default() -> Counts {
        Counts([0.0; N])
    }
}

/// Operations of a row among many, and of a single one.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RowCounts {
    /// Of a row in a batch.
    pub batch: Counts,
    /// Of a row in a call of its own.
    pub single: Counts,
}

/// Nanoseconds of a row by a table of costs.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TableCost {
    /// Of a row in a batch.
    pub ns: f64,
    /// Of a row in a call of its own.
    pub ns_single: f64,
}

impl TableCost {
    /// What a limit goes by, since a single row may take twice as long as one in a batch: `max(ns, ns_single / 2)`.
    pub fn limited(self) -> f64 {
        self.ns.max(self.ns_single / 2.0)
    }
}

impl Counts {
    pub(crate) fn add(&mut self, operation: Operation, n: usize) {
        self.0[operation as usize] += n as f64;
    }

    pub(crate) fn add_all(&mut self, other: &Counts) {
        self.0.iter_mut().zip(other.0).for_each(|(own, other)| *own += other);
    }

    /// A share of other ones: those of rows that not all take.
    pub(crate) fn add_share(&mut self, other: &Counts, share: f64) {
        self.0.iter_mut().zip(other.0).for_each(|(own, other)| *own += share * other);
    }

    /// How many of each.
    pub fn each(&self) -> impl Iterator<Item = (Operation, f64)> {
        Operation::ALL.into_iter().zip(self.0)
    }
}

/// Nanoseconds of each operation on a processor.
#[derive(Clone, Debug, PartialEq)]
pub struct OperationCosts {
    cpu: String,
    ns: [f64; N],
}

impl OperationCosts {
    /// A table of a named processor; `ns_of` gives the nanoseconds of an operation. None where one is not finite or
    /// below 0.
    pub fn try_new(cpu: &str, ns_of: impl Fn(Operation) -> f64) -> Option<OperationCosts> {
        let ns = Operation::ALL.map(ns_of);
        ns.iter().all(|ns| ns.is_finite() && *ns >= 0.0).then(|| OperationCosts { cpu: cpu.into(), ns })
    }

    /// Nanoseconds of a row: `sum_k n_k ns_k` over all operations.
    pub fn ns(&self, counts: &Counts) -> f64 {
        counts.0.iter().zip(&self.ns).map(|(n, ns)| n * ns).sum()
    }

    /// Nanoseconds of a row, among many and alone.
    pub fn row(&self, counts: &RowCounts) -> TableCost {
        TableCost { ns: self.ns(&counts.batch), ns_single: self.ns(&counts.single) }
    }

    /// The processor.
    pub fn cpu(&self) -> &str {
        &self.cpu
    }
}

impl Default for OperationCosts {
    /// That of the benchmark `cost`.
    fn default() -> OperationCosts {
        OperationCosts { cpu: CPU.into(), ns: NS }
    }
}

/// The processor that [`NS`] was measured on.
const CPU: &str = "Intel(R) Xeon(R) Processor";

/// Nanoseconds by the order of [`Operation::ALL`], on one thread, fitted by the benchmark `cost` to what models take, in
/// batches and alone; what none of them has (copied codes, trees walked one by one, wide distances, curves, texts) is a guess.
const NS: [f64; N] = [
    0.0, 1.23, 1.44, 14.8, 0.5, 0.588, 0.0747, 0.42, 8.0, 1.5, 0.149, 0.714, 4.05, 0.0516, 0.0993, 0.207,
    0.102, 0.4, 0.317, 108.0, 0.421, 2.04, 3.0, 27.6, 3.82, 3.74, 300.0, 382.0, 4.63, 66.2, 3.21, 159.0,
    0.566, 1.02, 1.03, 0.493, 0.0696, 1.88, 0.648, 0.285,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_has_its_place_and_its_name() {
        for (at, operation) in Operation::ALL.into_iter().enumerate() {
            assert_eq!(operation as usize, at);
            assert!(Operation::ALL[..at].iter().all(|other| other.name() != operation.name()));
        }
    }

    #[test]
    fn costs_are_sums() {
        let mut counts = Counts::default();
        counts.add(Operation::Row, 1);
        counts.add(Operation::Product, 12);
        let mut both = counts;
        both.add_all(&counts);
        let table =
            OperationCosts::try_new("a", |o| if o == Operation::Product { 0.5 } else { 2.0 }).unwrap();
        assert_eq!((table.ns(&counts), table.ns(&both)), (8.0, 16.0));
        assert_eq!(
            both.each().filter(|(_, n)| *n > 0.0).collect::<alloc::vec::Vec<_>>(),
            [(Operation::Row, 2.0), (Operation::Product, 24.0)]
        );
        let row = table.row(&RowCounts { batch: counts, single: both });
        assert_eq!((row.ns, row.ns_single, row.limited()), (8.0, 16.0, 8.0));
        assert_eq!(TableCost { ns_single: 17.0, ..row }.limited(), 8.5);
        for bad in [-1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(OperationCosts::try_new("a", |_| bad), None);
        }
    }
}
