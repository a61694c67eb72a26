//! Arguments that say how a network is fed, and what a network looks like.

use crate::{look, values};
use serde_json::{Value, json};
use smidgen::{Layout, NetworkOptions, NetworkSummary, Port};
use std::fmt::Write;
use std::path::PathBuf;

/// How pixels become what a network takes: (pixel * scale - mean) / std.
#[derive(clap::Args)]
pub(crate) struct NetworkArgs {
    /// Networks: a pixel is multiplied by this first; 1 unless given
    #[arg(long, value_name = "F", allow_negative_numbers = true, value_parser = values::finite)]
    input_scale: Option<f64>,
    /// Networks: then this is taken away: one number, or one a channel
    #[arg(long, value_name = "A,B,C", value_delimiter = ',', allow_negative_numbers = true, value_parser = values::finite)]
    input_mean: Vec<f64>,
    /// Networks: then it is divided by this: one number, or one a channel
    #[arg(long, value_name = "A,B,C", value_delimiter = ',', allow_negative_numbers = true, value_parser = values::finite)]
    input_std: Vec<f64>,
    /// Networks: where the channels of images stand: nchw or nhwc; found from the input unless given
    #[arg(long, value_name = "nchw|nhwc", value_parser = values::layout)]
    layout: Option<Layout>,
    /// Networks: classes of images or arrays, an IDX or NPY file; beside the images unless given
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,
}

impl NetworkArgs {
    pub(crate) fn options(&self) -> NetworkOptions {
        NetworkOptions {
            scale: self.input_scale,
            mean: self.input_mean.clone(),
            std: self.input_std.clone(),
            layout: self.layout,
            labels: self.labels.clone(),
        }
    }

    /// The flags that say so again.
    pub(crate) fn words(&self) -> Vec<String> {
        let list = |values: &[f64]| values.iter().map(f64::to_string).collect::<Vec<_>>().join(",");
        let some = |values: &[f64]| (!values.is_empty()).then(|| list(values));
        let layout = self.layout.map(|l| l.name().to_owned());
        let flags = [
            ("--input-scale", self.input_scale.map(|s| s.to_string())),
            ("--input-mean", some(&self.input_mean)),
            ("--input-std", some(&self.input_std)),
            ("--layout", layout),
            ("--labels", self.labels.as_ref().map(|path| path.display().to_string())),
        ];
        flags.into_iter().filter_map(|(name, value)| Some(format!("{name}={}", value?))).collect()
    }
}

/// A network for people.
pub(crate) fn text(seen: &NetworkSummary) -> String {
    let mut out = String::new();
    let share = match seen.n_parameters {
        0 => 0.0,
        n => 100.0 * seen.n_quantized as f64 / n as f64,
    };
    // Writing to a String cannot fail.
    let _ = writeln!(
        out,
        "{}: a network of {}, {} parameters ({share:.0} % of at most 8 bits), {} multiply-adds a row\n",
        seen.name,
        look::size(seen.bytes),
        look::count(seen.n_parameters),
        look::count(seen.multiply_adds)
    );
    let mut ports = look::table(&["", "name", "type", "shape"]);
    for (what, all) in [("takes", &seen.inputs), ("gives", &seen.outputs)] {
        for port in all {
            ports.add_row([
                what.to_owned(),
                port.name.clone(),
                port.dtype.to_string(),
                port.shape.to_string(),
            ]);
        }
    }
    let _ = writeln!(out, "{ports}\n");
    for line in said(seen) {
        let _ = writeln!(out, "{line}");
    }
    let mut weights = look::table(&["constants of", "number", "elements", "bytes"]);
    for w in &seen.weights {
        weights.add_row([
            w.dtype.to_string(),
            look::count(w.count),
            look::count(w.elements),
            look::size(w.bytes),
        ]);
    }
    let _ = writeln!(out, "{weights}\n");
    let mut operators = look::table(&["operator", "nodes", "multiply-adds"]);
    for o in &seen.operators {
        let of = if o.multiply_adds == 0 { String::new() } else { look::count(o.multiply_adds) };
        operators.add_row([o.name.to_owned(), look::count(o.count), of]);
    }
    let _ = writeln!(out, "{operators}");
    out
}

/// What the file of a network says beyond its graph, a line each; and whether it is exact.
fn said(seen: &NetworkSummary) -> Vec<String> {
    let mut lines = Vec::new();
    let list = |values: &[f64]| values.iter().map(f64::to_string).collect::<Vec<_>>().join(",");
    if let Some(pixels) = &seen.pixels {
        let mean = if pixels.mean.is_empty() { String::new() } else { format!(" - {}", list(&pixels.mean)) };
        let std = if pixels.std.is_empty() { String::new() } else { format!(", / {}", list(&pixels.std)) };
        let layout = pixels.layout.map_or_else(String::new, |l| format!(", {}", l.name()));
        lines.push(format!("pixels: * {}{mean}{std}{layout}", pixels.scale));
    }
    if let Some((output, kind)) = &seen.answer {
        let task = seen.task.map_or_else(String::new, |t| format!(" ({t})"));
        lines.push(format!("answers{task} by \"{output}\": {}", kind.name()));
    }
    if !seen.classes.is_empty() {
        lines.push(format!("classes: {}", seen.classes.join(", ")));
    }
    if !seen.recipe.is_empty() {
        lines.push(format!("recipe: {}", seen.recipe));
    }
    lines.push(if seen.exact {
        String::from("exact: every machine computes the same bits\n")
    } else {
        String::from("not exact: floats are left, whose sums may differ in their last bits\n")
    });
    lines
}

/// A network as one object.
pub(crate) fn object(seen: &NetworkSummary) -> Value {
    let port = |p: &Port| json!({"name": p.name, "dtype": p.dtype.to_string(), "shape": p.shape.to_string()});
    json!({
        "schema": 1,
        "status": "ok",
        "what": "network",
        "name": seen.name,
        "bytes": seen.bytes,
        "inputs": seen.inputs.iter().map(port).collect::<Vec<_>>(),
        "outputs": seen.outputs.iter().map(port).collect::<Vec<_>>(),
        "operators": seen.operators.iter().map(|o| json!({
            "name": o.name,
            "count": o.count,
            "multiply_adds": o.multiply_adds,
        })).collect::<Vec<_>>(),
        "parameters": seen.n_parameters,
        "parameters_quantized": seen.n_quantized,
        "multiply_adds": seen.multiply_adds,
        "constants": seen.weights.iter().map(|w| json!({
            "dtype": w.dtype.to_string(),
            "count": w.count,
            "elements": w.elements,
            "bytes": w.bytes,
        })).collect::<Vec<_>>(),
        "exact": seen.exact,
        "task": seen.task.map(|t| t.name()),
        "answer": seen.answer.as_ref().map(|(output, kind)| json!({"output": output, "kind": kind.name()})),
        "classes": if seen.classes.is_empty() { Value::Null } else { json!(seen.classes) },
        "pixels": seen.pixels.as_ref().map(|p| json!({
            "scale": p.scale,
            "mean": p.mean,
            "std": p.std,
            "layout": p.layout.map(Layout::name),
        })),
        "recipe": if seen.recipe.is_empty() { Value::Null } else { json!(seen.recipe) },
    })
}
