"""The child process of quantize.py: one peer quantizes one network, and says how many seconds that took.

    quantize_peer.py METHOD NETWORK ROWS.npy OUT.onnx SEED

Peers are run with their defaults but for weights by channel, which is what the documents of ONNX Runtime advise.
"""

import contextlib
import json
import sys
import time

import numpy


class Batches:
    """Rows in batches of 32, as ONNX Runtime's calibration asks for them."""

    def __init__(self, name, rows, size):
        self.batches = iter([{name: rows[at : at + size]} for at in range(0, len(rows), size)])

    def get_next(self):
        return next(self.batches, None)


def onnxruntime(method: str, network: str, rows: numpy.ndarray, out: str, size: int) -> None:
    from onnxruntime import quantization
    from onnxruntime.quantization.shape_inference import quant_pre_process

    prepared = out.removesuffix(".onnx") + "_prepared.onnx"
    quant_pre_process(network, prepared, skip_symbolic_shape=True)
    quantization.quantize_static(
        prepared,
        out,
        Batches(first_input(network), rows, size),
        quant_format=quantization.QuantFormat.QDQ,
        per_channel=True,
        activation_type=quantization.QuantType.QUInt8,
        weight_type=quantization.QuantType.QInt8,
        calibrate_method=getattr(quantization.CalibrationMethod, method),
    )


def nncf(method: str, network: str, rows: numpy.ndarray, out: str, size: int) -> None:
    import nncf
    import onnx

    name = first_input(network)
    batches = nncf.Dataset([{name: rows[at : at + size]} for at in range(0, len(rows), size)])
    preset = getattr(nncf.QuantizationPreset, method)
    made = nncf.quantize(onnx.load(network), batches, preset=preset, subset_size=len(rows))
    onnx.save(made, out)


def first_input(network: str) -> str:
    import onnxruntime

    return onnxruntime.InferenceSession(network, providers=["CPUExecutionProvider"]).get_inputs()[0].name


def main() -> None:
    system, network, rows, out, size = sys.argv[1:]
    library, method = system.split()
    run = {"onnxruntime": onnxruntime, "nncf": nncf}[library]
    rows = numpy.load(rows)
    start = time.perf_counter()
    try:
        # Peers talk; what is said here is one JSON line.
        with contextlib.redirect_stdout(sys.stderr):
            run(method, network, rows, out, int(size))
    except Exception as error:  # What a peer refuses is told, not hidden.
        print(json.dumps({"failed": f"{type(error).__name__}: {error}"}))
        return
    print(json.dumps({"seconds": time.perf_counter() - start}))


if __name__ == "__main__":
    main()
