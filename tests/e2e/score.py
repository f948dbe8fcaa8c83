#!/usr/bin/python3
"""score.py MODEL TEST.CSV: accuracy of a saved digits model on its test set, in
plain Python: by nothing but the file and what its metadata says.
score.py --metadata MODEL: what that is."""

import csv
import json
import struct
import sys


def tensors(path):
    with open(path, "rb") as file:
        data = file.read()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + size])
    metadata = header.pop("__metadata__")
    out = {}
    for name, entry in header.items():
        begin, end = (8 + size + at for at in entry["data_offsets"])
        count = (end - begin) // 4
        out[name] = struct.unpack(f"<{count}f", data[begin:end])
    return out, metadata


def layer(x, weight, bias):
    n = len(x)
    return [
        b + sum(a * w for a, w in zip(x, weight[i * n : (i + 1) * n]))
        for i, b in enumerate(bias)
    ]


def main():
    if sys.argv[1] == "--metadata":
        print(json.dumps(tensors(sys.argv[2])[1]))
        return
    t, metadata = tensors(sys.argv[1])
    divisor = float(metadata["divisor"])
    classes = json.loads(metadata["classes"])
    activations = {"relu": lambda value: max(0.0, value)}
    activation = activations[metadata["activation"]]
    right = rows = 0
    with open(sys.argv[2], newline="") as file:
        for row in csv.reader(file):
            if not row[0].lstrip("-").replace(".", "").isdigit():
                continue  # the header
            x = [float(cell) / divisor for cell in row[:-1]]
            x = layer(x, t["layers.0.weight"], t["layers.0.bias"])
            x = [activation(value) for value in x]
            x = layer(x, t["layers.1.weight"], t["layers.1.bias"])
            right += classes[x.index(max(x))] == row[-1]
            rows += 1
    print(right / rows)


main()
