#!/usr/bin/env python3
"""Runs the benchmark `quantize`: what networks lose in 8 bits, in `smidgen quantize` and in ONNX Runtime's static
quantization (min-max, entropy, percentile) and, where it is installed, NNCF.

Networks are those of `fashion_networks.py`, on all 10,000 test rows of Fashion-MNIST; the networks of the data folder,
whose own rows are not there, see the same images, and only the share of labels that stay is told.

    pip install onnxruntime==1.32.0 onnx==1.22.0 numpy==2.3.4
    cargo build --release
    bench/quantize.py NETWORKS                       # the folder that fashion_networks.py wrote

smidgen calibrates on all rows, the peers on the first `--rows`: ONNX Runtime's percentile keeps every activation of
every row. Peers are run with their defaults but for weights by channel, which is what their documents advise; accuracy
of every system is computed by ONNX Runtime from the file that it wrote, ours also as integers by smidgen.
"""

import argparse
import csv
import datetime
import gzip
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy
import onnxruntime
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

import tables
from systems import smidgen

BENCH = Path(__file__).resolve().parent
MEAN, STD = 0.2860, 0.3530
METHODS = {
    "ort minmax": CalibrationMethod.MinMax,
    "ort entropy": CalibrationMethod.Entropy,
    "ort percentile": CalibrationMethod.Percentile,
}


def read_idx(path):
    raw = gzip.decompress(path.read_bytes())
    dims = numpy.frombuffer(raw, ">u4", raw[3], 4)
    return numpy.frombuffer(raw, numpy.uint8, offset=4 + 4 * raw[3]).reshape(dims)


class Reader(CalibrationDataReader):
    """Rows in batches of 32."""

    def __init__(self, name, rows):
        self.batches = iter([{name: rows[at : at + 32]} for at in range(0, len(rows), 32)])

    def get_next(self):
        return next(self.batches, None)


def labels_of(path, rows):
    """The largest output of each row, and the name of the input."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    name, shape = session.get_inputs()[0].name, session.get_inputs()[0].shape
    step = shape[0] if isinstance(shape[0], int) else 256
    made = [session.run(None, {name: rows[at : at + step]})[0] for at in range(0, len(rows), step)]
    return numpy.concatenate(made).reshape(len(rows), -1).argmax(1), name


def ours(network, data, flags, folder, form):
    out = folder / f"ours.{form}"
    said = subprocess.run(
        [smidgen.BINARY, "quantize", network, "--calibrate", data, "-o", out, "--json", "--quiet", *flags],
        check=True, capture_output=True,
    )
    return json.loads(said.stdout), out


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("networks", type=Path)
    parser.add_argument("--rows", type=int, default=1000)
    args = parser.parse_args()
    if smidgen.version() is None:
        sys.exit("bench/quantize.py: build it first: cargo build --release")
    data = tables.data_folder() / "fashion_mnist"
    images = read_idx(data / "t10k-images-idx3-ubyte.gz")
    truth = read_idx(data / "t10k-labels-idx1-ubyte.gz").astype(int)
    models = tables.data_folder().parent / "models"
    scaled = ((images / 255 - MEAN) / STD).astype(numpy.float32)[:, None]
    three = numpy.pad(images, ((0, 0), (2, 2), (2, 2)))[:, None].repeat(3, 1)
    cifar = numpy.array([[0.4914, 0.4822, 0.4465], [0.2471, 0.2435, 0.2616]], numpy.float32)[:, :, None, None]
    cases = [(f"fashion_{n}", args.networks / f"fashion_{n}.onnx", scaled, truth) for n in ("resnet8", "mobilenet", "perceptron")]
    cases += [
        ("mnist_cnn_cntk", models / "mnist_cnn_cntk" / "model.onnx", images.astype(numpy.float32)[:, None], None),
        ("cifar10_resnet_2b", models / "cifar10_resnet_2b" / "model.onnx", ((three / 255 - cifar[0]) / cifar[1]).astype(numpy.float32)[:2000], None),
    ]
    rows_told = []
    with tempfile.TemporaryDirectory() as place:
        place = Path(place)
        for name, network, rows, classes in cases:
            float_labels, input_name = labels_of(network, rows)
            numpy.save(place / "rows.npy", rows)
            flags = []
            if classes is not None:
                numpy.save(place / "labels.npy", classes.astype(numpy.uint8))
                flags = ["--labels", place / "labels.npy"]
            share = lambda got: {
                "accuracy": None if classes is None else round(100 * float((got == classes).mean()), 2),
                "agreement": round(100 * float((got == float_labels).mean()), 2),
            }
            told = [{"system": "float", **share(float_labels), "bytes": network.stat().st_size, "seconds": None}]
            for form in ("onnx", "smidgen"):
                said, out = ours(network, place / "rows.npy", flags, place, form)
                if form == "onnx":
                    line = share(labels_of(out, rows)[0])
                else:
                    line = {
                        "accuracy": None if classes is None else round(100 * said["quantized"]["metrics"]["accuracy"], 2),
                        "agreement": round(100 * said["agreement"], 2),
                    }
                told.append({"system": f"smidgen {form}", **line, "bytes": out.stat().st_size, "seconds": round(said["seconds"], 1)})
            prepared = place / "prepared.onnx"
            quant_pre_process(str(network), str(prepared), skip_symbolic_shape=True)
            for system, method in METHODS.items():
                out, start = place / "ort.onnx", time.perf_counter()
                try:
                    quantize_static(
                        str(prepared), str(out), Reader(input_name, rows[: args.rows]), quant_format=QuantFormat.QDQ,
                        per_channel=True, activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
                        calibrate_method=method,
                    )
                    line = share(labels_of(out, rows)[0])
                    size, seconds = out.stat().st_size, round(time.perf_counter() - start, 1)
                except Exception as error:  # what a peer refuses is told, not hidden
                    line, size, seconds = {"accuracy": None, "agreement": None}, None, None
                    print(f"{name}: {system}: {type(error).__name__}: {str(error)[:200]}", file=sys.stderr)
                told.append({"system": system, **line, "bytes": size, "seconds": seconds})
            rows_told += [{"network": name, "rows": len(rows), **line} for line in told]
            for line in rows_told[-len(told) :]:
                print("  ".join(f"{key} {value}" for key, value in line.items()), flush=True)
    folder = BENCH / "record" / "quantize"
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / f"{datetime.date.today()}.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, rows_told[0])
        writer.writeheader()
        writer.writerows(rows_told)
    return 0


if __name__ == "__main__":
    sys.exit(main())
