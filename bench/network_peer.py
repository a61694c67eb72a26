"""The child processes of networks.py: makes the inputs of a network, or times it in one system.

    network_peer.py inputs MODEL FOLDER SPECIFICATION    # FOLDER/inputs.npz, and the same as bytes for rten
    network_peer.py onnxruntime|tract MODEL FOLDER THREADS SECONDS

A process each, so that memory is its own. The answer is one line of JSON: seconds until the network was read, and the
median nanoseconds of a run on all rows (one by one where the network takes a single one) and on one row alone.
"""

import importlib
import json
import statistics
import sys
import time
from pathlib import Path

import numpy


def make(model: str, folder: Path, specification: dict) -> dict:
    """Inputs by name: those of a folder that torch_networks.py made, or random ones; rows repeated as often as asked."""
    import onnxruntime

    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    ports = session.get_inputs()
    made = Path(model).parent / "inputs.npz"
    if "inputs" in specification:
        random = numpy.random.default_rng(1)
        inputs = {}
        for name, (dtype, dims, least, most) in specification["inputs"].items():
            values = random.uniform(least, most, dims)
            inputs[name] = numpy.asarray(values.astype({"f32": numpy.float32, "i64": numpy.int64}[dtype]))
    else:
        inputs = dict(numpy.load(made))
    rows = specification.get("rows", 0)
    if rows:
        inputs = {name: numpy.resize(array, (rows, *array.shape[1:])) for name, array in inputs.items()}
    numpy.savez(folder / "inputs.npz", **inputs)
    lines = []
    for port in ports:
        array = inputs[port.name]
        # rten holds all whole numbers in 32 bits.
        array = array if array.dtype == numpy.float32 else array.astype(numpy.int32)
        (folder / f"{port.name}.bin").write_bytes(array.tobytes())
        dtype = "f32" if array.dtype == numpy.float32 else "i32"
        lines.append(" ".join([port.name, dtype, *map(str, array.shape)]))
    (folder / "inputs.txt").write_text("\n".join(lines) + "\n")
    return {"rows": rows, "one_by_one": bool(rows) and ports[0].shape[0] == 1}


def onnx_runtime(onnxruntime, model: str, threads: int):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return lambda inputs: session.run(None, inputs)


def tract(library, model: str, inputs: dict):
    """tract reads a network for inputs of known lengths; it has no threads of its own."""
    network = library.onnx().load(model)
    names = [network.input_name(at) for at in range(network.input_count())]
    for at, name in enumerate(names):
        array = inputs[name]
        dtype = {"float32": "f32", "int64": "i64", "int32": "i32"}[array.dtype.name]
        network.set_input_fact(at, ",".join([*map(str, array.shape), dtype]))
    runnable = network.into_model().into_runnable()
    return lambda inputs: runnable.run([inputs[name] for name in names])


def timed(run, inputs: dict, seconds: float) -> float:
    run(inputs)
    passes, start = [], time.perf_counter()
    while len(passes) < 5 or time.perf_counter() - start < seconds:
        before = time.perf_counter_ns()
        run(inputs)
        passes.append(time.perf_counter_ns() - before)
    return statistics.median(passes)


def main() -> None:
    what, model, folder, *rest = sys.argv[1:]
    if what == "inputs":
        print(json.dumps(make(model, Path(folder), json.loads(rest[0]))))
        return
    try:
        told = measured(what, model, Path(folder), json.loads(rest[0]), int(rest[1]), float(rest[2]))
    except Exception as error:  # The parent goes on with the other systems and tells why this one has no figures.
        told = {"failed": f"{type(error).__name__}: {(str(error).splitlines() or [''])[0][:150]}"}
    print(json.dumps(told))


def measured(what: str, model: str, folder: Path, order: dict, threads: int, seconds: float) -> dict:
    library = importlib.import_module(what)
    inputs = dict(numpy.load(folder / "inputs.npz"))
    rows = order["rows"]
    single = {name: array[:1] for name, array in inputs.items()} if rows else inputs
    is_whole = not rows or order["one_by_one"]
    start = time.perf_counter()
    run = tract(library, model, single) if what == "tract" else onnx_runtime(library, model, threads)
    load = time.perf_counter() - start
    one = timed(run, single, seconds)
    if not is_whole and what == "tract":
        run = tract(library, model, inputs)
    every = one if is_whole else timed(run, inputs, seconds) / rows
    return {"load_s": load, "ns_per_row": every, "ns_single": one}


if __name__ == "__main__":
    main()
