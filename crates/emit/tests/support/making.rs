//! A model of made columns, while it is made.

use crate::compiled::proven;
use ir::op::{BagGather, BagGemm, Gather};
use ir::text::tokens::{Analyzer, Tokenizer};
use ir::{
    Card, ColumnKind, DType, GraphBuilder, Input, Model, Op, OutputRole, Shape, Signature, Task, Tensor,
    TensorData, ValueIdx,
};

/// A model of made columns, while it is made.
pub struct Making {
    pub b: GraphBuilder,
    inputs: Vec<Input>,
    outputs: Vec<ValueIdx>,
}

impl Making {
    pub fn new() -> Making {
        Making { b: GraphBuilder::new(), inputs: Vec::new(), outputs: Vec::new() }
    }

    pub fn column(&mut self, kind: ColumnKind, dtype: DType) -> ValueIdx {
        let name = format!("c{}", self.inputs.len());
        self.inputs.push(Input { name: name.clone(), kind, dtype });
        self.b.input(&name, dtype, Shape::rows()).unwrap()
    }

    pub fn text(&mut self) -> ValueIdx {
        self.column(ColumnKind::Text, DType::Str)
    }

    pub fn node(&mut self, op: Op, inputs: &[ValueIdx]) -> ValueIdx {
        self.b.node(op, inputs).unwrap()
    }

    pub fn strings<T: ToString>(&mut self, texts: &[T]) -> ValueIdx {
        self.b.constant(Tensor::vector(TensorData::Str(texts.iter().map(T::to_string).collect()))).unwrap()
    }

    pub fn doubles(&mut self, dims: &[usize], values: Vec<f64>) -> ValueIdx {
        self.b.constant(Tensor::try_new(dims.to_vec(), TensorData::F64(values)).unwrap()).unwrap()
    }

    /// Gives a column.
    pub fn give(&mut self, value: ValueIdx) {
        self.outputs.push(value);
    }

    /// Gives each column of a matrix.
    pub fn give_all(&mut self, matrix: ValueIdx, width: usize) {
        for k in 0..width {
            let at = self.b.constant(Tensor::scalar(TensorData::I64(vec![k as i64])).unwrap()).unwrap();
            let column = self.node(Op::Gather(Gather), &[matrix, at]);
            self.give(column);
        }
    }

    /// The weights of these ids of a bag.
    pub fn gather(&mut self, bag: ValueIdx, ids: Vec<i64>) -> (ValueIdx, usize) {
        let n = ids.len();
        let ids = self.b.constant(Tensor::vector(TensorData::I64(ids))).unwrap();
        (self.node(Op::BagGather(BagGather), &[bag, ids]), n)
    }

    /// A bag of `n` ids times a matrix of odd numbers.
    pub fn product(&mut self, bag: ValueIdx, n: usize, width: usize) -> ValueIdx {
        let w = (0..n * width).map(|i| (i as f64 - 5.5) / 7.0 * [1.0, 1e9, -1e-9][i % 3]).collect();
        let w = self.doubles(&[n, width], w);
        self.node(Op::BagGemm(BagGemm), &[bag, w])
    }

    pub fn finish(self, name: impl ToString) -> (String, Model) {
        let signature = Signature {
            task: Task::Transform,
            target: String::new(),
            targets: Vec::new(),
            inputs: self.inputs,
            outputs: vec![OutputRole::Column; self.outputs.len()],
            classes: Vec::new(),
            positive: None,
            missing: Vec::new(),
            columns: (0..self.outputs.len()).map(|k| format!("y{k}")).collect(),
            joined: None,
        };
        let graph = self.b.finish(&self.outputs).unwrap();
        (name.to_string(), proven(Model::try_new(graph, signature, Card::default()).unwrap(), 5))
    }
}

pub fn tokenizer(analyzer: Analyzer, ngram_min: u8, ngram_max: u8, fold_case: bool) -> Tokenizer {
    Tokenizer { analyzer, ngram_min, ngram_max, fold_case }
}

/// Words that sentences of a self-test are made of, and runs of them, in order of bytes.
pub fn vocabulary(n_words: usize) -> Vec<String> {
    let mut words: Vec<String> =
        (0..n_words).map(|i| format!("{}{i:x}", ["ba", "to", "\u{e9}"][i % 3])).collect();
    let runs: Vec<String> = words.windows(2).step_by(3).map(|pair| pair.join(" ")).collect();
    words.extend(runs);
    words.extend(["ba", "ba ba", "to", " ", "a", "ba\u{e9}", "re7", "shi\u{2019}", "7 ba"].map(String::from));
    words.sort();
    words.dedup();
    words
}
