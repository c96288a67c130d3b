#!/usr/bin/env python3
"""Progressive log-loss of several classes, Millrace with no setting beside its peers.

    Benchmarks/streams_classes.py [--seed N] [--rows N] [STREAM …]

Streams are made from the seed, or come with River and scikit-learn. Each record is predicted, then
learnt. Peers: River's softmax regression and one-versus-rest logistic regression behind a standard
scaler, each with four optimizers, the best of the eight afterwards. "frozen" learns the first 80 %
and predicts the rest without labels, beside scikit-learn's LogisticRegression on the same split.
"""

import argparse
import pathlib
import tempfile
import time

import numpy as np

import peers

STREAMS = ["image segments", "digits", "stationary 3", "stationary 10", "abrupt 5", "rotating 8",
           "random walk 20", "moving clouds 8", "late classes 6", "late classes 15"]


def softmax(generator, rows, classes, weights_at, columns=8):
    """Labels of a softmax model whose weights are a function of the row."""
    features = generator.standard_normal((rows, columns))
    scores = np.array([weights_at(row) @ features[row] for row in range(rows)])
    return features, (2 * scores + generator.gumbel(size=(rows, classes))).argmax(1)


def make(name, seed, rows):
    """A stream's features and labels."""
    generator = np.random.default_rng(seed)
    if name == "digits":
        from sklearn.datasets import load_digits

        return load_digits(return_X_y=True)
    if name == "image segments":
        from river import datasets

        features, labels = peers.from_river(datasets.ImageSegments())
        return features, np.unique(labels, return_inverse=True)[1]
    classes = int(name.split()[-1])
    if name.startswith("moving clouds"):
        from river.datasets import synth

        features, labels = peers.from_river(
            synth.RandomRBFDrift(
                seed_model=seed, seed_sample=seed, n_classes=classes, n_features=8,
                n_centroids=4 * classes, change_speed=0.001, n_drift_centroids=10), rows)
        return features, labels.astype(int)

    def unit():
        weights = generator.standard_normal((classes, 8))
        return weights / np.linalg.norm(weights, axis=1, keepdims=True)

    if name.startswith("stationary"):
        weights = unit()
        return softmax(generator, rows, classes, lambda row: weights)
    if name.startswith("abrupt"):
        truths = [unit() for _ in range(4)]
        return softmax(generator, rows, classes, lambda row: truths[row * 4 // rows])
    if name.startswith("rotating"):
        first, second = unit(), unit()
        return softmax(generator, rows, classes, lambda row: (
            first * np.cos(row / 2_000) + second * np.sin(row / 2_000)))
    if name.startswith("random walk"):
        steps = np.cumsum(generator.standard_normal((rows, classes, 8)) * 0.01, axis=0) + unit()
        return softmax(generator, rows, classes, lambda row: steps[row])
    # Late classes: three at first, the others one after the other until half of the stream.
    weights = unit()
    features, labels = softmax(generator, rows, classes, lambda row: weights)
    arrivals = np.maximum(np.arange(classes) - 2, 0) / (classes - 2) * rows / 2
    kept = np.arange(rows) >= arrivals[labels]
    return features[kept], labels[kept]


def river_peers():
    """River's models by name."""
    from river import linear_model, multiclass, optim, preprocessing

    models = {}
    for name, make_optimizer in peers.OPTIMIZERS.items():
        models[f"softmax {name}"] = preprocessing.StandardScaler() | (
            linear_model.SoftmaxRegression(optimizer=make_optimizer(optim)))
        models[f"one-versus-rest {name}"] = preprocessing.StandardScaler() | (
            multiclass.OneVsRestClassifier(
                linear_model.LogisticRegression(make_optimizer(optim))))
    return models


def progressive(name, seed, rows, folder):
    """One line of the table."""
    features, labels = make(name, seed, rows)
    path = folder / "stream.csv"
    write(path, features, labels)
    result = peers.millrace(
        "train", path, "--label", "label", "--task", "multiclass", "--store", folder / "models")
    losses, seconds = {}, {}
    for peer, model in river_peers().items():
        start = time.perf_counter()
        losses[peer] = peers.river_log_loss(
            model, features, labels.tolist(), len(np.unique(labels)))
        seconds[peer] = time.perf_counter() - start
    best = min(losses, key=losses.get)
    own = result["progressive"]
    return [
        name, f"{len(labels):,}", f"{own['logLoss']:.4f}", f"{own['accuracy']:.3f}",
        f"{losses[best]:.4f} {best}", f"{own['logLoss'] / losses[best]:.3f}",
        f"{result['seconds'] / len(labels) * 1e6:.1f}",
        f"{seconds[best] / len(labels) * 1e6:,.0f}"]


def write(path, features, labels):
    """Labels are names, so that they are classes."""
    peers.write(path, features, [f"c{label}" for label in labels])


def frozen(name, seed, rows, folder):
    """Millrace's and scikit-learn's loss on the last fifth, without its labels."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    features, labels = make(name, seed, rows)
    split = len(labels) * 4 // 5
    path = folder / "stream.csv"
    write(path, features, labels)
    result = peers.millrace(
        "train", path, "--label", "label", "--task", "multiclass", "--test", "0.2", "--store",
        folder / "models")
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1_000))
    model.fit(features[:split], labels[:split])
    probabilities = model.predict_proba(features[split:])
    columns = np.searchsorted(model.classes_, labels[split:])
    other = -np.mean(np.log(np.clip(probabilities[np.arange(len(columns)), columns], 1e-15, 1)))
    own = result["test"]["logLoss"]
    return [name, f"{own:.4f}", f"{other:.4f}", f"{own / other:.3f}"]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rows", type=int, default=10_000, help="rows of a generated stream")
    parser.add_argument("streams", nargs="*", default=STREAMS)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        settings = (arguments.seed, arguments.rows, folder)
        print("\n".join(
            peers.markdown(
                ["log-loss", "rows", "Millrace", "accuracy", "best of River's eight", "ratio",
                 "µs a row", "River's"],
                [progressive(stream, *settings) for stream in arguments.streams])))
        print("\n".join(
            peers.markdown(
                ["frozen", "Millrace", "scikit-learn", "ratio"],
                [frozen(stream, *settings) for stream in arguments.streams])))


if __name__ == "__main__":
    main()
