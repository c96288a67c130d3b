#!/usr/bin/env python3
"""Progressive log-loss of two classes, Millrace with no setting beside its peers.

    Benchmarks/streams_binary.py [--seed N] [--rows N] [STREAM …]

Streams are made from the seed, or come with River and scikit-learn; elec is datasets/elec.csv (see
datasets/fetch). Each record is predicted, then learnt. Peers: Vowpal Wabbit's default; River's
logistic regression behind a standard scaler with four optimizers, the best one afterwards; where
the truth is curved River's adaptive random forest. "frozen" learns the first 80 % and predicts the
rest without labels, beside scikit-learn's LogisticRegression on the same split.
"""

import argparse
import csv
import itertools
import pathlib
import tempfile
import time

import numpy as np

import peers

LINEAR = ["elec", "stationary 8", "stationary 20", "abrupt", "gradual", "rotating", "random walk"]
CURVED = ["moving clouds", "agrawal", "bananas", "phishing", "changing clusters"]


def linear(generator, rows, columns, weights_at):
    """Labels of a logistic model whose weights are a function of the row."""
    features = generator.standard_normal((rows, columns))
    weights = np.array([weights_at(row) for row in range(rows)])
    score = 2 * (features * weights).sum(1)
    return features, (generator.random(rows) < 1 / (1 + np.exp(-score))).astype(int)


def make(name, seed, rows):
    """A stream's features and labels 0 and 1."""
    generator = np.random.default_rng(seed)

    def unit(columns):
        weights = generator.standard_normal(columns)
        return weights / np.linalg.norm(weights)

    if name == "elec":
        with open(peers.ROOT / "datasets/elec.csv") as file:
            table = [list(map(float, row)) for row in itertools.islice(csv.reader(file), 1, None)]
        table = np.array(table)
        return table[:, :-1], table[:, -1].astype(int)
    if name.startswith("stationary"):
        columns = int(name.split()[1])
        weights = unit(columns)
        return linear(generator, 5 * rows, columns, lambda row: weights)
    if name == "abrupt":
        truths = [unit(8) for _ in range(5)]
        return linear(generator, rows, 8, lambda row: truths[row * 5 // rows])
    if name == "gradual":
        start, end = unit(8), unit(8)
        return linear(generator, rows, 8, lambda row: start + (end - start) * row / rows)
    if name == "rotating":
        first, second = unit(8), unit(8)
        return linear(generator, rows, 8, lambda row: (
            first * np.cos(row / 2_000) + second * np.sin(row / 2_000)))
    if name == "random walk":
        steps = np.cumsum(generator.standard_normal((rows, 8)) * 0.01, axis=0) + unit(8)
        return linear(generator, rows, 8, lambda row: steps[row])
    if name == "changing clusters":
        from sklearn.datasets import make_classification

        parts = [
            make_classification(
                rows // 4, 15, n_informative=8, n_clusters_per_class=3, random_state=seed + part)
            for part in range(4)
        ]
        return np.vstack([part[0] for part in parts]), np.concatenate([part[1] for part in parts])
    from river import datasets
    from river.datasets import synth

    if name == "moving clouds":
        return peers.from_river(
            synth.RandomRBFDrift(
                seed_model=seed, seed_sample=seed, n_classes=2, n_features=8, n_centroids=20,
                change_speed=0.001, n_drift_centroids=10), rows)
    if name == "agrawal":
        before = peers.from_river(synth.Agrawal(classification_function=0, seed=seed), rows // 2)
        after = peers.from_river(synth.Agrawal(classification_function=6, seed=seed), rows // 2)
        return np.vstack([before[0], after[0]]), np.concatenate([before[1], after[1]])
    features, labels = peers.from_river(
        {"bananas": datasets.Bananas, "phishing": datasets.Phishing}[name](), rows)
    return features, labels.astype(int)


def river_peers(curved):
    """River's models by name."""
    from river import forest, linear_model, optim, preprocessing

    models = {
        name: preprocessing.StandardScaler() | linear_model.LogisticRegression(make(optim))
        for name, make in peers.OPTIMIZERS.items()
    }
    if curved:
        models["forest"] = forest.ARFClassifier(n_models=10, seed=1)
    return models


def progressive(name, seed, rows, folder):
    """One line of the table."""
    features, labels = make(name, seed, rows)
    path = folder / "stream.csv"
    peers.write(path, features, labels)
    result = peers.millrace("train", path, "--label", "label", "--store", folder / "models")
    line = [name, f"{result['progressive']['logLoss']:.4f}"]
    peers.write(folder / "stream.vw", features, 2 * labels - 1)
    line.append(f"{peers.vowpal_wabbit(folder / 'stream.vw'):.4f}")
    losses, seconds = {}, {}
    for peer, model in river_peers(name in CURVED).items():
        start = time.perf_counter()
        losses[peer] = peers.river_log_loss(
            model, features, [bool(label) for label in labels], 2)
        seconds[peer] = time.perf_counter() - start
    best = min(set(losses) - {"forest"}, key=losses.get)
    line.append(f"{losses[best]:.4f} {best}")
    line.append(f"{losses['forest']:.4f}" if "forest" in losses else "–")
    line.append(
        f"{seconds['forest'] / result['seconds']:,.0f} ×" if "forest" in losses else "–")
    if name.startswith("stationary"):
        from sklearn.linear_model import LogisticRegression

        fixed = LogisticRegression(C=1e6).fit(features, labels)
        line.append(f"{log_loss(labels, fixed.predict_proba(features)[:, 1]):.4f}")
    else:
        line.append("–")
    return line


def log_loss(labels, probabilities):
    probabilities = np.clip(probabilities, 1e-15, 1 - 1e-15)
    return -np.mean(np.where(labels == 1, np.log(probabilities), np.log(1 - probabilities)))


def frozen(name, seed, rows, folder):
    """Millrace's and scikit-learn's loss on the last fifth, without its labels."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    features, labels = make(name, seed, rows)
    split = len(labels) * 4 // 5
    path = folder / "stream.csv"
    peers.write(path, features, labels)
    result = peers.millrace(
        "train", path, "--label", "label", "--test", "0.2", "--store", folder / "models")
    model = make_pipeline(StandardScaler(), LogisticRegression())
    model.fit(features[:split], labels[:split])
    other = log_loss(labels[split:], model.predict_proba(features[split:])[:, 1])
    own = result["test"]["logLoss"]
    return [name, f"{own:.4f}", f"{other:.4f}", f"{own / other:.3f}"]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rows", type=int, default=20_000, help="rows of a generated stream")
    parser.add_argument("streams", nargs="*", default=LINEAR + CURVED)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        settings = (arguments.seed, arguments.rows, folder)
        print("\n".join(
            peers.markdown(
                ["log-loss", "Millrace", "Vowpal Wabbit", "best of River's four", "forest",
                 "the forest's time", "best fixed model"],
                [progressive(stream, *settings) for stream in arguments.streams])))
        print("\n".join(
            peers.markdown(
                ["frozen", "Millrace", "scikit-learn", "ratio"],
                [frozen(stream, *settings) for stream in arguments.streams])))


if __name__ == "__main__":
    main()
