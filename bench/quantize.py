#!/usr/bin/env python3
"""Runs the benchmark `quantize`: what networks lose in few bits.

Networks are those of `fashion_networks.py`, on all 10,000 test rows of Fashion-MNIST, and the image networks of the
folder of models; their own rows are not there, so they see the same images, and only the share of labels that stay is
told. Systems are smidgen (as ONNX and as integers), ONNX Runtime's static quantization and NNCF. Accuracy of a file in
ONNX is what ONNX Runtime computes from it, of ours in integers what smidgen says. Each measurement is a process of its
own, whose peak of memory is looked up. `passes` is the time in runs of smidgen's float network over the same rows.

    pip install nncf==3.4.0 onnxruntime==1.32.0
    cargo build --release
    bench/quantize.py NETWORKS                  # the folder that fashion_networks.py wrote
    bench/quantize.py NETWORKS --schemes        # ours alone: fewer bits, grids, symmetric and asymmetric
    bench/quantize.py NETWORKS fashion_resnet8  # one network, no record
"""

import argparse
import csv
import datetime
import gzip
import os
import sys
import tempfile
from pathlib import Path

import numpy
import onnxruntime

import tables
from networks import child, processor, show
from systems import smidgen

BENCH = Path(__file__).resolve().parent
MEAN, STD = 0.2860, 0.3530
CIFAR = numpy.array([[0.4914, 0.4822, 0.4465], [0.2471, 0.2435, 0.2616]], numpy.float32)[:, None, :, None, None]

# What a peer is, how many rows it calibrates on, and how many at a time. ONNX Runtime keeps every activation of every
# row for its histograms, in batches of one length, and NNCF's default is 300 rows one by one.
PEERS = [
    ("onnxruntime MinMax", 10_000, 32),
    ("onnxruntime Entropy", 960, 32),
    ("onnxruntime Percentile", 960, 32),
    ("nncf PERFORMANCE", 300, 1),
    ("nncf MIXED", 300, 1),
]

# Other schemes of ours, by their flags.
SCHEMES = {
    "int8, asymmetric": [],
    "int8, symmetric": ["--symmetric"],
    "int8 by tensor": ["--granularity", "tensor"],
    "int8, powers of two": ["--grid", "pow2"],
    "int4": ["--weights", "int4"],
    "int3": ["--weights", "int3"],
    "int3, codebook (8 levels)": ["--weights", "int3", "--grid", "codebook"],
    "int2, codebook (4 levels)": ["--weights", "int2", "--grid", "codebook"],
    "ternary": ["--weights", "int2", "--grid", "ternary"],
    "binary (2 levels)": ["--weights", "int1", "--grid", "binary"],
    "int4, logarithmic": ["--weights", "int4", "--grid", "log"],
}


def read_idx(path: Path) -> numpy.ndarray:
    raw = gzip.decompress(path.read_bytes())
    dims = numpy.frombuffer(raw, ">u4", raw[3], 4)
    return numpy.frombuffer(raw, numpy.uint8, offset=4 + 4 * raw[3]).reshape(dims)


def cases(networks: Path) -> list[tuple]:
    """Name, network, rows, classes."""
    data = tables.data_folder() / "fashion_mnist"
    images = read_idx(data / "t10k-images-idx3-ubyte.gz")
    truth = read_idx(data / "t10k-labels-idx1-ubyte.gz").astype(int)
    models = tables.data_folder().parent / "models"
    scaled = ((images / 255 - MEAN) / STD).astype(numpy.float32)[:, None]
    wide = numpy.pad(images[:2000], ((0, 0), (2, 2), (2, 2)))[:, None].repeat(3, 1)
    colours = ((wide / 255 - CIFAR[0]) / CIFAR[1]).astype(numpy.float32)
    found = [(f"fashion_{n}", networks / f"fashion_{n}.onnx", scaled, truth) for n in ("perceptron", "resnet8", "mobilenet")]
    return found[:2] + [
        ("mnist_cnn_cntk", models / "mnist_cnn_cntk" / "model.onnx", images.astype(numpy.float32)[:, None], None),
        ("cifar10_resnet_2b", models / "cifar10_resnet_2b" / "model.onnx", colours, None),
    ] + found[2:]


def outputs(path: Path, rows: numpy.ndarray) -> numpy.ndarray:
    """The first output of each row, in ONNX Runtime."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    told = session.get_inputs()[0]
    step = told.shape[0] if isinstance(told.shape[0], int) else 256
    made = [session.run(None, {told.name: rows[at : at + step]})[0] for at in range(0, len(rows), step)]
    return numpy.concatenate(made).reshape(len(rows), -1)


def divergence(of: numpy.ndarray, other: numpy.ndarray) -> float:
    """Mean over rows of the Kullback-Leibler divergence between shares, in nats."""
    shares = lambda x: x - x.max(1, keepdims=True) - numpy.log(numpy.exp(x - x.max(1, keepdims=True)).sum(1, keepdims=True))
    p, q = shares(of.astype(float)), shares(other.astype(float))
    return float((numpy.exp(p) * (p - q)).sum(1).mean())


def percent(share: float | None, digits: int = 2) -> float | None:
    return None if share is None else round(100 * float(share), digits)


def of_file(path: Path, rows: numpy.ndarray, classes, known: numpy.ndarray) -> dict:
    got = outputs(path, rows)
    return {
        "accuracy": None if classes is None else percent((got.argmax(1) == classes).mean()),
        "agreement": percent((got.argmax(1) == known.argmax(1)).mean()),
        "divergence": f"{divergence(known, got):.1e}",
        "bytes": path.stat().st_size,
    }


def ours(network: Path, place: Path, labelled: bool, out: Path, flags: list) -> dict:
    rows = ["--calibrate", place / "rows.npy"] + (["--labels", place / "labels.npy"] if labelled else [])
    return child([smidgen.BINARY, "quantize", network, *rows, "-o", out, "--json", "--quiet", *flags])


def of_said(said: dict) -> dict:
    metrics = said["quantized"]["metrics"] or {}
    return {
        "accuracy": percent(metrics.get("accuracy")),
        "agreement": percent(said["agreement"]),
        "divergence": f"{said['divergence']:.1e}",
        "bytes": said["quantized"]["bytes"],
    }


NOTHING = {"accuracy": None, "agreement": None, "divergence": None, "bytes": None}


def measured(name: str, network: Path, rows: numpy.ndarray, classes, place: Path) -> list[dict]:
    known = outputs(network, rows)
    # One run of our float network over the rows: what calibration is measured against.
    run = child([smidgen.BINARY, "predict", network, place / "rows.npy", "-o", place / "float.csv", "--quiet"])
    float_s = run.get("seconds")
    lines = []

    def line(system: str, n: int, told: dict, figures: dict) -> None:
        seconds = told.get("seconds")
        lines.append({
            "network": name, "system": system, "rows": n, **figures,
            "seconds": None if seconds is None else round(seconds, 2),
            "passes": None if seconds is None or not float_s else round(seconds / float_s, 2),
            "peak_mb": round(told["peak"] / 1e6, 1) if "peak" in told else None,
            "failed": told.get("failed", "")[:100],
        })

    line("float", len(rows), run, of_file(network, rows, classes, known))
    for form in ("onnx", "smidgen"):
        out = place / f"ours.{form}"
        told = ours(network, place, classes is not None, out, [])
        if "failed" in told:
            figures = NOTHING
        else:
            figures = of_file(out, rows, classes, known) if form == "onnx" else of_said(told["said"])
        line(f"smidgen {form}", len(rows), told, figures)
    if classes is None:
        # Rows of another kind than the network learned: labels change where it hardly prefers one, so ask for a bound.
        told = ours(network, place, False, place / "bound.smidgen", ["--max-drop", "0.5%"])
        line("smidgen --max-drop 0.5%", len(rows), told, NOTHING if "failed" in told else of_said(told["said"]))
    for system, n, size in PEERS:
        numpy.save(place / "some.npy", rows[:n])
        out = place / "peer.onnx"
        out.unlink(missing_ok=True)
        # A network of one row at a time takes no more.
        step = size if network_takes(network, size) else 1
        told = child([sys.executable, BENCH / "quantize_peer.py", system, network, place / "some.npy", out, step])
        figures = NOTHING
        if out.is_file():
            try:
                figures = of_file(out, rows, classes, known)
            except Exception as error:  # What ONNX Runtime does not take of a peer is told.
                told["failed"] = f"{type(error).__name__}: {error}"
        line(system, min(n, len(rows)), told, figures)
    return lines


def network_takes(path: Path, size: int) -> bool:
    first = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).get_inputs()[0].shape[0]
    return not isinstance(first, int) or first == size


def schemes(name: str, network: Path, classes, place: Path) -> list[dict]:
    lines = []
    for scheme, flags in SCHEMES.items():
        told = ours(network, place, classes is not None, place / "ours.smidgen", flags)
        figures = NOTHING if "failed" in told else of_said(told["said"])
        lines.append({"network": name, "scheme": scheme, **figures, "failed": told.get("failed", "")[:100]})
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="networks that fashion_networks.py wrote")
    parser.add_argument("networks", nargs="*", help="all of them unless given")
    parser.add_argument("--schemes", action="store_true", help="other schemes of ours instead of peers")
    args = parser.parse_args()
    version = smidgen.version()
    if version is None:
        sys.exit("bench/quantize.py: build it first: cargo build --release")
    rows_told = []
    for name, network, rows, classes in cases(args.folder):
        if (args.networks and name not in args.networks) or (args.schemes and classes is None):
            continue
        if not network.is_file():
            sys.exit(f"bench/quantize.py: {network}: expected a network that fashion_networks.py wrote")
        with tempfile.TemporaryDirectory() as place:
            place = Path(place)
            numpy.save(place / "rows.npy", rows)
            if classes is not None:
                numpy.save(place / "labels.npy", classes.astype(numpy.uint8))
            if args.schemes:
                rows_told += schemes(name, network, classes, place)
            else:
                rows_told += measured(name, network, rows, classes, place)
        if not args.networks:
            record(rows_told, version, args.schemes)
    show(rows_told)
    return 0


def record(rows_told: list[dict], version: str, of_schemes: bool) -> None:
    """Written after each network, so that an interrupted run keeps what it has."""
    folder = BENCH / "record" / "quantize"
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / f"{datetime.date.today()}{'_schemes' if of_schemes else ''}.csv", "w", newline="") as file:
        file.write(f"# smidgen {version}; peers as pinned\n# {processor()}; load {os.getloadavg()[0]:.1f} at the end\n")
        writer = csv.DictWriter(file, rows_told[0])
        writer.writeheader()
        writer.writerows(rows_told)


if __name__ == "__main__":
    sys.exit(main())
