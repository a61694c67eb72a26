//! Operators that a model defines by nodes: the nodes are put in the place of each use.

use crate::context::Context;
use crate::error::{Error, Kind};
use crate::import::{MAX_DEPTH, Opsets, domain};
use crate::proto;
use ir::ValueIdx;
use std::collections::BTreeMap;

/// The functions of a model, by set, name and overload.
pub(crate) struct Functions<'m>(Vec<(Key<'m>, (&'m proto::Function, Opsets))>);

/// Set, name and overload.
type Key<'k> = [&'k str; 3];

impl<'m> Functions<'m> {
    pub(crate) fn of(model: &'m proto::Model) -> Result<Functions<'m>, Error> {
        let mut all = Vec::with_capacity(model.functions.len());
        for function in &model.functions {
            let overload = function.overload.as_deref().unwrap_or_default();
            let key =
                [domain(function.domain.as_deref()), function.name.as_deref().unwrap_or_default(), overload];
            let opsets = match function.opset_import.is_empty() {
                true => Opsets::of(&model.opset_import)?,
                false => Opsets::of(&function.opset_import)?,
            };
            all.push((key, (function, opsets)));
        }
        Ok(Functions(all))
    }

    pub(crate) fn get(&self, node: &proto::Node) -> Option<&(&'m proto::Function, Opsets)> {
        let overload = node.overload.as_deref().unwrap_or_default();
        let key = [domain(node.domain.as_deref()), node.op_type.as_deref().unwrap_or_default(), overload];
        self.0.iter().find(|(own, _)| *own == key).map(|(_, function)| function)
    }
}

/// The outputs of a function's nodes for the inputs and attributes of a node.
pub(crate) fn inline(
    context: &mut Context<'_, '_>,
    (function, opsets): &(&proto::Function, Opsets),
) -> Result<Vec<ValueIdx>, Error> {
    if context.scope.depth >= MAX_DEPTH {
        let what = "a function that uses itself, or more than 32 functions inside each other,";
        return Err(context.unsupported(what, "write it as a loop"));
    }
    let mut values = BTreeMap::new();
    for (at, name) in function.input.iter().enumerate() {
        if let Some(value) = context.optional(at) {
            values.insert(name.clone(), value);
        }
    }
    let nodes: Vec<proto::Node> =
        function.node.iter().map(|n| bound(n, context.node, function, &values)).collect();
    let scope = &mut *context.scope;
    // Names inside are not those of the model.
    let outer_values = std::mem::replace(&mut scope.values, values);
    let outer_opsets = std::mem::replace(&mut scope.opsets, opsets.clone());
    let kept_names = std::mem::replace(&mut scope.keeps_names, false);
    scope.depth += 1;
    let done = scope.nodes(&nodes);
    scope.depth -= 1;
    scope.opsets = outer_opsets;
    scope.keeps_names = kept_names;
    let inner = std::mem::replace(&mut scope.values, outer_values);
    done?;
    let output = |name: &String| {
        inner.get(name).copied().ok_or_else(|| {
            let what =
                format!("output \"{name}\" of function \"{}\"", function.name.as_deref().unwrap_or("?"));
            Kind::Graph { what, expected: "a value of the function".into(), got: "none".into() }.into()
        })
    };
    function.output.iter().map(output).collect()
}

/// A node of a function with its attributes filled in, and without inputs that were not given.
fn bound(
    node: &proto::Node,
    call: &proto::Node,
    function: &proto::Function,
    values: &BTreeMap<String, ValueIdx>,
) -> proto::Node {
    let mut node = node.clone();
    fill(&mut node, call, function);
    for input in &mut node.input {
        if function.input.contains(input) && !values.contains_key(input) {
            input.clear();
        }
    }
    node
}

/// Takes the values of attributes that refer to those of the call, in graphs inside too.
fn fill(node: &mut proto::Node, call: &proto::Node, function: &proto::Function) {
    let given = |name: &str| {
        let own = call.attribute.iter().find(|a| a.name.as_deref() == Some(name));
        own.or_else(|| function.attribute_proto.iter().find(|a| a.name.as_deref() == Some(name)))
    };
    let mut attributes = Vec::with_capacity(node.attribute.len());
    for mut attribute in node.attribute.drain(..) {
        match attribute.ref_attr_name.as_deref().filter(|name| !name.is_empty()) {
            Some(name) => {
                // Without a value the attribute is left out, and the operator's default holds.
                if let Some(value) = given(name) {
                    attributes.push(proto::Attribute { name: attribute.name, ..value.clone() });
                }
            }
            None => {
                if let Some(graph) = &mut attribute.g {
                    graph.node.iter_mut().for_each(|n| fill(n, call, function));
                }
                attributes.push(attribute);
            }
        }
    }
    node.attribute = attributes;
}
