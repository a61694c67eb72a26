"""Asks ONNX's checker and ONNX Runtime about the networks that `export_network.rs` writes.

    pip install onnx==1.22.0 onnxruntime==1.32.0 numpy
    SMIDGEN_ONNX_NODE_TESTS=TESTS SMIDGEN_EXPORTED_NETWORKS=DIR cargo test -p smidgen-onnx
    python crates/onnx/tests/export_network.py TESTS DIR [MODELS]

The table of versions must be that of ONNX's definitions. Every file must pass the checker with its types and shapes inferred, and must not pass it one version lower. Where ONNX
Runtime runs the test's own model, it must run the exported one, and both must give the same within the bounds of ONNX's own
runner, or the exported one what the test expects. What ONNX Runtime has no kernel for is counted. The exceptions stand in
`testdata/onnx/exported.txt` with their reasons, and that list is strict: one that no longer fails is an error.
"""

import json
import pathlib
import sys

import numpy
import onnx
import onnx.checker
import onnx.numpy_helper
import onnxruntime

ROOT = pathlib.Path(__file__).parent.parent.parent.parent
LIST = ROOT / "testdata" / "onnx" / "exported.txt"

# Dtypes that numpy has not, as ONNX Runtime takes them: bits.
BITS = {
    onnx.TensorProto.BFLOAT16: numpy.uint16,
    onnx.TensorProto.FLOAT8E4M3FN: numpy.uint8,
    onnx.TensorProto.FLOAT8E4M3FNUZ: numpy.uint8,
    onnx.TensorProto.FLOAT8E5M2: numpy.uint8,
    onnx.TensorProto.FLOAT8E5M2FNUZ: numpy.uint8,
}


class NoKernel(Exception):
    """ONNX Runtime cannot run this at all."""


def listed():
    """Exceptions: what is asked (`checker`, `lowest`, `runtime`) and the file."""
    lines = [line for line in LIST.read_text().splitlines() if not line.startswith("#")]
    return [tuple(line.split(": ", 1)[0].split(" ")) for line in lines]


def array_of(proto):
    """A tensor as an array, of dtypes that numpy has not their bits."""
    array = onnx.numpy_helper.to_array(proto)
    if proto.data_type in BITS:
        return numpy.ascontiguousarray(array).view(BITS[proto.data_type])
    if array.dtype.kind == "V" or "ml_dtypes" in type(array.dtype.type(0)).__module__:
        raise NoKernel(f"numbers of {array.dtype}")
    return array


def outputs(model, feeds):
    """What ONNX Runtime makes, as arrays."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    try:
        session = onnxruntime.InferenceSession(model.SerializeToString(), options)
        own = {i.name for i in session.get_inputs()}
        # Values do not own the arrays that they are made of.
        arrays = {name: (array_of(proto), proto.data_type) for name, proto in feeds.items() if name in own}
        value = onnxruntime.OrtValue.ortvalue_from_numpy_with_onnx_type
        plain = onnxruntime.OrtValue.ortvalue_from_numpy
        given = {k: value(array, kind) if kind in BITS else plain(array) for k, (array, kind) in arrays.items()}
        made = session.run_with_ort_values([o.name for o in session.get_outputs()], given)
        # Of dtypes that numpy has not no array can be had.
        return [numpy.array(value.numpy()) for value in made]
    except Exception as error:
        raise NoKernel(str(error)) from error


def tried(model, feeds):
    try:
        return outputs(model, feeds)
    except NoKernel as error:
        return error


def of_original(model, inputs):
    """What the model that was exported makes; old ones list constants among their inputs."""
    constants = {t.name for t in model.graph.initializer}
    names = [i.name for i in model.graph.input if i.name not in constants]
    return tried(model, dict(zip(names, inputs)))


def close(a, b):
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    if a.dtype.kind in "OUSbiu":
        return bool((a == b).all())
    return bool(numpy.allclose(a.astype(numpy.float64), b.astype(numpy.float64), rtol=1e-3, atol=1e-7, equal_nan=True))


def all_close(one, other):
    return len(one) == len(other) and all(close(a, b) for a, b in zip(one, other))


def tensors(folder, kind):
    paths = []
    while (folder / f"{kind}_{len(paths)}.pb").exists():
        paths.append(folder / f"{kind}_{len(paths)}.pb")
    return [onnx.load_tensor(path) for path in paths]


def recorded(path, wanted):
    """Inputs or outputs, a line each, as `ml_models.py` and `export_network.rs` write them."""
    kinds = {"f32": numpy.float32, "f64": numpy.float64, "i64": numpy.int64, "string": object}
    for line in path.read_text().splitlines():
        if line.startswith(f'["{wanted}"'):
            _, name, kind, dims, elements = json.loads(line)
            yield onnx.numpy_helper.from_array(numpy.array(elements).astype(kinds[kind]).reshape(dims), name)


def by_formula(path):
    """Inputs of real models, as `models.rs` makes them."""
    kinds = {"f32": numpy.float32, "i64": numpy.int64}
    for line in path.read_text().splitlines():
        if line.startswith("input "):
            _, name, kind, dims, least, most = line.split(" ")
            dims = [] if dims == "-" else [int(n) for n in dims.split(",")]
            shares = (numpy.arange(int(numpy.prod(dims)), dtype=numpy.int64) * 7919 % 10007) / 10007
            values = float(least) + shares * (float(most) - float(least))
            yield onnx.numpy_helper.from_array(values.astype(kinds[kind]).reshape(dims), name)


def cases(name, tests, exported, models):
    """The model that a file was made of, if there is one, with inputs and expected outputs, if they are known."""
    kind, _, rest = name.partition("_")
    data = ROOT / "testdata" / "onnx"
    if kind == "ml":
        yield data / "ml" / f"{rest}.onnx", list(recorded(data / "ml" / f"{rest}.txt", "input")), []
    elif kind == "qdq":
        case = exported / f"{name}.txt"
        yield None, list(recorded(case, "input")), list(recorded(case, "output"))
    elif kind in ("model", "simple"):
        for folder in models:
            yield folder / rest / "model.onnx", list(by_formula(data / f"{rest}.txt")), []
    else:
        for folder in sorted((tests / name).glob("test_data_set_*")):
            yield tests / name / "model.onnx", tensors(folder, "input"), tensors(folder, "output")


def lowered(model):
    """The same one version lower."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    for opset in copy.opset_import:
        if opset.domain == "":
            opset.version -= 1
    return copy


# Which operand of ONNX's definition is meant, where it is not the input at that place.
OPERANDS = {
    ("Where", 0): ("inputs", 1),
    ("OneHot", 0): ("inputs", 2),
    ("ConstantOfShape", 0): ("outputs", 0),
    ("Cast", 1): ("outputs", 0),
    ("EyeLike", 1): ("outputs", 0),
    ("QuantizeLinear", 2): ("outputs", 0),
    ("If", 0): ("outputs", 0),
    ("Loop", 0): ("outputs", 0),
}


def takes(op, place, dtype, version):
    """Whether a version of an operator takes a dtype, by ONNX's own definitions."""
    try:
        schema = onnx.defs.get_schema(op, version)
    except onnx.defs.SchemaError:
        return False
    side, at = OPERANDS.get((op, place), ("inputs", place))
    name = onnx.TensorProto.DataType.Name(dtype).lower()
    return f"tensor({name})" in getattr(schema, side)[at].types


def misplaced(path):
    """Lines of the table of versions that ONNX's definitions do not bear out."""
    for line in path.read_text().splitlines():
        op, *numbers = line.split("\t")
        place, dtype, since = map(int, numbers)
        latest = onnx.defs.onnx_opset_version()
        real = next((v for v in range(13, latest + 1) if takes(op, place, dtype, v)), 0)
        if real != since and since <= latest:
            yield f"{op}, operand {place}, {onnx.TensorProto.DataType.Name(dtype)}: {since} in the table, {real} in ONNX"


def passes(model):
    try:
        onnx.checker.check_model(model, full_check=True)
        return None
    except Exception as error:
        return str(error).splitlines()[0]


def main() -> int:
    if len(sys.argv) not in (3, 4):
        print(__doc__, file=sys.stderr)
        return 2
    tests, exported, *models = map(pathlib.Path, sys.argv[1:])
    counts = {"checked": 0, "lowest": 0, "equal": 0, "as expected": 0, "no kernel": 0}
    wrong, versions = {}, {}
    for path in sorted(exported.glob("*.onnx")):
        name, model = path.stem, onnx.load(path)
        counts["checked"] += 1
        if error := passes(model):
            wrong["checker", name] = error
        opset = next(o.version for o in model.opset_import if o.domain == "")
        versions[opset] = versions.get(opset, 0) + 1
        if opset > 13:
            counts["lowest"] += 1
            if passes(lowered(model)) is None:
                wrong["lowest", name] = f"version {opset - 1} passes too"
        for original, inputs, expected in cases(name, tests, exported, models):
            first = NoKernel("no other model") if original is None else of_original(onnx.load(original), inputs)
            second = tried(model, dict(zip([i.name for i in model.graph.input], inputs)))
            if isinstance(second, NoKernel) and isinstance(first, NoKernel):
                counts["no kernel"] += 1
            elif isinstance(second, NoKernel):
                wrong["runtime", name] = str(second).splitlines()[0]
            elif not isinstance(first, NoKernel) and all_close(first, second):
                counts["equal"] += 1
            elif all_close([array_of(t) for t in expected], second):
                counts["as expected"] += 1
            else:
                wrong["runtime", name] = "other outputs"
    print(", ".join(f"{n} {what}" for what, n in counts.items()))
    print("versions:", ", ".join(f"{n} of {v}" for v, n in sorted(versions.items())))
    known = listed()
    new = {key: why for key, why in wrong.items() if key not in known}
    # Without models nothing is said of theirs.
    seen = {path.stem for path in exported.glob("*.onnx")}
    gone = [key for key in known if key[1] in seen and key not in wrong]
    for key, why in new.items():
        print(" ".join(key) + ": " + why)
    for key in gone:
        print(f"{' '.join(key)}: listed in {LIST.name}, but nothing is wrong")
    table = list(misplaced(exported / "versions.tsv"))
    for line in table:
        print(f"versions: {line}")
    return 1 if new or gone or table else 0


if __name__ == "__main__":
    sys.exit(main())
