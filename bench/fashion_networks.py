"""Trains three networks on Fashion-MNIST and writes them as ONNX: what quantization is measured on.

    python fashion_networks.py DATA OUT [--epochs 20] [--only resnet8,mobilenet,perceptron]

DATA holds the four IDX files (`train-images-idx3-ubyte.gz`, ..), OUT gets `fashion_resnet8.onnx`,
`fashion_mobilenet.onnx` and `fashion_perceptron.onnx`, each with its float accuracy in `fashion_networks.csv`.
Needs PyTorch and onnx; a GPU is used if there is one. Seeds are fixed; floats of another machine differ in their last
digits, so accuracy may differ by some rows.

Input: pixels / 255, minus 0.2860, divided by 0.3530, `[N, 1, 28, 28]`.
"""

import argparse
import csv
import gzip
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

MEAN, STD = 0.2860, 0.3530


def read_idx(path):
    """Elements of an IDX file of bytes."""
    raw = gzip.decompress(path.read_bytes())
    rank = raw[3]
    dims = np.frombuffer(raw, ">u4", rank, 4)
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * rank).reshape(dims)


def conv_bn(n_in, n_out, size=3, stride=1, groups=1):
    """A convolution without bias and its batch normalisation."""
    conv = nn.Conv2d(n_in, n_out, size, stride, size // 2, groups=groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(n_out))


class Block(nn.Module):
    """Two convolutions and the way around them."""

    def __init__(self, n_in, n_out, stride):
        super().__init__()
        self.first = conv_bn(n_in, n_out, stride=stride)
        self.second = conv_bn(n_out, n_out)
        is_plain = n_in == n_out and stride == 1
        self.around = nn.Identity() if is_plain else conv_bn(n_in, n_out, 1, stride)

    def forward(self, x):
        return F.relu(self.second(F.relu(self.first(x))) + self.around(x))


class ResNet8(nn.Module):
    """ResNet-8 as MLPerf Tiny has it, for one channel."""

    def __init__(self):
        super().__init__()
        self.stem = conv_bn(1, 16)
        self.blocks = nn.Sequential(Block(16, 16, 1), Block(16, 32, 2), Block(32, 64, 2))
        self.head = nn.Linear(64, 10)

    def forward(self, x):
        x = self.blocks(F.relu(self.stem(x)))
        return self.head(x.mean((2, 3)))


class Inverted(nn.Module):
    """MobileNetV2's block: widen, depthwise, narrow."""

    def __init__(self, n_in, n_out, stride, widen=4):
        super().__init__()
        wide = n_in * widen
        self.widen = conv_bn(n_in, wide, 1)
        self.depthwise = conv_bn(wide, wide, 3, stride, groups=wide)
        self.narrow = conv_bn(wide, n_out, 1)
        self.is_around = n_in == n_out and stride == 1

    def forward(self, x):
        y = self.narrow(F.relu6(self.depthwise(F.relu6(self.widen(x)))))
        return x + y if self.is_around else y


class MobileNet(nn.Module):
    """A small MobileNetV2."""

    def __init__(self):
        super().__init__()
        self.stem = conv_bn(1, 16, stride=1)
        sizes = [(16, 24, 2), (24, 24, 1), (24, 40, 2), (40, 40, 1), (40, 64, 2), (64, 64, 1)]
        self.blocks = nn.Sequential(*[Inverted(*size) for size in sizes])
        self.last = conv_bn(64, 128, 1)
        self.head = nn.Linear(128, 10)

    def forward(self, x):
        x = F.relu6(self.last(self.blocks(F.relu6(self.stem(x)))))
        return self.head(F.adaptive_avg_pool2d(x, 1).flatten(1))


def perceptron():
    """Three linear layers."""
    return nn.Sequential(
        nn.Flatten(), nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10)
    )


NETWORKS = {"resnet8": ResNet8, "mobilenet": MobileNet, "perceptron": perceptron}


def batches(images, labels, size, generator):
    """Rows in another order each time, mirrored and moved by up to two pixels."""
    order = torch.randperm(len(images), generator=generator, device="cpu").to(images.device)
    for at in range(0, len(images) - size + 1, size):
        rows = order[at : at + size]
        x = images[rows]
        flip, dy, dx = torch.randint(0, 2, (1,), generator=generator).item(), *(
            torch.randint(0, 5, (2,), generator=generator).tolist()
        )
        x = F.pad(x, (2, 2, 2, 2), value=-MEAN / STD)[:, :, dy : dy + 28, dx : dx + 28]
        yield (x.flip(3) if flip else x), labels[rows]


def accuracy(model, images, labels):
    """Share of rows whose largest output is their class."""
    model.eval()
    with torch.no_grad():
        right = sum((model(x).argmax(1) == y).sum().item() for x, y in zip(images.split(1000), labels.split(1000)))
    return right / len(labels)


def train(name, data, epochs, device):
    """A network after so many passes over the rows."""
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(0)
    model = NETWORKS[name]().to(device)
    images, labels = data["train"]
    size = 256
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4, nesterov=True)
    n_steps = epochs * (len(images) // size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.2, total_steps=n_steps)
    for epoch in range(epochs):
        model.train()
        for x, y in batches(images, labels, size, generator):
            optimizer.zero_grad()
            F.cross_entropy(model(x), y, label_smoothing=0.05).backward()
            optimizer.step()
            schedule.step()
        print(name, epoch + 1, round(accuracy(model, *data["test"]), 4), flush=True)
    return model


def main():
    """Trains, exports, and notes the accuracy."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--only", default=",".join(NETWORKS))
    args = parser.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    data = {}
    for part, stem in [("train", "train"), ("test", "t10k")]:
        images = read_idx(args.data / f"{stem}-images-idx3-ubyte.gz").astype(np.float32)
        labels = read_idx(args.data / f"{stem}-labels-idx1-ubyte.gz").astype(np.int64)
        pixels = torch.from_numpy((images / 255 - MEAN) / STD)[:, None].to(device)
        data[part] = (pixels, torch.from_numpy(labels).to(device))
    args.out.mkdir(parents=True, exist_ok=True)
    lines = []
    for name in args.only.split(","):
        model = train(name, data, args.epochs, device)
        score = accuracy(model, *data["test"])
        path = args.out / f"fashion_{name}.onnx"
        torch.onnx.export(
            model.cpu().eval(),
            torch.zeros(1, 1, 28, 28),
            path,
            input_names=["image"],
            output_names=["logits"],
            dynamic_axes={"image": {0: "N"}, "logits": {0: "N"}},
            opset_version=17,
            dynamo=False,
        )
        weights = sum(p.numel() for p in model.parameters())
        lines.append([name, weights, path.stat().st_size, score])
    with open(args.out / "fashion_networks.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["network", "weights", "bytes", "accuracy"])
        writer.writerows(lines)


if __name__ == "__main__":
    main()
