"""Makes small models of ONNX-ML's operators and records what ONNX Runtime makes of rows, for `ml.rs`.

    pip install onnx==1.22.0 onnxruntime==1.32.0 numpy
    python crates/onnx/tests/ml_models.py

For each model `testdata/onnx/ml` gets `NAME.onnx` and `NAME.txt`, which holds inputs and outputs: a line each, with
name, dtype, lengths and elements, in JSON.
"""

import json
import pathlib

import numpy
import onnx
import onnxruntime
from onnx import helper

OUT = pathlib.Path(__file__).parents[3] / "testdata" / "onnx" / "ml"
KINDS = {"float32": "f32", "float64": "f64", "int64": "i64", "object": "string", "str": "string"}
RANDOM = numpy.random.default_rng(11)


def line(kind, name, value):
    dtype = KINDS[value.dtype.name.rstrip("0123456789") if value.dtype.kind in "OU" else value.dtype.name]
    if value.dtype.kind == "f":
        # JSON has no NaN and no infinities.
        elements = [repr(float(v)) for v in value.ravel()]
    else:
        elements = value.ravel().tolist()
    return json.dumps([kind, name, dtype, list(value.shape), elements]) + "\n"


def record(name, nodes, inputs, outputs, version=3):
    """`nodes`: (operator, inputs, outputs, attributes); `inputs`: name to array; `outputs`: names."""
    made = [
        helper.make_node(op, i, o, domain="ai.onnx.ml" if op not in ("Identity", "Cast") else "", **attributes)
        for op, i, o, attributes in nodes
    ]
    kinds = {k: helper.np_dtype_to_tensor_dtype(v.dtype) for k, v in inputs.items()}
    given = [helper.make_tensor_value_info(k, kinds[k], [None] * v.ndim) for k, v in inputs.items()]
    wanted = [onnx.ValueInfoProto(name=o) for o in outputs]
    graph = helper.make_graph(made, name, given, wanted)
    opsets = [helper.make_opsetid("ai.onnx.ml", version), helper.make_opsetid("", 17)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8, producer_name="ml_models.py")
    saved = model.SerializeToString()
    session = onnxruntime.InferenceSession(saved, providers=["CPUExecutionProvider"])
    results = session.run(outputs, inputs)
    (OUT / f"{name}.onnx").write_bytes(saved)
    with open(OUT / f"{name}.txt", "w", newline="\n") as out:
        out.write("# Written by crates/onnx/tests/ml_models.py from ONNX Runtime 1.32.0.\n")
        out.writelines(line("input", k, v) for k, v in inputs.items())
        out.writelines(line("output", k, numpy.asarray(v)) for k, v in zip(outputs, results))


def rows(dtype, n=24, width=3):
    """Numbers on a grid of quarters, where thresholds are too, with their neighbours and missing cells."""
    x = (numpy.round(RANDOM.normal(size=(n, width)) * 8) / 4).astype(dtype)
    x[RANDOM.random(x.shape) < 0.1] = numpy.nan
    near = RANDOM.random(x.shape) < 0.2
    x[near] = numpy.nextafter(x[near], dtype(RANDOM.choice([-9.0, 9.0])))
    return x


def forest(kind, modes, n_trees, depth, ids, weight, tensors=False, dtype=numpy.float32):
    """Full trees: lists of nodes, and leaves that add `weight()` to each id that `ids(tree)` gives."""
    nodes = {k: [] for k in ["treeids", "nodeids", "featureids", "values", "modes", "truenodeids", "falsenodeids",
                             "missing_value_tracks_true", "hitrates"]}
    leaves = {k: [] for k in ["treeids", "nodeids", "ids", "weights"]}
    for tree in range(n_trees):
        for node in range(2 ** (depth + 1) - 1):
            leaf = node >= 2 ** depth - 1
            values = [tree, node, int(RANDOM.integers(3)), float(RANDOM.integers(-8, 9)) / 4,
                      "LEAF" if leaf else str(RANDOM.choice(modes)), 0 if leaf else 2 * node + 1,
                      0 if leaf else 2 * node + 2, int(RANDOM.integers(2)), 1.0]
            for key, value in zip(nodes, values):
                nodes[key].append(value)
            for one in ids(tree) if leaf else []:
                for key, value in zip(leaves, [tree, node, one, weight()]):
                    leaves[key].append(value)
    made = {f"nodes_{k}": v for k, v in nodes.items()} | {f"{kind}_{k}": v for k, v in leaves.items()}
    if tensors:
        for key in ["nodes_values", "nodes_hitrates", f"{kind}_weights"]:
            made[f"{key}_as_tensor"] = onnx.numpy_helper.from_array(numpy.array(made.pop(key), dtype), key)
    return made


def signed():
    return float(numpy.float32(RANDOM.normal()))


def share():
    return float(numpy.float32(RANDOM.random() / 4))


ALL = ["BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ"]


def trees():
    def regressor(name, modes=ALL, n=1, ids=lambda tree: [0], dtype=numpy.float32, tensors=False, depth=3, **more):
        made = forest("target", modes, 4, depth, ids, signed, tensors, dtype)
        record(name, [("TreeEnsembleRegressor", ["x"], ["y"], made | {"n_targets": n} | more)],
               {"x": rows(dtype)}, ["y"])

    for mode in ALL:
        regressor(f"regressor_{mode.lower()}", [mode], depth=2)
    regressor("regressor_average", aggregate_function="AVERAGE", base_values=[0.5])
    regressor("regressor_min", aggregate_function="MIN")
    regressor("regressor_max", aggregate_function="MAX", base_values=[-0.25])
    regressor("regressor_targets", n=3, ids=lambda tree: [tree % 3, (tree + 1) % 3], base_values=[0.1, 0.2, 0.3])
    regressor("regressor_double", ["BRANCH_LEQ"], dtype=numpy.float64)
    regressor("regressor_tensors", ["BRANCH_LT"], dtype=numpy.float64, tensors=True)

    def classifier(name, labels, ids, weight, **more):
        made = forest("class", ["BRANCH_LEQ"], 3, 2, ids, weight)
        label = {"classlabels_strings" if isinstance(labels[0], str) else "classlabels_int64s": labels}
        record(name, [("TreeEnsembleClassifier", ["x"], ["label", "scores"], made | label | more)],
               {"x": rows(numpy.float32)}, ["label", "scores"])

    every = [0, 1, 2]
    for transform in ["NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO"]:
        classifier(f"classifier_{transform.lower()}", [7, 3, 5], lambda tree: every[: 2 + tree % 2], signed,
                   post_transform=transform)
    classifier("classifier_probit", ["a", "b", "c"], lambda tree: every, lambda: share() + 0.04, post_transform="PROBIT")
    classifier("classifier_base", ["no", "perhaps", "yes"], lambda tree: every, share, base_values=[0.1, 0.2, 0.0])
    for transform in ["NONE", "LOGISTIC"]:
        low = transform.lower()
        classifier(f"classifier_votes_{low}", ["no", "yes"], lambda tree: [0], share, post_transform=transform)
        classifier(f"classifier_signed_{low}", [0, 1], lambda tree: [0], signed, post_transform=transform)
        classifier(f"classifier_second_{low}", [0, 1], lambda tree: [1], signed, post_transform=transform)
    classifier("classifier_one_base", [0, 1], lambda tree: [0], signed, base_values=[0.3])


def linear():
    x = {"x": rows(numpy.float32)}
    x["x"][numpy.isnan(x["x"])] = 0.5
    weights = [round(float(v), 3) for v in RANDOM.normal(size=9)]
    for transform in ["NONE", "SOFTMAX", "LOGISTIC"]:
        low = transform.lower()
        attributes = dict(coefficients=weights, intercepts=[0.1, -0.2, 0.3], post_transform=transform)
        record(f"linear_classifier_{low}", [("LinearClassifier", ["x"], ["label", "scores"],
               attributes | {"classlabels_strings": ["c", "a", "b"], "multi_class": 1})], x, ["label", "scores"])
    for transform in ["NONE", "LOGISTIC"]:
        attributes = dict(coefficients=weights[:3], intercepts=[0.1], post_transform=transform)
        record(f"linear_classifier_one_{transform.lower()}", [("LinearClassifier", ["x"], ["label", "scores"],
               attributes | {"classlabels_ints": [4, 2]})], x, ["label", "scores"])
    record("linear_regressor", [("LinearRegressor", ["x"], ["y"],
           dict(coefficients=weights[:6], intercepts=[0.5, 1.5], targets=2))], x, ["y"])


def support_vectors():
    x = {"x": rows(numpy.float32)}
    x["x"][numpy.isnan(x["x"])] = 0.5
    vectors = [round(float(v), 2) for v in RANDOM.normal(size=18)]
    for kernel, params in [("LINEAR", [0.0, 0.0, 0.0]), ("POLY", [0.5, 1.0, 3.0]), ("RBF", [0.3, 0.0, 0.0]),
                           ("SIGMOID", [0.2, 0.1, 0.0])]:
        attributes = dict(kernel_type=kernel, kernel_params=params, support_vectors=vectors, n_supports=6,
                          coefficients=[round(float(v), 2) for v in RANDOM.normal(size=6)], rho=[0.2])
        record(f"svm_regressor_{kernel.lower()}", [("SVMRegressor", ["x"], ["y"], attributes)], x, ["y"])
    record("svm_one_class", [("SVMRegressor", ["x"], ["y"], attributes | {"one_class": 1})], x, ["y"])
    record("svm_regressor_plain", [("SVMRegressor", ["x"], ["y"], dict(
        kernel_type="LINEAR", kernel_params=[0.0, 0.0, 0.0], coefficients=[0.5, -1.0, 2.0], rho=[0.1]))], x, ["y"])

    def classifier(name, n, **more):
        n_pairs = n * (n - 1) // 2
        attributes = dict(
            kernel_type="RBF", kernel_params=[0.3, 0.0, 0.0], support_vectors=vectors, vectors_per_class=[6 // n] * n,
            coefficients=[round(float(v), 2) for v in RANDOM.normal(size=6 * (n - 1))],
            rho=[round(float(v) * 0.1, 2) for v in RANDOM.normal(size=n_pairs)], classlabels_ints=list(range(3, 3 + n)))
        record(name, [("SVMClassifier", ["x"], ["label", "scores"], attributes | more)], x, ["label", "scores"])

    classifier("svm_classifier_two", 2)
    classifier("svm_classifier_two_logistic", 2, post_transform="LOGISTIC")
    classifier("svm_classifier_two_probabilities", 2, prob_a=[-1.3], prob_b=[0.2])
    classifier("svm_classifier_three", 3)
    classifier("svm_classifier_three_softmax", 3, post_transform="SOFTMAX")


def columns():
    x = {"x": numpy.array([[1, -2, 0.5], [0, 0, 0], [-3, -1, -2], [numpy.nan, 4, 5]], numpy.float32)}
    plain = {"x": x["x"][:3]}
    for norm in ["MAX", "L1", "L2"]:
        record(f"normalizer_{norm.lower()}", [("Normalizer", ["x"], ["y"], dict(norm=norm))], plain, ["y"])
    record("scaler", [("Scaler", ["x"], ["y"], dict(offset=[1.0, 0.5, 0.0], scale=[2.0, 4.0, 0.5]))], x, ["y"])
    record("scaler_one", [("Scaler", ["x"], ["y"], dict(offset=[1.0], scale=[2.0]))], x, ["y"])
    whole = {"x": numpy.array([[1, 0, 3], [0, -1, 5]], numpy.int64)}
    record("scaler_whole", [("Scaler", ["x"], ["y"], dict(offset=[1.0], scale=[0.5]))], whole, ["y"])
    record("imputer_missing", [("Imputer", ["x"], ["y"], dict(
        imputed_value_floats=[7.0, 8.0, 9.0], replaced_value_float=float("nan")))], x, ["y"])
    record("imputer_zero", [("Imputer", ["x"], ["y"], dict(imputed_value_floats=[7.0], replaced_value_float=0.0))], x, ["y"])
    record("imputer_whole", [("Imputer", ["x"], ["y"], dict(imputed_value_int64s=[7], replaced_value_int64=-1))], whole, ["y"])
    record("binarizer", [("Binarizer", ["x"], ["y"], dict(threshold=0.5))], plain, ["y"])
    record("vectorizer", [("FeatureVectorizer", ["x", "z"], ["y"], dict(inputdimensions=[3, 2]))],
           {"x": plain["x"], "z": numpy.array([[1, 2], [3, 4], [5, 6]], numpy.float32)}, ["y"])
    record("extractor", [("ArrayFeatureExtractor", ["x", "at"], ["y"], {})],
           {"x": plain["x"], "at": numpy.array([2, 0], numpy.int64)}, ["y"])
    record("extractor_one", [("ArrayFeatureExtractor", ["x", "at"], ["y"], {})],
           {"x": plain["x"][0], "at": numpy.array([2, 0], numpy.int64)}, ["y"])


def labels():
    words = {"x": numpy.array(["a", "b", "z", "", "c"], dtype=object)}
    whole = {"x": numpy.array([[1, 2], [3, -7]], numpy.int64)}
    real = {"x": numpy.array([0.5, numpy.nan, -0.0, 3.0], numpy.float32)}
    keys = dict(strings=["a", "b", "c"], int64s=[1, 2, 3], floats=[0.5, float("nan"), 0.0])
    values = dict(strings=["x", "y", "z"], int64s=[10, 20, 30], floats=[0.1, 0.2, 0.3])
    for given, key in [(words, "strings"), (whole, "int64s"), (real, "floats")]:
        for value in values:
            attributes = {f"keys_{key}": keys[key], f"values_{value}": values[value]}
            # Up to version 3 the library finds no NaN, against the letter of the standard.
            record(f"encoder_{key}_{value}", [("LabelEncoder", ["x"], ["y"], attributes)], given, ["y"], version=4)
    record("encoder_default", [("LabelEncoder", ["x"], ["y"], dict(
        keys_strings=["a"], values_floats=[1.5], default_float=-3.0))], words, ["y"], version=2)
    record("encoder_first", [("LabelEncoder", ["x"], ["y"], dict(classes_strings=["a", "b", "c"], default_int64=9))],
           words, ["y"], version=1)
    record("mapper_words", [("CategoryMapper", ["x"], ["y"], dict(
        cats_int64s=[5, 6, 7], cats_strings=["a", "b", "c"], default_int64=-4))], words, ["y"])
    record("mapper_whole", [("CategoryMapper", ["x"], ["y"], dict(
        cats_int64s=[1, 2, 3], cats_strings=["a", "b", "c"], default_string="none"))], whole, ["y"])
    record("one_hot_whole", [("OneHotEncoder", ["x"], ["y"], dict(cats_int64s=[1, 3, 2]))], whole, ["y"])
    record("one_hot_words", [("OneHotEncoder", ["x"], ["y"], dict(cats_strings=["c", "a"]))], words, ["y"])
    record("one_hot_real", [("OneHotEncoder", ["x"], ["y"], dict(cats_int64s=[1, 3, 2]))],
           {"x": numpy.array([[1.0, 2.5], [3.0, 4.0]], numpy.float32)}, ["y"])


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    trees()
    linear()
    support_vectors()
    columns()
    labels()


if __name__ == "__main__":
    main()
