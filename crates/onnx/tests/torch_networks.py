"""Makes networks with PyTorch (random weights, fixed seed), for the runner `networks.rs` and `bench/networks.py`.

    python -m venv .venv
    .venv/bin/pip install torch==2.15.0 onnx==1.23.2 onnxscript==0.7.2 onnxruntime==1.32.0 numpy==2.3.4
    .venv/bin/python crates/onnx/tests/torch_networks.py FOLDER            # as large as they are used
    .venv/bin/python crates/onnx/tests/torch_networks.py testdata/onnx/networks --slim
    SMIDGEN_NETWORKS=FOLDER cargo test -p smidgen-onnx --test networks

ResNet-18 (He et al., CVPR 2016, table 1) and MobileNetV2 (Sandler et al., CVPR 2018, table 2) are built as torchvision
has them; beside them an LSTM, a GRU and an encoder of transformers, both by the exporter that traces and by the one
that captures programs. Versions of the operators are old and new.
"""

import io
import sys

import numpy
import onnx
import torch
from torch import nn
from torch.export import Dim

import network_folders

SEED = 7


class Block(nn.Module):
    """Two convolutions of 3 x 3 and what goes past them."""

    def __init__(self, channels, outputs, stride):
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(channels, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs))
        self.second = nn.Sequential(nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs))
        past = stride != 1 or channels != outputs
        self.past = (
            nn.Sequential(nn.Conv2d(channels, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))
            if past
            else nn.Identity()
        )

    def forward(self, x):
        return torch.relu(self.second(torch.relu(self.first(x))) + self.past(x))


def resnet_18(width, classes):
    """Channels of the first stage: 64 in ResNet-18 itself."""
    parts = [nn.Conv2d(3, width, 7, 2, 3, bias=False), nn.BatchNorm2d(width), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
    channels = width
    for stage in range(4):
        outputs = width << stage
        parts += [Block(channels, outputs, 1 if stage == 0 else 2), Block(outputs, outputs, 1)]
        channels = outputs
    return nn.Sequential(*parts, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes))


class Inverted(nn.Module):
    """Wide, then channel by channel, then narrow again."""

    def __init__(self, channels, outputs, stride, widening):
        super().__init__()
        wide = channels * widening
        layers = []
        if widening != 1:
            layers += convolution(channels, wide, 1, 1)
        layers += [*convolution(wide, wide, 3, stride, groups=wide), nn.Conv2d(wide, outputs, 1, bias=False)]
        self.layers = nn.Sequential(*layers, nn.BatchNorm2d(outputs))
        self.is_residual = stride == 1 and channels == outputs

    def forward(self, x):
        y = self.layers(x)
        return x + y if self.is_residual else y


def convolution(channels, outputs, size, stride, groups=1):
    return [
        nn.Conv2d(channels, outputs, size, stride, size // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU6(),
    ]


# Widening, channels, blocks, stride of the first.
STAGES = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]


def mobilenet_v2(shrink, stages, classes):
    """All channels divided by `shrink`, some stages: 1 and all of them in MobileNetV2 itself."""
    of = lambda channels: max(channels // shrink, 2)
    channels = of(32)
    parts = convolution(3, channels, 3, 2)
    for widening, outputs, blocks, stride in STAGES[:stages]:
        for block in range(blocks):
            parts.append(Inverted(channels, of(outputs), stride if block == 0 else 1, widening))
            channels = of(outputs)
    parts += convolution(channels, of(1280), 1, 1)
    return nn.Sequential(*parts, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(of(1280), classes))


class Recurrent(nn.Module):
    """Two layers in both directions; states are inputs and outputs where `has_states`."""

    def __init__(self, cell, width, hidden, has_states):
        super().__init__()
        self.cell = cell(width, hidden, num_layers=2, bidirectional=True, batch_first=not has_states)
        self.head = nn.Linear(2 * hidden, 5)
        self.has_states = has_states

    def forward(self, x, *states):
        if self.has_states:
            y, (h, c) = self.cell(x, states)
            return self.head(y), h, c
        y, _ = self.cell(x)
        return self.head(y)


class Layer(nn.Module):
    """Attention, then a network for each token; normalised before (Vaswani et al., NeurIPS 2017, section 3)."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norms = nn.ModuleList([nn.LayerNorm(width), nn.LayerNorm(width)])
        self.sides = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.network = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x, is_there):
        n, steps, width = x.shape
        of_heads = lambda t: t.reshape(n, steps, self.heads, width // self.heads).transpose(1, 2)
        q, k, v = (of_heads(t) for t in self.sides(self.norms[0](x)).chunk(3, -1))
        mask = is_there[:, None, None, :].expand(n, 1, steps, steps)
        mixed = nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        x = x + self.out(mixed.transpose(1, 2).reshape(n, steps, width))
        return x + self.network(self.norms[1](x))


class Transformer(nn.Module):
    """Classes of texts: tokens of number 0 fill up and are not attended to."""

    def __init__(self, tokens, width, heads, classes, longest):
        super().__init__()
        self.tokens = nn.Embedding(tokens, width, padding_idx=0)
        self.places = nn.Embedding(longest, width)
        self.layers = nn.ModuleList([Layer(width, heads), Layer(width, heads)])
        self.head = nn.Linear(width, classes)

    def forward(self, ids):
        x = self.tokens(ids) + self.places(torch.arange(ids.shape[1]))
        for layer in self.layers:
            x = layer(x, ids != 0)
        return self.head(x.mean(1))


def stirred(model):
    """Statistics and scales of normalisations as training leaves them, not 0 and 1."""
    for part in model.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean.uniform_(-0.2, 0.2)
            part.running_var.uniform_(0.5, 1.5)
            nn.init.uniform_(part.weight, 0.8, 1.2)
            nn.init.uniform_(part.bias, -0.1, 0.1)
    return model.eval()


def traced(model, inputs, names, outputs, axes, opset, **more):
    """By the exporter that traces."""
    bytes_ = io.BytesIO()
    more |= {"input_names": names, "output_names": outputs, "dynamic_axes": axes, "opset_version": opset}
    torch.onnx.export(model, inputs, bytes_, dynamo=False, **more)
    return onnx.load_from_string(bytes_.getvalue())


def captured(model, inputs, names, outputs, shapes, opset):
    """By the exporter that captures programs."""
    more = {"input_names": names, "output_names": outputs, "dynamic_shapes": shapes, "opset_version": opset}
    return torch.onnx.export(model, inputs, dynamo=True, **more).model_proto


def main() -> int:
    args = network_folders.arguments(__doc__)
    torch.manual_seed(SEED)
    write = lambda name, model, sets: network_folders.write(args.folder, name, model, sets, args.slim)
    random = numpy.random.default_rng(SEED)
    floats = lambda *dims: random.standard_normal(dims).astype(numpy.float32)
    side, classes = (16, 4) if args.slim else (224, 1000)
    images = [{"image": floats(n, 3, side, side)} for n in (1, 2)]
    example = torch.from_numpy(images[0]["image"])

    model = stirred(resnet_18(1 if args.slim else 64, classes))
    batch = {"image": {0: "batch"}, "scores": {0: "batch"}}
    write("resnet_18_opset_8", traced(model, (example,), ["image"], ["scores"], batch, 8), images)
    shapes = ({0: Dim("batch")},)
    write("resnet_18_captured", captured(model, (torch.cat([example] * 2),), ["image"], ["scores"], shapes, 18), images)
    # For one row alone, as most networks are given away.
    model = stirred(mobilenet_v2(*((16, 3) if args.slim else (1, len(STAGES))), classes))
    kept = {"training": torch.onnx.TrainingMode.PRESERVE, "do_constant_folding": False}
    write("mobilenet_v2_opset_11", traced(model, (example,), ["image"], ["scores"], None, 11, **kept), images[:1])

    width, hidden = (3, 2) if args.slim else (64, 128)
    model = Recurrent(nn.LSTM, width, hidden, True).eval()
    sets = [
        {"x": floats(steps, n, width), "h": floats(4, n, hidden), "c": floats(4, n, hidden)}
        for steps, n in (((5, 2), (3, 1)) if args.slim else ((50, 8), (7, 1)))
    ]
    names, outputs = ["x", "h", "c"], ["y", "h_out", "c_out"]
    example = tuple(torch.from_numpy(sets[0][name]) for name in names)
    axes = {"x": {0: "steps", 1: "batch"}, "y": {0: "steps", 1: "batch"}}
    axes |= {name: {1: "batch"} for name in ("h", "c", "h_out", "c_out")}
    write("lstm_opset_14", traced(model, example, names, outputs, axes, 14), sets)

    model = Recurrent(nn.GRU, width, hidden, False).eval()
    sets = [{"x": s["x"].transpose(1, 0, 2).copy()} for s in sets]
    example = (torch.from_numpy(sets[0]["x"]),)
    axes = {"x": {0: "batch", 1: "steps"}, "y": {0: "batch", 1: "steps"}}
    write("gru_opset_17", traced(model, example, ["x"], ["y"], axes, 17), sets)
    write("gru_opset_9", traced(model, example, ["x"], ["y"], axes, 9), sets)

    tokens, width, heads, longest = (11, 8, 2, 12) if args.slim else (2000, 128, 4, 128)
    model = Transformer(tokens, width, heads, 3, longest).eval()
    sets = []
    for n, steps in ((3, longest // 2), (2, longest)):
        ids = random.integers(1, tokens, (n, steps))
        ids[0, steps // 2 :] = 0
        sets.append({"ids": ids})
    example = (torch.from_numpy(sets[0]["ids"]),)
    axes = {"ids": {0: "batch", 1: "steps"}, "scores": {0: "batch"}}
    for opset in (14, 17):
        write(f"transformer_opset_{opset}", traced(model, example, ["ids"], ["scores"], axes, opset), sets)
    shapes = ({0: Dim("batch"), 1: Dim("steps", max=longest)},)
    for opset in (18, 23):
        network = captured(model, example, ["ids"], ["scores"], shapes, opset)
        write(f"transformer_captured_{opset}", network, sets)
    return 0


if __name__ == "__main__":
    sys.exit(main())
