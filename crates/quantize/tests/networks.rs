//! Small networks of PyTorch and Keras, through both forms: the float network, pairs, integers.
#![allow(clippy::unwrap_used, reason = "tests may unwrap")]

#[path = "support/networks.rs"]
mod networks;

use ir::{NodeIdx, Tensor};
use jobs::Threads;
use networks::{N_ROWS, Noise, network, outputs};
use runtime::network::{Isa, Plan};
use runtime::tensors::Limits;
use smidgen_quantize::{
    Corrections, Effect, Error, Kind, Observed, Precision, Role, Roles, Rows, Scheme, between_forms,
    diagnose, dynamic, effect, lower, weights_only,
};
use std::ops::Range;

/// Networks of images, and whether all of their nodes have an integer form.
const CASES: [(&str, bool); 5] = [
    ("resnet_18_opset_8", true),
    ("resnet_18_captured", true),
    ("mobilenet_v2_opset_11", true),
    ("keras_cnn_opset_9", false),
    ("keras_cnn_opset_13", false),
];

fn check(name: &str, what: &str, got: Effect, most: f64) {
    assert!(got.noise <= most, "{name}, {what}: noise {:e}, at most {most:e}", got.noise);
}

#[test]
fn both_forms_are_near_and_plans_are_exact() {
    for (name, is_whole) in CASES {
        let graph = network(name);
        let rows = Noise::of(&graph);
        let float = outputs(&graph, &rows);
        let observed = Observed::of(&graph, &rows, &Threads::one(), &mut |_| Ok(())).unwrap();
        let scheme = Scheme::standard().unwrap();
        let quantized = observed.quantize(&scheme, &|_| Precision::Scheme).unwrap();
        let pairs = outputs(&quantized.graph, &rows);
        check(name, "pairs", effect(&float, &pairs), 0.02);
        let lowered = lower(&quantized.graph).unwrap();
        assert_eq!(lowered.floats.is_empty(), is_whole, "{name}: {:?}", lowered.floats);
        // The forms round a tie apart now and then, far below what rounding costs.
        let integers = outputs(&lowered.graph, &rows);
        let between = effect(&pairs, &integers).noise;
        let rounding = effect(&float, &pairs).noise;
        assert!(
            between <= 0.25 * rounding,
            "{name}: {between:e} between the forms, {rounding:e} by rounding"
        );
        // Node by node, on equal inputs.
        let forms =
            between_forms(&quantized.graph, &lowered.graph, &lowered.made, &rows.rows(0..N_ROWS).unwrap());
        let forms = forms.unwrap();
        let (n, differing) = forms.iter().fold((0, 0), |(n, other), f| (n + f.n, other + f.differing));
        assert!(n > 1000 && 1000 * differing <= n, "{name}: {differing} of {n} codes differ");
        assert!(forms.iter().all(|f| f.furthest <= 1), "{name}: {forms:?}");
        for isa in [Isa::Scalar, Isa::best()] {
            let lengths = vec![[&[N_ROWS][..], &rows.dims].concat()];
            let plan = Plan::with_isa(&lowered.graph, &lengths, Limits::default(), isa).unwrap();
            assert_eq!(plan.run(rows.rows(0..N_ROWS).unwrap()).unwrap(), integers, "{name} {}", isa.name());
        }
    }
}

#[test]
fn batches_and_threads_change_no_bit() {
    struct One(Noise);
    impl Rows for One {
        fn n_rows(&self) -> usize {
            N_ROWS
        }
        fn batch(&self) -> usize {
            5
        }
        fn rows(&self, rows: Range<usize>) -> Result<Vec<(String, Tensor)>, Error> {
            self.0.rows(rows)
        }
    }
    let graph = network("resnet_18_opset_8");
    let seen = |rows: &dyn Rows, threads: usize| {
        let mut n = 0;
        let threads = Threads::try_new(threads).unwrap();
        let mut go_on = |more| {
            n += more;
            Ok(())
        };
        let seen = Observed::of(&graph, rows, &threads, &mut go_on).unwrap().seen;
        assert_eq!(n, N_ROWS);
        seen
    };
    let [a, b] = [seen(&Noise::of(&graph), 1), seen(&One(Noise::of(&graph)), 1)];
    // Products of floats may be summed otherwise in another batch; the input is not.
    let input = graph.inputs()[0];
    assert_eq!(a[&input], b[&input]);
    assert_eq!(a.keys().collect::<Vec<_>>(), b.keys().collect::<Vec<_>>());
    for threads in [2, 3] {
        assert_eq!(b, seen(&One(Noise::of(&graph)), threads), "{threads}");
    }
    // What stops one stops all.
    let mut stop = |_| Err(Kind::Interrupted.into());
    let stopped = Observed::of(&graph, &Noise::of(&graph), &Threads::one(), &mut stop);
    assert!(matches!(stopped.map(drop).unwrap_err().kind(), Kind::Interrupted));
}

#[test]
fn fewer_bits_cost_more_and_kept_layers_nothing() {
    let graph = network("resnet_18_opset_8");
    let rows = Noise::of(&graph);
    let float = outputs(&graph, &rows);
    let observed = Observed::of(&graph, &rows, &Threads::one(), &mut |_| Ok(())).unwrap();
    let noise = |bits: u8, precision: Precision| {
        let mut scheme = Scheme::standard().unwrap();
        scheme.weights.codes.bits = bits;
        let made = observed.quantize(&scheme, &|_| precision).unwrap();
        effect(&float, &outputs(&made.graph, &rows)).noise
    };
    let [two, four, eight] = [2, 4, 8].map(|bits| noise(bits, Precision::Scheme));
    assert!(two > four && four > eight && eight > 0.0, "{two:e} {four:e} {eight:e}");
    let [wide, widest, float] =
        [Precision::Wide, Precision::Widest, Precision::Float].map(|precision| noise(8, precision));
    assert!(wide < eight && widest < 1e-3 * wide && widest > 0.0, "{eight:e} {wide:e} {widest:e}");
    assert_eq!(float, 0.0);
}

#[test]
fn integers_keep_16_bits() {
    for (name, _) in CASES {
        let graph = network(name);
        let rows = Noise::of(&graph);
        let float = outputs(&graph, &rows);
        let observed = Observed::of(&graph, &rows, &Threads::one(), &mut |_| Ok(())).unwrap();
        for precision in [Precision::Wide, Precision::Widest] {
            let quantized = observed.quantize(&Scheme::standard().unwrap(), &|_| precision).unwrap();
            let of_pairs = effect(&float, &outputs(&quantized.graph, &rows)).noise;
            // Sums that could be cut off stay floats.
            let integers = outputs(&lower(&quantized.graph).unwrap().graph, &rows);
            let of_integers = effect(&float, &integers).noise;
            let most = 1.5 * of_pairs + 1e-9;
            assert!(of_integers <= most, "{name}, {precision:?}: {of_integers:e} and {of_pairs:e}");
        }
    }
}

#[test]
fn any_node_can_be_kept() {
    for (name, _) in CASES {
        let graph = network(name);
        let rows = Noise::of(&graph);
        let float = outputs(&graph, &rows);
        let observed = Observed::of(&graph, &rows, &Threads::one(), &mut |_| Ok(())).unwrap();
        let mut scheme = Scheme::standard().unwrap();
        scheme.corrections = Corrections::default();
        for (at, node) in graph.nodes().iter().enumerate() {
            let kept = |idx: NodeIdx| match idx.0 as usize == at {
                true => Precision::Float,
                false => Precision::Scheme,
            };
            let quantized = observed.quantize(&scheme, &kept).unwrap();
            // What is told of layers needs what was seen of all that they take.
            for (_, group) in quantized.decisions.places.values() {
                let is_known = observed.statistics(group).is_some() || graph.constant(group).is_some();
                assert!(is_known, "{name} without {}: {}", node.name, graph.value(group).name);
            }
            // Every third one runs.
            if at % 3 == 0 {
                let got = effect(&float, &outputs(&quantized.graph, &rows));
                check(name, &format!("without {}", node.name), got, 0.02);
            }
        }
    }
}

#[test]
fn without_rows_weights_alone_or_ranges_at_each_run() {
    for (name, _) in CASES {
        let graph = network(name);
        let rows = Noise::of(&graph);
        let float = outputs(&graph, &rows);
        let roles = Roles::of(&graph);
        let scheme = Scheme::standard().unwrap();
        let weights = weights_only(&roles, &scheme, &|_| Precision::Scheme).unwrap();
        check(name, "weights alone", effect(&float, &outputs(&weights.graph, &rows)), 0.01);
        let dynamic = dynamic(&roles, &scheme, &|_| Precision::Scheme).unwrap();
        check(name, "dynamic", effect(&float, &outputs(&dynamic.graph, &rows)), 0.05);
    }
}

#[test]
fn biases_take_up_mean_errors() {
    let graph = network("resnet_18_opset_8");
    let rows = Noise::of(&graph);
    let observed = Observed::of(&graph, &rows, &Threads::one(), &mut |_| Ok(())).unwrap();
    let mut scheme = Scheme::standard().unwrap();
    scheme.weights.codes.bits = 4;
    let corrected = observed.quantize(&scheme, &|_| Precision::Scheme).unwrap();
    assert!(!corrected.decisions.biases.is_empty());
    for layer in &corrected.errors {
        assert!(layer.corrected <= layer.error, "{layer:?}");
    }
    scheme.corrections = Corrections::default();
    let plain = observed.quantize(&scheme, &|_| Precision::Scheme).unwrap();
    assert!(plain.decisions.biases.is_empty());
    let last = |of: &[smidgen_quantize::LayerError]| of.last().unwrap().corrected;
    assert!(last(&corrected.errors) < last(&plain.errors));
}

#[test]
fn every_layer_is_told_of() {
    let graph = network("mobilenet_v2_opset_11");
    let rows = Noise::of(&graph);
    let observed = Observed::of(&graph, &rows, &Threads::one(), &mut |_| Ok(())).unwrap();
    let scheme = Scheme::standard().unwrap();
    let quantized = observed.quantize(&scheme, &|_| Precision::Scheme).unwrap();
    let layers = diagnose(&observed, &scheme, &quantized, &mut || Ok(())).unwrap();
    let n = observed.roles.nodes().filter(|(.., role)| matches!(role, Role::Layer(_))).count();
    assert_eq!(layers.len(), n);
    for layer in &layers {
        assert!(layer.alone.noise.is_finite() && layer.signal_to_noise > 0.0, "{layer:?}");
        assert!(layer.observers.len() >= 8 && layer.bits == (8, 8), "{layer:?}");
        assert!(layer.range.0 <= 0.0 && layer.range.1 >= 0.0);
    }
    assert_eq!(layers.iter().filter(|l| l.remedy.is_some()).count(), 3);
}
