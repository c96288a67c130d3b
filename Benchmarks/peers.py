"""What the benchmarks share: the built millrace, its peers, and tables."""

import csv
import importlib.util
import itertools
import json
import math
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
MILLRACE = ROOT / ".build/release/millrace"

# The settings of River's linear models: the usual ones, from slow to fast.
OPTIMIZERS = {
    "SGD(.01)": lambda optim: optim.SGD(0.01),
    "SGD(.1)": lambda optim: optim.SGD(0.1),
    "AdaGrad(.1)": lambda optim: optim.AdaGrad(0.1),
    "Adam(.01)": lambda optim: optim.Adam(0.01),
}


def from_river(stream, rows=None):
    """The first rows of one of River's streams: numbers, and labels as they are."""
    import numpy as np

    records = list(itertools.islice(stream, rows))
    features = np.array([[float(value) for value in record.values()] for record, _ in records])
    return features, np.array([label for _, label in records])


def has(package):
    """Whether a Python package is there; says so where it is not."""
    found = importlib.util.find_spec(package) is not None
    if not found:
        print(f"skipped: there is no Python package {package}", file=sys.stderr)
    return found


def millrace(*arguments):
    """Runs the built command; its result."""
    if not MILLRACE.exists():
        sys.exit("there is no .build/release/millrace: run make first")
    command = [str(MILLRACE), *map(str, arguments), "--quiet", "--json"]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return json.loads(output.splitlines()[-1])


def write_csv(path, features, labels):
    """Rows of numbers with the columns x0, x1, … and label."""
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([f"x{column}" for column in range(len(features[0]))] + ["label"])
        for row, label in zip(features, labels):
            writer.writerow([*(repr(float(value)) for value in row), label])


def vowpal_wabbit(data, *arguments):
    """Progressive loss; Vowpal Wabbit reads its own text format, without a cache."""
    import vowpalwabbit

    workspace = vowpalwabbit.Workspace(
        " ".join(["--data", str(data), "--quiet", *arguments]))
    loss = workspace.get_sum_loss() / workspace.get_weighted_examples()
    workspace.finish()
    return loss


def write_vowpal_wabbit(path, features, labels):
    """The same rows in Vowpal Wabbit's text format."""
    with open(path, "w") as file:
        for row, label in zip(features, labels):
            values = " ".join(f"{column}:{float(value)!r}" for column, value in enumerate(row))
            file.write(f"{label} | {values}\n")


def river_log_loss(model, features, labels, classes):
    """Progressive log-loss of a classifier of River, from rows in memory."""
    loss = 0.0
    for row, label in zip(features, labels):
        row = dict(enumerate(map(float, row)))
        probabilities = model.predict_proba_one(row)
        probability = probabilities.get(label, 0.0) if probabilities else 1 / classes
        loss -= math.log(min(max(probability, 1e-15), 1))
        model.learn_one(row, label)
    return loss / len(labels)


def markdown(header, rows):
    """A table; the first column is a name."""
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return lines + ["| " + " | ".join(row) + " |" for row in rows] + [""]
