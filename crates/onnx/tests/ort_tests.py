"""Adds small models with what ONNX Runtime makes of them to the folder of node tests, for the runner `conformance.rs`.

    pip install onnx==1.22.0 onnxruntime==1.32.0 numpy
    python crates/onnx/tests/ort_tests.py FOLDER

They cover what the node tests of ONNX leave out: old opsets, kinds of convolutions and recurrent layers, and operators
of ONNX Runtime. Inputs and weights are drawn with fixed seeds.
"""

import pathlib
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

MS = "com.microsoft"


class Writer:
    """Writes tests `ort_NAME`."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.count = 0

    def write(self, name, nodes, inputs, constants=None, outputs=("y",), opset=21):
        """A test of a graph of nodes, for inputs by name."""
        constants = constants or {}
        graph = helper.make_graph(
            nodes,
            name,
            [helper.make_tensor_value_info(k, helper.np_dtype_to_tensor_dtype(v.dtype), v.shape) for k, v in inputs.items()],
            [helper.make_empty_tensor_value_info(o) for o in outputs],
            [v if isinstance(v, TensorProto) else numpy_helper.from_array(v, k) for k, v in constants.items()],
        )
        ids = [helper.make_opsetid("", opset), helper.make_opsetid(MS, 1)]
        model = helper.make_model(graph, opset_imports=ids, ir_version=8 if opset < 21 else 10)
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.log_severity_level = 4
        # With more threads its quantized LSTM takes the range of a part of the rows for each.
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        made = session.run(list(outputs), inputs)
        place = self.folder / f"ort_{name}"
        data = place / "test_data_set_0"
        data.mkdir(parents=True, exist_ok=True)
        for old in data.iterdir():
            old.unlink()
        (place / "model.onnx").write_bytes(model.SerializeToString())
        for at, (key, value) in enumerate(inputs.items()):
            (data / f"input_{at}.pb").write_bytes(numpy_helper.from_array(value, key).SerializeToString())
        for at, (key, value) in enumerate(zip(outputs, made)):
            (data / f"output_{at}.pb").write_bytes(numpy_helper.from_array(np.asarray(value), key).SerializeToString())
        self.count += 1


def drawn(seed, *shape, low=-1.0, high=1.0):
    return np.random.default_rng(seed).uniform(low, high, shape).astype(np.float32)


def drawn_ints(seed, dtype, *shape):
    info = np.iinfo(dtype)
    # Signed bytes have 7 bits: on machines without VNNI, ONNX Runtime's sums of two products with unsigned bytes saturate
    # at 16 bits, so that the tests would hang on the machine.
    least, most = (-64, 63) if dtype == np.int8 else (info.min, info.max)
    return np.random.default_rng(seed).integers(least, most + 1, shape, dtype=dtype)


def convolutions(w):
    cases = {
        "1d": ((2, 4, 9), (6, 4, 3), {"strides": [2], "pads": [1, 2]}),
        "1d_dilated": ((1, 2, 12), (3, 2, 3), {"dilations": [3]}),
        "2d_grouped": ((2, 4, 7, 8), (6, 2, 3, 2), {"group": 2, "pads": [1, 0, 2, 1]}),
        "2d_depthwise": ((2, 3, 9, 9), (3, 1, 3, 3), {"group": 3, "strides": [2, 1], "pads": [1, 1, 1, 1]}),
        "2d_multiplier": ((1, 3, 6, 6), (6, 1, 3, 3), {"group": 3}),
        "2d_pointwise": ((3, 5, 4, 4), (7, 5, 1, 1), {}),
        "2d_pointwise_stride": ((1, 5, 5, 5), (2, 5, 1, 1), {"strides": [2, 2]}),
        "2d_dilated": ((1, 2, 11, 11), (2, 2, 3, 3), {"dilations": [2, 3], "pads": [2, 3, 2, 3]}),
        "2d_same_upper": ((1, 2, 7, 6), (3, 2, 4, 3), {"auto_pad": "SAME_UPPER", "strides": [2, 2]}),
        "2d_same_lower": ((1, 2, 7, 6), (3, 2, 4, 3), {"auto_pad": "SAME_LOWER", "strides": [2, 2]}),
        "2d_valid": ((1, 2, 7, 6), (3, 2, 4, 3), {"auto_pad": "VALID"}),
        "3d": ((1, 2, 5, 6, 7), (4, 1, 2, 3, 3), {"group": 2, "strides": [1, 2, 1], "pads": [1, 0, 1, 0, 1, 1]}),
    }
    for name, (x, k, attrs) in cases.items():
        node = helper.make_node("Conv", ["x", "w", "b"], ["y"], **attrs)
        w.write(f"conv_{name}", [node], {"x": drawn(1, *x)}, {"w": drawn(2, *k), "b": drawn(3, k[0])}, opset=13)
    cases = {
        "1d": ((2, 3, 5), (3, 4, 3), {"strides": [2], "pads": [1, 0], "output_padding": [1]}),
        "2d_grouped": ((1, 4, 4, 5), (4, 3, 3, 2), {"group": 2, "strides": [2, 3], "dilations": [2, 1]}),
        "2d_depthwise": ((2, 3, 4, 4), (3, 1, 3, 3), {"group": 3, "pads": [1, 1, 1, 1]}),
        "2d_shape": ((1, 2, 3, 3), (2, 2, 3, 3), {"strides": [3, 2], "output_shape": [10, 8]}),
        "2d_same": ((1, 2, 3, 3), (2, 2, 3, 3), {"strides": [2, 2], "auto_pad": "SAME_UPPER"}),
        "3d": ((1, 2, 3, 3, 2), (2, 2, 2, 3, 2), {"strides": [1, 2, 2], "pads": [0, 1, 0, 1, 0, 1]}),
    }
    for name, (x, k, attrs) in cases.items():
        m = k[1] * attrs.get("group", 1)
        node = helper.make_node("ConvTranspose", ["x", "w", "b"], ["y"], **attrs)
        w.write(f"conv_transpose_{name}", [node], {"x": drawn(1, *x)}, {"w": drawn(2, *k), "b": drawn(3, m)}, opset=13)


def pools(w):
    image = drawn(4, 2, 3, 8, 7)
    cases = {
        "max_ceil": ("MaxPool", {"kernel_shape": [3, 2], "strides": [2, 2], "pads": [1, 0, 0, 1], "ceil_mode": 1}),
        "max_dilated": ("MaxPool", {"kernel_shape": [2, 3], "dilations": [2, 2], "strides": [1, 2]}),
        "max_same": ("MaxPool", {"kernel_shape": [3, 3], "strides": [2, 2], "auto_pad": "SAME_LOWER"}),
        "average_ceil": ("AveragePool", {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 0, 0], "ceil_mode": 1}),
        "average_pads": ("AveragePool", {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1], "count_include_pad": 1}),
        "average_dilated": ("AveragePool", {"kernel_shape": [2, 2], "dilations": [2, 3]}),
        "lp": ("LpPool", {"kernel_shape": [2, 3], "strides": [2, 1], "p": 3}),
    }
    for name, (op, attrs) in cases.items():
        w.write(f"pool_{name}", [helper.make_node(op, ["x"], ["y"], **attrs)], {"x": image}, opset=19)
    node = helper.make_node("MaxPool", ["x"], ["y", "i"], kernel_shape=[2, 2], strides=[2, 2])
    back = helper.make_node("MaxUnpool", ["y", "i"], ["z"], kernel_shape=[2, 2], strides=[2, 2])
    w.write("pool_max_places", [node, back], {"x": drawn(5, 1, 2, 4, 6)}, outputs=("y", "i", "z"))
    node = helper.make_node("GlobalLpPool", ["x"], ["y"], p=3)
    w.write("pool_global_lp", [node], {"x": image})


def recurrent(w):
    steps, batch, width, hidden = 5, 3, 4, 6
    x = drawn(10, steps, batch, width, low=-2, high=2)
    lengths = np.array([5, 2, 3], dtype=np.int32)
    kinds = {"RNN": 1, "GRU": 3, "LSTM": 4}
    for op, gates in kinds.items():
        for direction in ["forward", "reverse", "bidirectional"]:
            n = 2 if direction == "bidirectional" else 1
            variants = {"plain": {}, "lengths": {}, "all": {"clip": 0.7}}
            if op == "GRU":
                variants["linear_before_reset"] = {"linear_before_reset": 1}
                variants["linear_before_reset_lengths"] = {"linear_before_reset": 1}
            if op == "LSTM":
                variants["peepholes"] = {}
                variants["functions"] = {"activations": ["HardSigmoid", "Softsign", "Relu"] * n}
            if op == "RNN":
                variants["functions"] = {
                    "activations": ["LeakyRelu", "Affine"][:n],
                    "activation_alpha": [0.3, 0.5][:n],
                    "activation_beta": [0.1][: n - 1],
                }
            for variant, attrs in variants.items():
                weights = {
                    "w": drawn(11, n, gates * hidden, width),
                    "r": drawn(12, n, gates * hidden, hidden),
                    "b": drawn(13, n, 2 * gates * hidden),
                }
                names = ["x", "w", "r", "b", "", ""]
                if "lengths" in variant or variant == "all":
                    weights["lens"] = lengths
                    names[4] = "lens"
                if variant in ("all", "peepholes"):
                    weights["h0"] = drawn(14, n, batch, hidden)
                    names[5] = "h0"
                if op == "LSTM":
                    names += ["", ""]
                    if variant in ("all", "peepholes"):
                        weights["c0"] = drawn(15, n, batch, hidden)
                        names[6] = "c0"
                    if variant == "peepholes":
                        weights["p"] = drawn(16, n, 3 * hidden)
                        names[7] = "p"
                outputs = ("y", "h", "c") if op == "LSTM" else ("y", "h")
                attrs = {k: v for k, v in attrs.items() if v != []}
                node = helper.make_node(op, names, list(outputs), direction=direction, hidden_size=hidden, **attrs)
                w.write(f"{op.lower()}_{direction}_{variant}", [node], {"x": x}, weights, outputs, opset=14)
    weights = {
        "w": drawn_ints(17, np.int8, 2, width, 4 * hidden),
        "r": drawn_ints(18, np.int8, 2, hidden, 4 * hidden),
        "b": drawn(13, 2, 8 * hidden),
        "w_scale": drawn(19, 2, low=0.005, high=0.01),
        "w_zero": np.zeros(2, dtype=np.int8),
        "r_scale": drawn(20, 2, low=0.005, high=0.01),
        "r_zero": np.zeros(2, dtype=np.int8),
    }
    names = ["x", "w", "r", "b", "", "", "", "", "w_scale", "w_zero", "r_scale", "r_zero"]
    node = helper.make_node(
        "DynamicQuantizeLSTM", names, ["y", "h", "c"], domain=MS, direction="bidirectional", hidden_size=hidden
    )
    w.write("dynamic_quantize_lstm", [node], {"x": x}, weights, ("y", "h", "c"))
    each = dict(weights)
    for key, seed in (("w_scale", 21), ("r_scale", 22)):
        each[key] = drawn(seed, 2, 4 * hidden, low=0.005, high=0.01)
    for key in ("w_zero", "r_zero"):
        each[key] = np.zeros((2, 4 * hidden), dtype=np.int8)
    w.write("dynamic_quantize_lstm_each", [node], {"x": x}, each, ("y", "h", "c"))


def quantized(w):
    scales = {k: np.float32(v) for k, v in {"xs": 0.02, "ys": 0.1}.items()}
    for name, kind, zero in (("u8", np.uint8, 130), ("i8", np.int8, 3)):
        x = drawn_ints(30, kind, 2, 4, 6, 6)
        constants = dict(scales)
        constants |= {
            "xz": kind(zero),
            "w": drawn_ints(31, np.int8, 6, 2, 3, 3),
            "ws": drawn(32, 6, low=0.001, high=0.02),
            "wz": np.zeros(6, dtype=np.int8),
            "yz": kind(zero),
            "b": np.random.default_rng(33).integers(-5000, 5000, 6).astype(np.int32),
        }
        names = ["x", "xs", "xz", "w", "ws", "wz", "ys", "yz", "b"]
        node = helper.make_node("QLinearConv", names, ["y"], group=2, pads=[1, 0, 1, 2], strides=[2, 1])
        w.write(f"qlinear_conv_{name}", [node], {"x": x}, constants)
    a, b = drawn_ints(34, np.uint8, 2, 5, 7), drawn_ints(35, np.int8, 7, 4)
    constants = {"b": b, "az": np.uint8(9), "bz": drawn_ints(36, np.int8, 4)}
    w.write("matmul_integer_columns", [helper.make_node("MatMulInteger", ["a", "b", "az", "bz"], ["y"])], {"a": a}, constants)
    constants = {
        "as": np.float32(0.02), "az": np.uint8(120), "b": b, "bs": drawn(37, 4, low=0.01, high=0.02),
        "bz": np.zeros(4, dtype=np.int8), "ys": np.float32(0.3), "yz": np.uint8(100),
    }
    node = helper.make_node("QLinearMatMul", ["a", "as", "az", "b", "bs", "bz", "ys", "yz"], ["y"])
    w.write("qlinear_matmul_columns", [node], {"a": a}, constants)
    for name, bits, block, has_zeros in (("4", 4, 16, False), ("4_zeros", 4, 32, True), ("8_zeros", 8, 16, True)):
        n, k = 5, 48
        n_blocks = -(-k // block)
        constants = {
            "b": drawn_ints(38, np.uint8, n, n_blocks, block * bits // 8),
            "s": drawn(39, n * n_blocks, low=0.01, high=0.1),
        }
        names = ["a", "b", "s"]
        if has_zeros:
            constants["z"] = drawn_ints(40, np.uint8, n * -(-n_blocks * bits // 8))
            names.append("z")
        node = helper.make_node("MatMulNBits", names, ["y"], domain=MS, K=k, N=n, bits=bits, block_size=block)
        w.write(f"matmul_n_bits_{name}", [node], {"a": drawn(41, 2, 3, k)}, constants)
    node = helper.make_node("DynamicQuantizeMatMul", ["a", "b", "bs", "bz", "c"], ["y"], domain=MS)
    constants = {"b": b, "bs": drawn(37, 4, low=0.01, high=0.02), "bz": np.zeros(4, dtype=np.int8), "c": drawn(42, 4)}
    w.write("dynamic_quantize_matmul", [node], {"a": drawn(43, 3, 7)}, constants)
    node = helper.make_node("QLinearAdd", ["a", "as", "az", "c", "cs", "cz", "ys", "yz"], ["y"], domain=MS)
    constants = {
        # Scales without ties, which it does not round to even here.
        "as": np.float32(0.0213), "az": np.uint8(120), "c": drawn_ints(44, np.uint8, 5, 7), "cs": np.float32(0.0471),
        "cz": np.uint8(3), "ys": np.float32(0.0637), "yz": np.uint8(100),
    }
    w.write("qlinear_add", [node], {"a": a}, constants)
    x = drawn(45, 3, 4, 5, low=-3, high=3)
    constants = {"s": drawn(46, 4, low=0.01, high=0.1), "z": drawn_ints(47, np.int8, 4)}
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "s", "z"], ["q"], axis=-2),
        helper.make_node("DequantizeLinear", ["q", "s", "z"], ["y"], axis=-2),
    ]
    w.write("qdq_axis", nodes, {"x": x}, constants, ("q", "y"), opset=13)


def old_opsets(w):
    x = drawn(50, 2, 3, 4, 5)
    one = lambda op, **attrs: [helper.make_node(op, ["x"], ["y"], **attrs)]
    w.write("opset7_clip", one("Clip", min=-0.3, max=0.4), {"x": x}, opset=7)
    w.write("opset7_pad", one("Pad", pads=[0, 1, 0, 2, 0, 0, 1, 0], value=2.5), {"x": x}, opset=7)
    w.write("opset7_pad_reflect", one("Pad", pads=[0, 0, 1, 2, 0, 0, 3, 1], mode="reflect"), {"x": x}, opset=7)
    w.write("opset7_slice", one("Slice", axes=[1, 3], starts=[1, -4], ends=[3, -1]), {"x": x}, opset=7)
    w.write("opset7_softmax", one("Softmax"), {"x": x}, opset=7)
    w.write("opset11_logsoftmax", one("LogSoftmax", axis=2), {"x": x}, opset=11)
    w.write("opset11_hardmax", one("Hardmax", axis=3), {"x": x}, opset=11)
    w.write("opset7_squeeze", one("Squeeze", axes=[1]), {"x": x[:, :1]}, opset=7)
    w.write("opset7_unsqueeze", one("Unsqueeze", axes=[0, 3]), {"x": x}, opset=7)
    w.write("opset7_reduce_sum", one("ReduceSum", axes=[1, 3], keepdims=0), {"x": x}, opset=7)
    w.write("opset11_reduce_mean", one("ReduceMean", axes=[-1]), {"x": x}, opset=11)
    split = [helper.make_node("Split", ["x"], ["y", "z"], axis=3, split=[2, 3])]
    w.write("opset7_split", split, {"x": x}, outputs=("y", "z"), opset=7)
    top = [helper.make_node("TopK", ["x"], ["y", "i"], axis=2, k=3)]
    w.write("opset7_top_k", top, {"x": x}, outputs=("y", "i"), opset=7)
    w.write("opset7_upsample", one("Upsample", scales=[1.0, 1.0, 2.0, 3.0]), {"x": x}, opset=7)
    scales = {"s": np.array([1, 1, 2, 1.5], dtype=np.float32)}
    w.write("opset9_upsample_linear", [helper.make_node("Upsample", ["x", "s"], ["y"], mode="linear")], {"x": x}, scales, opset=9)
    w.write("opset10_resize", [helper.make_node("Resize", ["x", "s"], ["y"])], {"x": x}, scales, opset=10)
    norm = helper.make_node("BatchNormalization", ["x", "s", "b", "m", "v"], ["y"], epsilon=1e-3)
    constants = {"s": drawn(51, 3), "b": drawn(52, 3), "m": drawn(53, 3), "v": drawn(54, 3, low=0.1)}
    w.write("opset7_batch_norm", [norm], {"x": x}, constants, opset=7)
    w.write("opset7_dropout", one("Dropout", ratio=0.4), {"x": x}, opset=7)
    w.write("opset7_flatten", one("Flatten", axis=2), {"x": x}, opset=7)


def others(w):
    x = drawn(60, 1, 2, 5, 6)
    modes = ["half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"]
    for mode in modes:
        for kind in ["nearest", "linear", "cubic"]:
            node = helper.make_node("Resize", ["x", "", "", "n"], ["y"], mode=kind, coordinate_transformation_mode=mode)
            w.write(f"resize_{kind}_{mode}", [node], {"x": x}, {"n": np.array([1, 2, 8, 3], dtype=np.int64)}, opset=18)
    for kind in ["linear", "cubic"]:
        node = helper.make_node("Resize", ["x", "", "s"], ["y"], mode=kind, antialias=1)
        scales = {"s": np.array([1, 1, 0.6, 0.5], dtype=np.float32)}
        w.write(f"resize_{kind}_antialias", [node], {"x": x}, scales, opset=18)
    for name, equation, shapes in (
        ("batch", "bij,bjk->bik", [(2, 3, 4), (2, 4, 5)]),
        ("dots", "...ij,jk->...ik", [(2, 2, 3, 4), (4, 5)]),
        ("attention", "bhqd,bhkd->bhqk", [(2, 2, 3, 4), (2, 2, 5, 4)]),
        ("outer", "i,j->ij", [(3,), (4,)]),
        ("trace", "ii->", [(3, 3)]),
        ("implicit", "ij,jk", [(3, 4), (4, 2)]),
    ):
        names = [f"x{i}" for i in range(len(shapes))]
        node = helper.make_node("Einsum", names, ["y"], equation=equation)
        w.write(f"einsum_{name}", [node], {n: drawn(61 + i, *s) for i, (n, s) in enumerate(zip(names, shapes))})
    for name, a, b in (
        ("vector_left", (4,), (2, 4, 3)), ("vector_right", (2, 3, 4), (4,)), ("dot", (4,), (4,)),
        ("stacks", (2, 1, 3, 4), (5, 4, 2)), ("stack_matrix", (2, 5, 3, 4), (4, 2)),
    ):
        node = helper.make_node("MatMul", ["a", "b"], ["y"])
        w.write(f"matmul_{name}", [node], {"a": drawn(70, *a), "b": drawn(71, *b)})
    for name, attrs, a, b, c in (
        ("plain", {}, (3, 4), (4, 5), (5,)), ("turned", {"transA": 1, "transB": 1, "alpha": 0.5, "beta": 2.0}, (4, 3), (5, 4), (3, 1)),
    ):
        node = helper.make_node("Gemm", ["a", "b", "c"], ["y"], **attrs)
        w.write(f"gemm_{name}", [node], {"a": drawn(72, *a), "b": drawn(73, *b), "c": drawn(74, *c)})
    for kind in ["instance", "group", "lrn"]:
        image = drawn(75, 2, 4, 3, 5)
        if kind == "instance":
            node = helper.make_node("InstanceNormalization", ["x", "s", "b"], ["y"])
        elif kind == "group":
            node = helper.make_node("GroupNormalization", ["x", "s", "b"], ["y"], num_groups=2)
        else:
            node = helper.make_node("LRN", ["x"], ["y"], size=3, alpha=0.1)
        constants = {} if kind == "lrn" else {"s": drawn(76, 4), "b": drawn(77, 4)}
        w.write(f"norm_{kind}", [node], {"x": image}, constants)
    for reduction in ["add", "mul", "max", "min"]:
        node = helper.make_node("ScatterND", ["x", "i", "u"], ["y"], reduction=reduction)
        index = np.array([[1], [0], [1]], dtype=np.int64)
        w.write(f"scatter_nd_{reduction}", [node], {"x": drawn(78, 3, 4), "i": index, "u": drawn(79, 3, 4)}, opset=18)
    loops(w)


def loops(w):
    """A value of around, a condition inside, and slices collected."""
    t = helper.make_tensor_value_info
    body = helper.make_graph(
        [
            helper.make_node("Add", ["v", "step"], ["next"]),
            helper.make_node("ReduceSum", ["next"], ["sum"], keepdims=0),
            helper.make_node("Less", ["sum", "limit"], ["again"]),
            helper.make_node("Mul", ["next", "x"], ["slice"]),
        ],
        "body",
        [t("i", TensorProto.INT64, []), t("go", TensorProto.BOOL, []), t("v", TensorProto.FLOAT, [3])],
        [t("again", TensorProto.BOOL, []), t("next", TensorProto.FLOAT, [3]), t("slice", TensorProto.FLOAT, [3])],
    )
    node = helper.make_node("Loop", ["", "true", "x"], ["last", "all"], body=body)
    constants = {"true": np.array(True), "step": np.full(3, 0.5, dtype=np.float32), "limit": np.array(6, dtype=np.float32)}
    w.write("loop_until", [node], {"x": drawn(80, 3)}, constants, ("last", "all"))
    body = helper.make_graph(
        [helper.make_node("Add", ["s", "a"], ["t"]), helper.make_node("Mul", ["t", "k"], ["u"])],
        "body",
        [t("s", TensorProto.FLOAT, [2]), t("a", TensorProto.FLOAT, [2])],
        [t("t", TensorProto.FLOAT, [2]), t("u", TensorProto.FLOAT, [2])],
    )
    node = helper.make_node(
        "Scan", ["s0", "x"], ["last", "all"], body=body, num_scan_inputs=1, scan_input_axes=[1],
        scan_input_directions=[1], scan_output_axes=[-1], scan_output_directions=[1],
    )
    constants = {"s0": np.zeros(2, dtype=np.float32), "k": np.array([2, 3], dtype=np.float32)}
    w.write("scan_reverse", [node], {"x": drawn(81, 2, 4)}, constants, ("last", "all"))


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    writer = Writer(sys.argv[1])
    for part in (convolutions, pools, recurrent, quantized, old_opsets, others):
        part(writer)
    print(f"{writer.count} tests of ONNX Runtime {onnxruntime.__version__} in {sys.argv[1]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
