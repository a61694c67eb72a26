//! One node on its way: its inputs and attributes, and what an operator needs to write nodes of the graph.

use crate::error::{Error, Kind};
use crate::import::Scope;
use crate::proto;
use crate::tensor;
use ir::op::{Op, TensorOp};
use ir::{DType, Dim, Shape, Tensor, TensorData, ValueIdx};
use std::cell::RefCell;
use std::collections::BTreeSet;

/// A node and the graph that it goes to.
pub(crate) struct Context<'c, 'w> {
    pub(crate) scope: &'c mut Scope<'w>,
    pub(crate) node: &'c proto::Node,
    pub(crate) opset: i64,
    inputs: Vec<Option<ValueIdx>>,
    /// Attributes that were asked for; one that nobody asks for is not supported.
    read: RefCell<BTreeSet<String>>,
}

impl<'c, 'w> Context<'c, 'w> {
    pub(crate) fn new(
        scope: &'c mut Scope<'w>,
        node: &'c proto::Node,
        opset: i64,
    ) -> Result<Context<'c, 'w>, Error> {
        let mut context = Context { scope, node, opset, inputs: Vec::new(), read: RefCell::default() };
        for name in &node.input {
            if context.scope.ends.contains(name) {
                let what = format!("a node behind the maps of classes to scores \"{name}\"");
                return Err(context.unsupported(&what, "export without ZipMap (zipmap=False)"));
            }
            let found = match name.as_str() {
                "" => None,
                name => Some(context.scope.values.get(name).copied().ok_or_else(|| {
                    let expected = "a value that an input, a constant or a node before it makes";
                    context.misfit(&format!("input \"{name}\""), expected, "none")
                })?),
            };
            context.inputs.push(found);
        }
        Ok(context)
    }

    pub(crate) fn op(&self) -> &'c str {
        self.node.op_type.as_deref().unwrap_or_default()
    }

    /// The node's own name, or that of its first output.
    pub(crate) fn name(&self) -> &'c str {
        let own = self.node.name.as_deref().filter(|n| !n.is_empty());
        own.or_else(|| self.node.output.iter().map(String::as_str).find(|n| !n.is_empty())).unwrap_or("?")
    }

    pub(crate) fn unsupported(&self, what: &str, instead: &str) -> Error {
        let (node, op, opset) = (self.name().to_string(), self.op().to_string(), self.opset);
        Kind::Unsupported { node, op, opset, what: what.to_string(), instead: instead.to_string() }.into()
    }

    /// The error of an operator that is not in the table.
    pub(crate) fn unknown(&self, domain: &str) -> Error {
        let op = self.op();
        let what = match domain {
            "" => "this operator".to_string(),
            domain => format!("this operator of \"{domain}\""),
        };
        let near = crate::operators::nearest(domain, op);
        let near = near.map_or(String::new(), |name| format!("did you mean {name}? "));
        let instead = format!("{near}export with operators of ONNX that are, or as a function of the model");
        self.unsupported(&what, &instead)
    }

    pub(crate) fn misfit(&self, what: &str, expected: &str, got: &str) -> Error {
        Kind::Node {
            node: self.name().to_string(),
            op: self.op().to_string(),
            opset: self.opset,
            what: what.to_string(),
            expected: expected.to_string(),
            got: got.to_string(),
        }
        .into()
    }

    // Inputs and what is known of values.

    pub(crate) fn n_inputs(&self) -> usize {
        self.inputs.len()
    }

    pub(crate) fn optional(&self, at: usize) -> Option<ValueIdx> {
        self.inputs.get(at).copied().flatten()
    }

    pub(crate) fn input(&self, at: usize) -> Result<ValueIdx, Error> {
        self.optional(at).ok_or_else(|| self.misfit("inputs", &format!("one at place {at}"), "none"))
    }

    /// All inputs, of which none may be left out.
    pub(crate) fn all_inputs(&self) -> Result<Vec<ValueIdx>, Error> {
        (0..self.inputs.len()).map(|at| self.input(at)).collect()
    }

    /// True if an output is asked for.
    pub(crate) fn makes(&self, at: usize) -> bool {
        self.node.output.get(at).is_some_and(|name| !name.is_empty())
    }

    pub(crate) fn dtype(&self, value: ValueIdx) -> DType {
        self.scope.builder.dtype(value).unwrap_or(DType::F32)
    }

    pub(crate) fn shape(&self, value: ValueIdx) -> Shape {
        self.scope.builder.shape(value).cloned().unwrap_or_else(Shape::any)
    }

    pub(crate) fn axes(&self, value: ValueIdx) -> Option<Vec<Dim>> {
        self.shape(value).axes().map(<[Dim]>::to_vec)
    }

    /// Number of axes, which this operator must know.
    pub(crate) fn rank(&self, value: ValueIdx) -> Result<usize, Error> {
        let rank = self.axes(value).map(|a| a.len());
        rank.ok_or_else(|| {
            let instead = "export with shapes inferred, so that the number of axes is known";
            self.unsupported("an input whose number of axes is not known", instead)
        })
    }

    /// The length of an axis, if it is known.
    pub(crate) fn length(&self, value: ValueIdx, axis: usize) -> Option<usize> {
        match self.axes(value)?.get(axis)? {
            Dim::Fixed(n) => Some(*n),
            Dim::Symbol(_) | Dim::Unknown | Dim::Rest => None,
        }
    }

    pub(crate) fn constant(&self, value: ValueIdx) -> Option<&Tensor> {
        match &self.scope.builder.value(value)?.origin {
            ir::Origin::Constant(tensor) => Some(tensor),
            ir::Origin::Input(_) | ir::Origin::Node(_) => None,
        }
    }

    // Attributes.

    fn attribute(&self, name: &str) -> Option<&'c proto::Attribute> {
        self.read.borrow_mut().insert(name.to_string());
        self.node.attribute.iter().find(|a| a.name.as_deref() == Some(name))
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.attribute(name).is_some()
    }

    fn kind_of(&self, name: &str, expected: &str) -> Error {
        self.misfit(&format!("attribute \"{name}\""), expected, "another kind of attribute")
    }

    pub(crate) fn int_or(&self, name: &str) -> Result<Option<i64>, Error> {
        match self.attribute(name) {
            None => Ok(None),
            Some(attribute) => attribute.i.map(Some).ok_or_else(|| self.kind_of(name, "a whole number")),
        }
    }

    pub(crate) fn int(&self, name: &str, default: i64) -> Result<i64, Error> {
        Ok(self.int_or(name)?.unwrap_or(default))
    }

    pub(crate) fn flag(&self, name: &str, default: bool) -> Result<bool, Error> {
        Ok(self.int(name, default.into())? != 0)
    }

    pub(crate) fn float_or(&self, name: &str) -> Result<Option<f32>, Error> {
        match self.attribute(name) {
            None => Ok(None),
            Some(attribute) => attribute.f.map(Some).ok_or_else(|| self.kind_of(name, "a number")),
        }
    }

    pub(crate) fn float(&self, name: &str, default: f32) -> Result<f32, Error> {
        Ok(self.float_or(name)?.unwrap_or(default))
    }

    pub(crate) fn ints(&self, name: &str) -> Option<Vec<i64>> {
        self.attribute(name).map(|a| a.ints.clone())
    }

    pub(crate) fn floats(&self, name: &str) -> Option<Vec<f32>> {
        self.attribute(name).map(|a| a.floats.clone())
    }

    pub(crate) fn word(&self, name: &str, default: &str) -> Result<String, Error> {
        match self.attribute(name) {
            None => Ok(default.to_string()),
            Some(attribute) => match attribute.s.as_ref().map(|s| std::str::from_utf8(s)) {
                Some(Ok(text)) => Ok(text.to_string()),
                _ => Err(self.kind_of(name, "text")),
            },
        }
    }

    pub(crate) fn words(&self, name: &str) -> Result<Option<Vec<String>>, Error> {
        let Some(attribute) = self.attribute(name) else { return Ok(None) };
        let all = attribute.strings.iter().map(|s| String::from_utf8(s.to_vec()));
        all.collect::<Result<_, _>>().map(Some).map_err(|_| self.kind_of(name, "text"))
    }

    pub(crate) fn tensor(&self, name: &str) -> Result<Option<Tensor>, Error> {
        match self.attribute(name) {
            None => Ok(None),
            Some(attribute) => {
                let proto = attribute.t.as_ref().ok_or_else(|| self.kind_of(name, "a tensor"))?;
                tensor::read(proto, self.scope.world.external).map(Some)
            }
        }
    }

    pub(crate) fn graph(&self, name: &str) -> Result<&'c proto::Graph, Error> {
        let graph = self.attribute(name).and_then(|a| a.g.as_ref());
        graph.ok_or_else(|| self.kind_of(name, "a graph"))
    }

    /// Lengths, steps or counts.
    pub(crate) fn counts(&self, name: &str) -> Result<Vec<usize>, Error> {
        self.ints(name).unwrap_or_default().iter().map(|&n| self.count(name, n)).collect()
    }

    /// A whole number of 0 or more.
    pub(crate) fn count(&self, what: &str, n: i64) -> Result<usize, Error> {
        usize::try_from(n).map_err(|_| self.misfit(what, "0 or more", &n.to_string()))
    }

    /// A dtype that an attribute names by its number.
    pub(crate) fn dtype_attribute(&self, name: &str) -> Result<Option<DType>, Error> {
        let Some(number) = self.int_or(name)? else { return Ok(None) };
        let dtype = i32::try_from(number).ok().and_then(tensor::dtype);
        dtype.map(Some).ok_or_else(|| {
            let what = format!("the data type {number}");
            self.unsupported(&what, "use one of numbers, bool or text")
        })
    }

    /// Refuses an attribute that nobody asked for.
    pub(crate) fn all_attributes_read(&self) -> Result<(), Error> {
        let read = self.read.borrow();
        let unread =
            self.node.attribute.iter().filter_map(|a| a.name.as_deref()).find(|n| !read.contains(*n));
        match unread {
            None => Ok(()),
            Some(name) => {
                let what = format!("the attribute \"{name}\"");
                Err(self.unsupported(&what, "leave it out"))
            }
        }
    }

    // Nodes of the graph.

    /// All outputs of a new node.
    pub(crate) fn emit_all(
        &mut self,
        op: impl Into<TensorOp>,
        inputs: &[ValueIdx],
    ) -> Result<Vec<ValueIdx>, Error> {
        let name = self.scope.free(self.name());
        let made = self.scope.builder.node_named(&name, Op::from(op.into()), inputs);
        made.map_err(|e| match e.kind().clone() {
            ir::Kind::Node { what, expected, got, .. } => self.misfit(&what, &expected, &got),
            other => self.misfit("node", "one that the graph takes", &other.to_string()),
        })
    }

    /// The first output of a new node.
    pub(crate) fn emit(&mut self, op: impl Into<TensorOp>, inputs: &[ValueIdx]) -> Result<ValueIdx, Error> {
        let made = self.emit_all(op, inputs)?;
        made.first().copied().ok_or_else(|| self.misfit("outputs", "one or more", "none"))
    }

    pub(crate) fn add_constant(&mut self, tensor: Tensor) -> Result<ValueIdx, Error> {
        let name = self.scope.free(&format!("{}:k", self.name()));
        self.scope.builder.constant_named(&name, tensor).map_err(|e| crate::import::ill_formed(&e))
    }

    /// Whole numbers as a constant `[n]`.
    pub(crate) fn list(&mut self, values: &[i64]) -> Result<ValueIdx, Error> {
        self.add_constant(Tensor::vector(TensorData::I64(values.to_vec())))
    }

    /// A whole number as a constant `[]`.
    pub(crate) fn whole(&mut self, value: i64) -> Result<ValueIdx, Error> {
        self.scalar_data(TensorData::I64(vec![value]))
    }

    pub(crate) fn scalar_data(&mut self, data: TensorData) -> Result<ValueIdx, Error> {
        let tensor =
            Tensor::scalar(data).ok_or_else(|| self.misfit("constant", "one element", "another number"))?;
        self.add_constant(tensor)
    }

    /// Zero, false or the empty text as a constant `[]`.
    pub(crate) fn zero(&mut self, dtype: DType) -> Result<ValueIdx, Error> {
        self.scalar_data(match dtype {
            DType::Narrow(narrow) => TensorData::Narrow(narrow, vec![0]),
            DType::Str => TensorData::Str(vec![String::new()]),
            dtype => return self.number(dtype, 0.0),
        })
    }

    /// A number as a constant `[]` of a dtype.
    pub(crate) fn number(&mut self, dtype: DType, value: f64) -> Result<ValueIdx, Error> {
        let data = tensor::scalar(dtype, value);
        let data = data.ok_or_else(|| self.misfit("dtype", "numbers of 8 bits or more", dtype.name()))?;
        self.scalar_data(data)
    }
}
