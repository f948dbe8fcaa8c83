#!/usr/bin/python3
"""Make digits-train.csv and digits-test.csv from the whole data set.

    split.py digits.csv.gz

The rows are shuffled with the seed below; every fifth of what results is the
test set: 1,437 rows to train on and 360 to test.  ATTRIBUTION says where the
data set comes from.
"""

import gzip
import random
import sys

SEED = 1


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with gzip.open(sys.argv[1], "rt", encoding="ascii") as file:
        rows = file.read().split()
    random.Random(SEED).shuffle(rows)
    test_rows = len(rows) // 5 + 1
    pixels = [f"p{y}{x}" for y in range(8) for x in range(8)]
    header = ",".join(pixels + ["digit"])
    parts = {"test": rows[:test_rows], "train": rows[test_rows:]}
    for name, part in parts.items():
        with open(f"digits-{name}.csv", "w", encoding="ascii") as file:
            file.write("\n".join([header] + part) + "\n")


if __name__ == "__main__":
    main()
