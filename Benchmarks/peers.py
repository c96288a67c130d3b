"""What the benchmarks share: the built millrace, its peers, files of rows, and tables."""

import importlib.util
import itertools
import json
import math
import pathlib
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
MILLRACE = ROOT / ".build/release/millrace"
ELEC = ROOT / "datasets/elec.csv"

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


def elec():
    """45,312 half-hours of an electricity market, the class last; nothing where it is missing."""
    import numpy as np

    if not ELEC.exists():
        print("skipped: there is no datasets/elec.csv; datasets/fetch gets it", file=sys.stderr)
        return None
    return np.loadtxt(ELEC, delimiter=",", skiprows=1)


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


def scikit_learn_liblinear(path):
    """The LIBLINEAR in scikit-learn, with LIBLINEAR's own tolerance."""
    from sklearn.linear_model import LogisticRegression

    LogisticRegression(solver="liblinear", tol=0.01).fit(*read(path))


def program(name):
    """Where a program is; says so where it is not."""
    found = shutil.which(name)
    if not found:
        print(f"skipped: there is no program {name}", file=sys.stderr)
    return found


def simdjson(folder):
    """The program that reads JSON lines by simdjson, built in a folder; nothing without one."""
    compiler, built = program("c++"), folder / "read_json"
    source = ROOT / "Benchmarks/read_json.cpp"
    command = [compiler, "-O3", "-march=native", "-o", built, source, "-lsimdjson"]
    if compiler and subprocess.run(command).returncode == 0:
        return built
    return None


def best(repeat, jobs):
    """The jobs in turn, `repeat` times, or twice where they take more than three seconds: for each
    its shortest time and what it returned."""
    results = {}
    for turn in range(repeat):
        for name, job in jobs.items():
            if turn > 1 and results[name][0] > 3:
                continue
            start = time.perf_counter()
            value = job()
            seconds = time.perf_counter() - start
            if name not in results or seconds < results[name][0]:
                results[name] = seconds, value
    return results


def markdown(header, rows):
    """A table; the first column is a name."""
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return lines + ["| " + " | ".join(row) + " |" for row in rows] + [""]
