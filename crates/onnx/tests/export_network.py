"""Asks ONNX's checker and ONNX Runtime about the networks that `export_network.rs` writes.

    pip install onnx==1.22.0 onnxruntime==1.32.0 numpy
    SMIDGEN_ONNX_NODE_TESTS=TESTS SMIDGEN_EXPORTED_NETWORKS=DIR cargo test -p smidgen-onnx --test export_network
    python crates/onnx/tests/export_network.py TESTS DIR

Every file must pass the checker with its types and shapes inferred, and must not pass it one version lower. Where ONNX
Runtime runs the test's own model, it must run the exported one, and both must give the same within the bounds of ONNX's own
runner, or the exported one what the test expects. What ONNX Runtime has no kernel for is counted. The exceptions stand in
`testdata/onnx/exported.txt` with their reasons, and that list is strict: one that no longer fails is an error.
"""

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
    """Exceptions: what is asked (`checker`, `lowest`, `runtime`) and the test, with the reason."""
    lines = LIST.read_text().splitlines() if LIST.exists() else []
    pairs = [line.split(": ", 1) for line in lines if line and not line.startswith("#")]
    return {tuple(key.split(" ")): why for key, why in pairs}


def fed(proto, kind):
    """A tensor as ONNX Runtime takes it."""
    array = onnx.numpy_helper.to_array(proto)
    if kind in BITS:
        bits = numpy.ascontiguousarray(array).view(BITS[kind])
        return onnxruntime.OrtValue.ortvalue_from_numpy_with_onnx_type(bits, kind)
    if array.dtype.kind == "V" or "ml_dtypes" in type(array.dtype.type(0)).__module__:
        raise NoKernel(f"inputs of {array.dtype}")
    return onnxruntime.OrtValue.ortvalue_from_numpy(array)


def outputs(model, feeds):
    """What ONNX Runtime makes, as arrays."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    try:
        session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    except Exception as error:
        raise NoKernel(str(error)) from error
    own = {i.name: i for i in session.get_inputs()}
    try:
        values = session.run_with_ort_values(
            [o.name for o in session.get_outputs()], {k: fed(v, v.data_type) for k, v in feeds.items() if k in own}
        )
        # Of dtypes that numpy has not no array can be had.
        return [value.numpy() for value in values]
    except Exception as error:
        raise NoKernel(str(error)) from error


def close(a, b):
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    if a.dtype.kind in "OUSb":
        return bool((a == b).all())
    if a.dtype.kind in "iu":
        return bool((a == b).all())
    return bool(numpy.allclose(a.astype(numpy.float64), b.astype(numpy.float64), rtol=1e-3, atol=1e-7, equal_nan=True))


def all_close(one, other):
    return len(one) == len(other) and all(close(a, b) for a, b in zip(one, other))


def tensors(folder, kind):
    paths = []
    while (folder / f"{kind}_{len(paths)}.pb").exists():
        paths.append(folder / f"{kind}_{len(paths)}.pb")
    return [onnx.load_tensor(path) for path in paths]


def lowered(model):
    """The same one version lower."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    for opset in copy.opset_import:
        if opset.domain == "":
            opset.version -= 1
    return copy


def passes(model):
    try:
        onnx.checker.check_model(model, full_check=True)
        return None
    except Exception as error:
        return str(error).splitlines()[0]


def main() -> int:
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    tests, exported = map(pathlib.Path, sys.argv[1:])
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
        original = tests / name / "model.onnx"
        if not original.exists():
            continue
        for folder in sorted((tests / name).glob("test_data_set_*")):
            inputs = tensors(folder, "input")
            feeds = dict(zip([i.name for i in model.graph.input], inputs))
            own = onnx.load(original)
            constants = {t.name for t in own.graph.initializer}
            own_feeds = dict(zip([i.name for i in own.graph.input if i.name not in constants], inputs))
            try:
                first = outputs(own, own_feeds)
            except NoKernel as error:
                first = error
            try:
                second = outputs(model, feeds)
            except NoKernel as error:
                if isinstance(first, NoKernel):
                    counts["no kernel"] += 1
                else:
                    wrong["runtime", name] = str(error).splitlines()[0]
                continue
            if not isinstance(first, NoKernel) and all_close(first, second):
                counts["equal"] += 1
                continue
            try:
                wanted = [onnx.numpy_helper.to_array(t) for t in tensors(folder, "output")]
                wanted = [w.view(BITS[t.data_type]) if t.data_type in BITS else w for w, t in zip(wanted, tensors(folder, "output"))]
            except Exception as error:  # a dtype that numpy cannot hold
                wrong["runtime", name] = str(error)
                continue
            if all_close(wanted, second):
                counts["as expected"] += 1
            else:
                wrong["runtime", name] = "other outputs"
    print(", ".join(f"{n} {what}" for what, n in counts.items()))
    print("versions:", ", ".join(f"{n} of {v}" for v, n in sorted(versions.items())))
    known = listed()
    new = {key: why for key, why in wrong.items() if key not in known}
    gone = [key for key in known if key not in wrong]
    for key, why in new.items():
        print(" ".join(key) + ": " + why)
    for key in gone:
        print(f"{' '.join(key)}: listed in {LIST.name}, but nothing is wrong")
    return 1 if new or gone else 0


if __name__ == "__main__":
    sys.exit(main())
