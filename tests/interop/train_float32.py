#!/usr/bin/python3
"""Train a task.toml centrally, in float32, with NumPy: the yardstick.

The chain trains in integers, on gradients that several miners computed and
quantised.  This script trains the same model on one machine with nothing
quantised: the same number of rows a step (rows_per_miner * miners, drawn
anew each step), the same steps, rates, momentum, decay and schedule.  It
prints the test accuracy of each seed, to be compared with the chain's.

    train_float32.py examples/digits/task.toml --miners 2 --seeds 4
    train_float32.py examples/fashion-mnist/task.toml --data ~/fashion-mnist

Needs Debian's python3-numpy.  Reads CSV (all columns numbers but the label)
and IDX files, compressed with gzip or not.
"""

import argparse
import csv
import gzip
import io
import math
import os
import struct
import sys
import tomllib

import numpy as np


def read_bytes(path):
    with open(path, "rb") as file:
        data = file.read()
    return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data


def read_idx(path):
    data = read_bytes(path)
    kinds = {8: ">u1", 9: ">i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
    zero, kind, dimensions = struct.unpack(">HBB", data[:4])
    if zero != 0 or kind not in kinds:
        sys.exit(f"{path}: not an IDX file")
    shape = struct.unpack(f">{dimensions}I", data[4 : 4 + 4 * dimensions])
    array = np.frombuffer(data, kinds[kind], offset=4 + 4 * dimensions)
    return array.reshape(shape)


def read_csv(path, label):
    text = io.StringIO(read_bytes(path).decode(), newline="")
    lines = [line for line in csv.reader(text) if line]
    column = {"first": 0, "last": len(lines[0]) - 1}.get(label)
    if column is None:
        column = int(label) if label.isdigit() else lines[0].index(label)
    first = lines[0][:column] + lines[0][column + 1 :]
    try:
        [float(cell) for cell in first]
    except ValueError:
        lines = lines[1:]
    labels = np.array([line.pop(column) for line in lines])
    return np.array(lines, dtype=np.float32), labels


def read_set(folder, data, which):
    path = os.path.join(folder, data[which])
    labels = data.get(which + "_labels")
    if labels is None:
        return read_csv(path, str(data.get("label", "last")))
    x = read_idx(path)
    y = read_idx(os.path.join(folder, labels))
    return x.reshape(len(x), -1).astype(np.float32), y


def read_sets(folder, data):
    x, y = read_set(folder, data, "train")
    if "test" in data:
        tx, ty = read_set(folder, data, "test")
    elif "test_split" in data:
        # Other rows than potctl holds back, but as many.
        order = np.random.default_rng(0).permutation(len(x))
        held = max(1, round(len(x) * data["test_split"]))
        tx, ty = x[order[:held]], y[order[:held]]
        x, y = x[order[held:]], y[order[held:]]
    else:
        sys.exit("[data] has neither test nor test_split")
    scale = data.get("scale") or max(1.0, float(np.abs(x).max()))
    classes = np.unique(y)
    scale = np.float32(scale)
    index = np.searchsorted
    return x / scale, index(classes, y), tx / scale, index(classes, ty)


# The function, its slope told from its result, and whether it is a rectifier.
ACTIVATIONS = {
    "relu": (
        lambda z: np.maximum(z, 0),
        lambda y: (y > 0).astype(np.float32),
        True,
    ),
    "tanh": (np.tanh, lambda y: 1 - y * y, False),
    "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda y: y * (1 - y), False),
}


def initial(widths, is_rectifier, rng):
    layers = []
    for d_in, d_out in zip(widths, widths[1:]):
        fan = d_in if is_rectifier else d_in + d_out
        bound = math.sqrt(6.0 / fan)
        weight = rng.uniform(-bound, bound, (d_out, d_in))
        layers += [weight.astype(np.float32), np.zeros(d_out, np.float32)]
    return layers


def forward(layers, activate, x):
    outputs = [x]
    for i in range(0, len(layers), 2):
        z = outputs[-1] @ layers[i].T + layers[i + 1]
        is_last = i + 2 == len(layers)
        outputs.append(z if is_last else activate(z))
    return outputs


def gradient(layers, activate, slope, loss, x, y):
    """The mean gradient and the mean loss over the rows of x."""
    outputs = forward(layers, activate, x)
    z, n, k = outputs[-1], len(x), outputs[-1].shape[1]
    one_hot = np.zeros_like(z)
    one_hot[np.arange(n), y] = 1
    if loss == "mse":
        dz = (2.0 / k) * (z - one_hot) / np.float32(n)
        mean = float(((z - one_hot) ** 2).mean())
    elif loss == "softmax_cross_entropy":
        e = np.exp(z - z.max(1, keepdims=True))
        p = e / e.sum(1, keepdims=True)
        dz = (p - one_hot) / np.float32(n)
        mean = float(-np.log(np.maximum(p[np.arange(n), y], 1e-30)).mean())
    else:
        sys.exit(f"no loss {loss}")
    gradients = [None] * len(layers)
    for i in range(len(layers) - 2, -1, -2):
        gradients[i] = dz.T @ outputs[i // 2]
        gradients[i + 1] = dz.sum(0)
        if i > 0:
            dz = (dz @ layers[i]) * slope(outputs[i // 2])
    return gradients, mean


def rate_at(optimizer, step, steps):
    rate = optimizer["learning_rate"]
    warmup = optimizer.get("warmup_rounds", 0)
    rate *= min(1.0, (step + 1) / warmup) if warmup > 0 else 1.0
    schedule = optimizer.get("schedule", "constant")
    if schedule == "cosine":
        return rate * (1 + math.cos(math.pi * step / steps)) / 2
    if schedule == "step":
        every = optimizer.get("step_rounds", steps)
        return rate * optimizer.get("step_factor", 0.1) ** (step // every)
    if schedule == "constant":
        return rate
    sys.exit(f"no schedule {schedule}")


class Moments:
    """What an optimizer keeps of one tensor, and its step."""

    def __init__(self, optimizer, layer):
        self.kind = optimizer.get("kind", "momentum")
        if self.kind not in ("sgd", "momentum", "nesterov", "adam"):
            sys.exit(f"no optimizer {self.kind}")
        usual = 0.0 if self.kind == "sgd" else 0.9
        self.mu = np.float32(optimizer.get("momentum", usual))
        self.beta2 = np.float32(optimizer.get("beta2", 0.999))
        self.epsilon = np.float32(optimizer.get("epsilon", 1e-8))
        self.decay = np.float32(optimizer.get("weight_decay", 0.0))
        self.m = np.zeros_like(layer)
        self.v = np.zeros_like(layer)

    def step(self, layer, g, rate, n):
        if self.kind == "adam":
            self.m += (1 - self.mu) * (g - self.m)
            self.v += (1 - self.beta2) * (g * g - self.v)
            m = self.m / (1 - self.mu**n)
            v = self.v / (1 - self.beta2**n)
            layer -= rate * (
                m / (np.sqrt(v) + self.epsilon) + self.decay * layer
            )
            return
        g = g + self.decay * layer
        self.m *= self.mu
        self.m += g
        is_nesterov = self.kind == "nesterov"
        layer -= rate * (g + self.mu * self.m if is_nesterov else self.m)


def accuracy(layers, activate, x, y):
    outputs = forward(layers, activate, x)[-1]
    return float((outputs.argmax(1) == y).mean())


def train(task, sets, rows, seed, is_verbose):
    model, optimizer = task["model"], task["optimizer"]
    steps = task["training"]["rounds"]
    name = model.get("activation", "relu")
    if name not in ACTIVATIONS:
        sys.exit(f"no activation {name}")
    activate, slope, is_rectifier = ACTIVATIONS[name]
    loss = model.get("loss", "softmax_cross_entropy")
    rng = np.random.default_rng(seed)
    x, y, tx, ty = sets
    layers = initial(model["layers"], is_rectifier, rng)
    moments = [Moments(optimizer, layer) for layer in layers]
    for step in range(steps):
        drawn = rng.choice(len(x), rows, replace=rows > len(x), shuffle=False)
        gradients, mean = gradient(
            layers, activate, slope, loss, x[drawn], y[drawn]
        )
        rate = np.float32(rate_at(optimizer, step, steps))
        for layer, kept, g in zip(layers, moments, gradients):
            kept.step(layer, g, rate, step + 1)
        if is_verbose and (step + 1) % max(1, steps // 10) == 0:
            score = accuracy(layers, activate, tx, ty)
            print(f"  step {step + 1}: loss {mean:.4f}, test {score:.4f}")
    return accuracy(layers, activate, tx, ty)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("task", help="task.toml")
    parser.add_argument("--data", help="folder of the data files")
    parser.add_argument("--miners", type=int, default=2)
    parser.add_argument("--seeds", type=int, default=1, help="how many runs")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    with open(options.task, "rb") as file:
        task = tomllib.load(file)
    folder = options.data or os.path.dirname(options.task)
    sets = read_sets(folder, task["data"])
    rows = task["training"]["rows_per_miner"] * options.miners
    scores = []
    for seed in range(1, options.seeds + 1):
        score = train(task, sets, rows, seed, options.verbose)
        scores.append(score)
        print(f"seed {seed}: test accuracy {score:.4f}", flush=True)
    mean = sum(scores) / len(scores)
    print(f"mean {mean:.4f} over {len(scores)} seeds, {rows} rows a step")


if __name__ == "__main__":
    main()
