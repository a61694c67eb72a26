//! Reading a model: its inputs, constants and nodes, in order, into a graph.

use crate::context::Context;
use crate::error::{Error, Kind};
use crate::export_network::NetworkMeta;
use crate::external::External;
use crate::functions::Functions;
use crate::operators;
use crate::proto;
use crate::stream::{Stream, Words};
use crate::tensor::{self, dtype};
use ir::op::TensorOp;
use ir::op::tensor::Identity;
use ir::{DType, Dim, Graph, GraphBuilder, Shape, ValueIdx};
use prost::Message;
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

/// First version of ONNX's operators that is read.
pub const OLDEST_OPSET: i64 = 7;
/// Last version of ONNX's operators that is read.
pub const LATEST_OPSET: i64 = 27;

/// How a model is read.
#[derive(Clone, Copy)]
pub struct Options<'o> {
    /// Who reads elements that stand in other files.
    pub external: &'o dyn External,
}

/// Who wrote a file; empty where it does not say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Producer {
    /// Name of the program.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// A model, and what its file says of itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Imported {
    /// The graph.
    pub graph: Graph,
    /// Name and properties.
    pub meta: NetworkMeta,
    /// Who wrote it.
    pub producer: Producer,
}

/// The graph of an ONNX model. Values keep the model's names.
///
/// # Errors
/// `Damaged` for bytes that are no ONNX model, `Opset` and `Unsupported` for what is not read here, `Node`, `Graph`,
/// `Tensor` and `External` for a model that is not well formed.
pub fn import(bytes: &[u8], options: Options<'_>) -> Result<Graph, Error> {
    import_all(bytes, options).map(|imported| imported.graph)
}

/// The graph of an ONNX model, and what the file says of itself: its name, its properties, its producer.
///
/// # Errors
/// As [`import`].
pub fn import_all(bytes: &[u8], options: Options<'_>) -> Result<Imported, Error> {
    read(proto::Model::decode(bytes).map_err(|e| damaged(e.to_string()))?, Words::default(), options)
}

/// As [`import_all`], from a file of so many bytes, which never stands in memory beside its tensors: those of single
/// precision are read to where they stay, of all others one stands there twice.
///
/// # Errors
/// As [`import`]; `Damaged` for a file that ends early or cannot be read.
pub fn import_from(file: &mut dyn Read, length: usize, options: Options<'_>) -> Result<Imported, Error> {
    let mut stream = Stream::new(file, length);
    let model = proto::Model::decode(&mut stream);
    let words = stream.finish().map_err(|e| damaged(format!("it cannot be read whole ({e})")))?;
    read(model.map_err(|e| damaged(e.to_string()))?, words, options)
}

fn damaged(why: String) -> Error {
    Kind::Damaged { what: "model", why }.into()
}

fn read(mut model: proto::Model, mut words: Words, options: Options<'_>) -> Result<Imported, Error> {
    let mut graph = model.graph.take().ok_or_else(|| damaged("it holds no graph".to_string()))?;
    if model.opset_import.is_empty() {
        return Err(damaged("it names no set of operators".to_string()));
    }
    let functions = Functions::of(&model)?;
    let world = World { functions, external: options.external, n_nodes: Cell::new(0) };
    let opsets = Opsets::of(&model.opset_import)?;
    let mut scope = Scope::new(&world, opsets, names(&graph));
    scope.inputs(&graph)?;
    dense(&graph)?;
    // Elements go as their tensors are made.
    for mut tensor in std::mem::take(&mut graph.initializer) {
        let floats = tensor::floats(&mut tensor, &mut words);
        scope.initializer(&tensor, floats)?;
    }
    scope.nodes(&graph.node)?;
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let property = |entry: &proto::Entry| (text(&entry.key), text(&entry.value));
    Ok(Imported {
        graph: scope.finish(&graph.output)?,
        meta: NetworkMeta {
            name: text(&graph.name),
            properties: model.metadata_props.iter().map(property).collect(),
        },
        producer: Producer { name: text(&model.producer_name), version: text(&model.producer_version) },
    })
}

/// What all graphs of a model share.
pub(crate) struct World<'m> {
    pub(crate) functions: Functions<'m>,
    pub(crate) external: &'m dyn External,
    /// Nodes looked at so far, those of functions once for each use.
    n_nodes: Cell<usize>,
}

/// Most nodes of a model with its functions in place: a few functions that use each other could else make any number.
const MAX_NODES: usize = 1 << 20;

/// Versions of the sets of operators, by name.
#[derive(Clone, Debug)]
pub(crate) struct Opsets(BTreeMap<String, i64>);

/// The set of operators that a name means: ONNX's own has two names.
pub(crate) fn domain(name: Option<&str>) -> &str {
    match name.unwrap_or_default() {
        "ai.onnx" => "",
        other => other,
    }
}

impl Opsets {
    pub(crate) fn of(ids: &[proto::OpsetId]) -> Result<Opsets, Error> {
        let mut versions = BTreeMap::new();
        for id in ids {
            let (name, version) = (domain(id.domain.as_deref()), id.version.unwrap_or(1));
            if name.is_empty() && !(OLDEST_OPSET..=LATEST_OPSET).contains(&version) {
                let (least, most) = (OLDEST_OPSET, LATEST_OPSET);
                return Err(Kind::Opset { domain: name.to_string(), version, least, most }.into());
            }
            versions.insert(name.to_string(), version);
        }
        Ok(Opsets(versions))
    }

    /// Version of a set; 1 for one that the model does not name.
    pub(crate) fn version(&self, domain: &str) -> i64 {
        self.0.get(domain).copied().unwrap_or(1)
    }
}

/// All names of values of a graph.
pub(crate) fn names(graph: &proto::Graph) -> BTreeSet<String> {
    let values = graph.input.iter().chain(&graph.output).filter_map(|v| v.name.clone());
    let constants = graph.initializer.iter().filter_map(|t| t.name.clone());
    let made = graph.node.iter().flat_map(|n| n.output.iter().cloned());
    values.chain(constants).chain(made).collect()
}

/// Refuses constants of which only some elements are written.
pub(crate) fn dense(graph: &proto::Graph) -> Result<(), Error> {
    let Some(sparse) = graph.sparse_initializer.first() else { return Ok(()) };
    let name = sparse.values.as_ref().and_then(|v| v.name.clone()).unwrap_or_default();
    let (expected, got) = ("dense elements".to_string(), "a sparse tensor; export it dense".to_string());
    Err(Kind::Tensor { name, what: "initializer", expected, got }.into())
}

/// A graph on its way.
pub(crate) struct Scope<'w> {
    pub(crate) world: &'w World<'w>,
    pub(crate) opsets: Opsets,
    pub(crate) builder: GraphBuilder,
    /// Values by the names that nodes know them by.
    pub(crate) values: BTreeMap<String, ValueIdx>,
    /// Values that are no tensors in the model: they may leave the graph, but no node may take them.
    pub(crate) ends: BTreeSet<String>,
    /// Names that belong to the model, so that a value which an operator needs in between takes none of them.
    pub(crate) reserved: BTreeSet<String>,
    /// Functions that are being put in place, and graphs around this one.
    pub(crate) depth: usize,
    /// False inside a function, whose names are not those of the model.
    pub(crate) keeps_names: bool,
}

/// Most functions inside functions, and graphs inside graphs.
pub(crate) const MAX_DEPTH: usize = 32;

impl<'w> Scope<'w> {
    pub(crate) fn new(world: &'w World<'w>, opsets: Opsets, reserved: BTreeSet<String>) -> Scope<'w> {
        let (builder, values) = (GraphBuilder::new(), BTreeMap::new());
        Scope { world, opsets, builder, values, ends: BTreeSet::new(), reserved, depth: 0, keeps_names: true }
    }

    /// Inputs that the caller gives. Old models list their constants among them too.
    fn inputs(&mut self, graph: &proto::Graph) -> Result<(), Error> {
        let constants: BTreeSet<&str> = graph.initializer.iter().filter_map(|t| t.name.as_deref()).collect();
        for info in &graph.input {
            let name = info.name.as_deref().unwrap_or_default();
            if constants.contains(name) {
                continue;
            }
            let (dtype, shape) = declared(info)?;
            self.input(name, dtype, shape)?;
        }
        Ok(())
    }

    /// A value that the graph takes.
    pub(crate) fn input(&mut self, name: &str, dtype: DType, shape: Shape) -> Result<ValueIdx, Error> {
        let idx = self.builder.input(name, dtype, shape).map_err(|e| ill_formed(&e))?;
        self.values.insert(name.to_string(), idx);
        Ok(idx)
    }

    /// A constant of the graph, and its elements if they were taken out of it.
    pub(crate) fn initializer(
        &mut self,
        proto: &proto::Tensor,
        floats: Option<Vec<f32>>,
    ) -> Result<(), Error> {
        let name = proto.name.clone().unwrap_or_default();
        let value = tensor::read_with(proto, floats, self.world.external)?;
        let idx = self.builder.constant_named(&name, value).map_err(|e| ill_formed(&e))?;
        self.values.insert(name, idx);
        Ok(())
    }

    /// Nodes in their order.
    pub(crate) fn nodes(&mut self, nodes: &[proto::Node]) -> Result<(), Error> {
        for node in nodes {
            let outputs = self.node(node)?;
            self.bind(node, &outputs)?;
        }
        Ok(())
    }

    fn node(&mut self, node: &proto::Node) -> Result<Vec<ValueIdx>, Error> {
        let domain = domain(node.domain.as_deref());
        let op = node.op_type.as_deref().unwrap_or_default();
        let opset = self.opsets.version(domain);
        let mut context = Context::new(self, node, opset)?;
        let n_nodes = &context.scope.world.n_nodes;
        n_nodes.set(n_nodes.get() + 1);
        if n_nodes.get() > MAX_NODES {
            return Err(context.unsupported("a model of more than 2^20 nodes", "export a smaller one"));
        }
        if let Some(function) = context.scope.world.functions.get(node) {
            return crate::functions::inline(&mut context, function);
        }
        let Some(operator) = operators::find(domain, op) else {
            return Err(context.unknown(domain));
        };
        if opset < operator.since && domain.is_empty() {
            let instead = format!("export with opset {} or later", operator.since);
            return Err(context.unsupported("this operator", &instead));
        }
        let outputs = (operator.import)(&mut context)?;
        context.all_attributes_read()?;
        Ok(outputs)
    }

    /// Gives what a node made the names that the model has for it.
    fn bind(&mut self, node: &proto::Node, outputs: &[ValueIdx]) -> Result<(), Error> {
        let op = node.op_type.as_deref().unwrap_or_default();
        for (at, name) in node.output.iter().enumerate().filter(|(_, name)| !name.is_empty()) {
            let Some(&idx) = outputs.get(at) else {
                let what = format!("output \"{name}\" of an operator {op}");
                let expected = format!("at most {} outputs", outputs.len());
                return Err(Kind::Graph { what, expected, got: node.output.len().to_string() }.into());
            };
            if self.values.contains_key(name) {
                let what = format!("value \"{name}\"");
                return Err(Kind::Graph { what, expected: "one maker".into(), got: "two".into() }.into());
            }
            let known = self.builder.value(idx).is_some_and(|v| self.reserved.contains(&v.name));
            if self.keeps_names && !known && self.builder.is_free(name) {
                self.builder.rename(idx, name).map_err(|e| ill_formed(&e))?;
            }
            self.values.insert(name.clone(), idx);
        }
        Ok(())
    }

    /// The graph with outputs of these names.
    pub(crate) fn finish(mut self, outputs: &[proto::ValueInfo]) -> Result<Graph, Error> {
        let mut made = Vec::with_capacity(outputs.len());
        for info in outputs {
            let name = info.name.as_deref().unwrap_or_default();
            let Some(&idx) = self.values.get(name) else {
                let what = format!("output \"{name}\"");
                return Err(Kind::Graph {
                    what,
                    expected: "a value of the graph".into(),
                    got: "none".into(),
                }
                .into());
            };
            // An output keeps its name even where it is another value as it stands.
            let own = self.builder.value(idx).map(|v| v.name.clone()).unwrap_or_default();
            let idx = if own == name || !self.builder.is_free(name) {
                idx
            } else {
                let op = TensorOp::Identity(Identity).into();
                let all = self.builder.node_named(name, op, &[idx]).map_err(|e| ill_formed(&e))?;
                all.first().copied().unwrap_or(idx)
            };
            // What others infer inside the graph hangs on no declaration: only its ends show it.
            if let (0, Ok((_, shape))) = (self.depth, declared(info)) {
                self.builder.declare_shape(idx, &shape).map_err(|e| ill_formed(&e))?;
            }
            made.push(idx);
        }
        self.builder.finish(&made).map_err(|e| ill_formed(&e))
    }

    /// A name for a value in between that nobody else has.
    pub(crate) fn free(&self, base: &str) -> String {
        let mut name = base.to_string();
        while self.reserved.contains(&name) || !self.builder.is_free(&name) || name.is_empty() {
            name.push('_');
        }
        name
    }
}

/// Dtype and shape that a model declares.
pub(crate) fn declared(info: &proto::ValueInfo) -> Result<(DType, Shape), Error> {
    let name = info.name.as_deref().unwrap_or_default();
    let fail = |expected: &str, got: String| {
        let (what, expected) = (format!("value \"{name}\""), expected.to_string());
        Error::from(Kind::Graph { what, expected, got })
    };
    let tensor = match info.kind.as_ref().and_then(|k| k.value.as_ref()) {
        Some(proto::TypeValue::Tensor(tensor)) => tensor,
        Some(proto::TypeValue::Sequence(_)) => return Err(fail("a tensor", "a sequence".to_string())),
        Some(proto::TypeValue::Map(_)) => return Err(fail("a tensor", "a map".to_string())),
        Some(proto::TypeValue::Optional(_)) => return Err(fail("a tensor", "an optional value".to_string())),
        None => return Err(fail("a tensor", "a value without a type".to_string())),
    };
    let number = tensor.elem_type.unwrap_or(0);
    let dtype = dtype(number).ok_or_else(|| fail("a data type other than complex", number.to_string()))?;
    Ok((dtype, declared_shape(tensor).map_err(|n| fail("lengths of 0 or more", n.to_string()))?))
}

fn declared_shape(tensor: &proto::TensorType) -> Result<Shape, i64> {
    let Some(shape) = &tensor.shape else { return Ok(Shape::any()) };
    let dim = |d: &proto::Dimension| match &d.value {
        Some(proto::DimensionValue::Value(n)) => usize::try_from(*n).map(Dim::Fixed).map_err(|_| *n),
        Some(proto::DimensionValue::Param(name)) if !name.is_empty() => Ok(Dim::Symbol(name.clone())),
        Some(proto::DimensionValue::Param(_)) | None => Ok(Dim::Unknown),
    };
    Ok(Shape(shape.dim.iter().map(dim).collect::<Result<_, _>>()?))
}

/// A refusal of the graph's builder where no node is to blame.
pub(crate) fn ill_formed(error: &ir::Error) -> Error {
    match error.kind().clone() {
        ir::Kind::Graph { what, expected, got } => Kind::Graph { what, expected, got },
        other => Kind::Graph {
            what: "graph".to_string(),
            expected: "one that is well formed".to_string(),
            got: other.to_string(),
        },
    }
    .into()
}
