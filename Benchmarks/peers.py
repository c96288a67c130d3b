"""What the benchmarks share: the built millrace, its peers, files of rows, and tables."""

import importlib.util
import itertools
import json
import math
import os
import pathlib
import shutil
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

# A line of a file by the file's suffix: up to the fields, a field, between fields, the end.
FORMATS = {
    ".csv": ("%s,", "{number}", ",", "\n"),
    ".jsonl": ('{"label": %s, ', '"x{column}": {number}', ", ", "}\n"),
    ".vw": ("%s | ", "{column}:{number}", " ", "\n"),
}


def has(*packages):
    """Whether Python packages are there; says which are not."""
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    for name in missing:
        print(f"skipped: there is no Python package {name}", file=sys.stderr)
    return not missing


def write(path, features, labels, number="%r"):
    """Writes rows of numbers in the format of the path's suffix; numbers are exact unless said."""
    columns = range(features.shape[1])
    start, field, between, end = FORMATS[path.suffix]
    fields = between.join(field.format(column=column, number=number) for column in columns)
    line = start + fields + end
    with open(path, "w") as file:
        if path.suffix == ".csv":
            file.write(",".join(["label", *(f"x{column}" for column in columns)]) + "\n")
        for row, label in zip(features, labels):
            file.write(line % (label, *row.tolist()))


def from_river(stream, rows=None):
    """The first rows of one of River's streams: numbers, and labels as they are."""
    import numpy as np

    records = list(itertools.islice(stream, rows))
    features = np.array([[float(value) for value in record.values()] for record, _ in records])
    return features, np.array([label for _, label in records])


def run(*command):
    """Runs a program for its time alone."""
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def millrace(*arguments):
    """Runs the built command; its result."""
    if not MILLRACE.exists():
        sys.exit("there is no .build/release/millrace: run make first")
    command = [str(MILLRACE), *map(str, arguments), "--quiet", "--json"]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return json.loads(output.splitlines()[-1])


def vowpal_wabbit(data, *arguments):
    """Progressive log-loss; Vowpal Wabbit reads its own text format, without a cache."""
    import vowpalwabbit

    workspace = vowpalwabbit.Workspace(
        " ".join(["--data", str(data), "--quiet --loss_function logistic", *map(str, arguments)]))
    loss = workspace.get_sum_loss() / workspace.get_weighted_examples()
    workspace.finish()
    return loss


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


def read(path):
    """Features and labels of CSV by polars or of LibSVM by scikit-learn."""
    if path.suffix == ".svm":
        from sklearn.datasets import load_svmlight_file

        features, labels = load_svmlight_file(str(path))
        # It gives indices of 64 bits; scikit-learn's models take 32.
        features.indices = features.indices.astype("int32")
        features.indptr = features.indptr.astype("int32")
        return features, labels
    import polars

    table = polars.read_csv(path)
    return table.drop("label").to_numpy(), table["label"].to_numpy()


def scikit_learn(path):
    """One pass of scikit-learn's SGD over a file's rows, in their order."""
    from sklearn.linear_model import SGDClassifier

    features, labels = read(path)
    SGDClassifier(loss="log_loss", shuffle=False).partial_fit(features, labels, classes=[0, 1])


def liblinear(path):
    """LIBLINEAR's solution of L2-regularised logistic regression: its own program, or the copy
    in scikit-learn where that is not there or cannot read the file."""
    program = shutil.which("liblinear-train")
    if program and path.suffix == ".svm":
        run(program, "-s", "0", "-q", path, os.devnull)
        return
    from sklearn.linear_model import LogisticRegression

    LogisticRegression(solver="liblinear").fit(*read(path))


def simdjson(folder):
    """The program that reads JSON lines by simdjson, built in a folder; nothing without one."""
    compiler = shutil.which("c++") or shutil.which("clang++")
    program = folder / "read_json"
    source = ROOT / "Benchmarks/read_json.cpp"
    command = [compiler, "-O3", "-march=native", "-o", program, source, "-lsimdjson"]
    if compiler and subprocess.run(command, capture_output=True).returncode == 0:
        return program
    print("skipped: no C++ compiler builds read_json.cpp with simdjson", file=sys.stderr)
    return None


def markdown(header, rows):
    """A table; the first column is a name."""
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return lines + ["| " + " | ".join(row) + " |" for row in rows] + [""]
