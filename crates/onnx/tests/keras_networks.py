"""Makes networks with Keras and tf2onnx (random weights, fixed seed), for the runner `networks.rs`.

    python -m venv .venv
    .venv/bin/pip install tensorflow-cpu==2.15.1 tf2onnx==1.16.1 onnx==1.16.2 onnxruntime==1.19.2 protobuf==3.20.3 "numpy<2"
    .venv/bin/python crates/onnx/tests/keras_networks.py FOLDER
    .venv/bin/python crates/onnx/tests/keras_networks.py testdata/onnx/networks --slim

A convolutional network with channels last, a GRU and an LSTM; a plain recurrent cell and a loop of its own become
`Loop` with graphs inside. Versions of the operators are old and new.
"""

import sys

import numpy
import tensorflow as tf
import tf2onnx
from tensorflow.keras import layers

import network_folders

SEED = 7


def convolutional(side, channels, classes):
    return tf.keras.Sequential(
        [
            layers.Input((side, side, 3), name="image"),
            layers.Conv2D(channels, 3, strides=2, padding="same", use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(6.0),
            layers.SeparableConv2D(2 * channels, 3, padding="same", activation="elu"),
            layers.MaxPooling2D(2),
            layers.Conv2DTranspose(channels, 2, strides=2, activation="swish"),
            layers.DepthwiseConv2D(3, padding="valid", activation="hard_sigmoid"),
            layers.AveragePooling2D(3, padding="same"),
            layers.LayerNormalization(),
            layers.GlobalAveragePooling2D(),
            layers.Dense(classes, activation="softmax"),
        ]
    )


def recurrent(kind, tokens, width, **more):
    ids = layers.Input((None,), dtype="int32", name="ids")
    x = layers.Embedding(tokens, width)(ids)
    x = layers.Bidirectional(kind(width, return_sequences=True, **more))(x)
    return tf.keras.Model(ids, layers.Dense(3, activation="tanh")(kind(width, **more)(x)))


def growing(weights):
    """A loop whose number of steps hangs on the data, and a choice behind it."""

    def run(x):
        w = tf.constant(weights, tf.float32)
        grow = lambda k, x: (k + 1, 1.5 * x + tf.matmul(tf.sin(x), w))
        steps, x = tf.while_loop(lambda k, x: tf.logical_and(k < 20, tf.reduce_max(x) < 30.0), grow, [0, x])
        return tf.cond(steps > 5, lambda: tf.matmul(x, w), lambda: x - 1.0), steps

    return run


def main() -> int:
    args = network_folders.arguments(__doc__)
    tf.keras.utils.set_random_seed(SEED)
    random = numpy.random.default_rng(SEED)

    def write(name, model, sets):
        network_folders.write(args.folder, name, model, sets, args.slim)

    side, channels, classes = (12, 2, 3) if args.slim else (64, 32, 10)
    images = [{"image": random.random((n, side, side, 3), numpy.float32)} for n in (2, 3)]
    spec = [tf.TensorSpec((None, side, side, 3), tf.float32, name="image")]
    model = convolutional(side, channels, classes)
    for part in model.layers:
        if isinstance(part, layers.BatchNormalization):
            part.set_weights([random.uniform(0.5, 1.5, w.shape) for w in part.get_weights()])
    for opset in (9, 13):
        network, _ = tf2onnx.convert.from_keras(model, spec, opset=opset)
        write(f"keras_cnn_opset_{opset}", network, images)
    tokens, width, steps = (9, 3, 5) if args.slim else (1000, 64, 40)
    texts = [{"ids": random.integers(0, tokens, (n, k)).astype(numpy.int32)} for n, k in ((2, steps), (1, 2 * steps))]
    spec = [tf.TensorSpec((None, None), tf.int32, name="ids")]
    kinds = [
        ("keras_gru_opset_10", layers.GRU, {"reset_after": False}, 10),
        ("keras_gru_opset_15", layers.GRU, {}, 15),
        ("keras_lstm_opset_13", layers.LSTM, {}, 13),
        ("keras_rnn_opset_12", layers.SimpleRNN, {"activation": "relu"}, 12),
    ]
    for name, kind, more, opset in kinds:
        network, _ = tf2onnx.convert.from_keras(recurrent(kind, tokens, width, **more), spec, opset=opset)
        write(name, network, texts)
    spec = [tf.TensorSpec((None, width), tf.float32, name="x")]
    rows = [{"x": random.random((n, width), numpy.float32) * k} for n, k in ((2, 1.0), (3, 20.0))]
    function = tf.function(growing(random.standard_normal((width, width)) / width), input_signature=spec)
    network, _ = tf2onnx.convert.from_function(function, spec, opset=14)
    write("tf_loop_opset_14", network, rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
