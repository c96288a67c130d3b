#!/usr/bin/env python3
"""Progressive RMSE and MAE of numbers, Millrace with no setting beside River.

    Benchmarks/streams_regression.py [--seed N] [--rows N] [STREAM …]

Streams are made from the seed, or come with River; demand is the electricity demand in
datasets/elec.csv from its other columns (see datasets/fetch). Each record is predicted, then learnt.
Peers: River's linear regression behind a standard scaler with four optimizers; for each measure the
best one afterwards. "frozen" learns the first 80 % and predicts the rest without labels, beside
scikit-learn's LinearRegression on the same split.
"""

import argparse
import csv
import itertools
import pathlib
import tempfile

import numpy as np

import peers

STREAMS = ["demand", "trump approval", "water flow", "stationary", "abrupt", "random walk",
           "outliers", "skewed"]


def make(name, seed, rows):
    """A stream's features and targets."""
    generator = np.random.default_rng(seed)
    features = generator.standard_normal((rows, 8))
    noise = generator.standard_normal(rows)
    weights = generator.standard_normal(8)
    if name == "demand":
        with open(peers.ROOT / "datasets/elec.csv") as file:
            table = [
                {key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]
        targets = np.array([row.pop("nswdemand") for row in table])
        return np.array([list(row.values()) for row in table]), targets
    if name == "trump approval":
        from river import datasets

        records = list(datasets.TrumpApproval())
        return (np.array([[float(value) for value in row.values()] for row, _ in records]),
                np.array([target for _, target in records]))
    if name == "water flow":
        from river import datasets

        records = list(itertools.islice(datasets.WaterFlow(), rows))
        times = [row["Time"] for row, _ in records]
        return (np.array([[time.hour, time.weekday(), time.minute] for time in times], float),
                np.array([target for _, target in records]))
    if name == "stationary":
        return features, features @ weights + noise + 5
    if name == "abrupt":
        others = generator.standard_normal((5, 8))
        at = np.arange(rows) * 5 // rows
        return features, (features * others[at]).sum(1) + noise + 3 * at
    if name == "random walk":
        steps = np.cumsum(generator.standard_normal((rows, 8)) * 0.02, axis=0) + weights
        return features, (features * steps).sum(1) + noise
    if name == "outliers":
        wild = generator.random(rows) < 0.01
        return features, features @ weights + noise * np.where(wild, 100, 1)
    return features, np.exp(0.5 * features @ weights + noise * 0.5)


def river_errors(optimizer, features, targets):
    """Progressive RMSE and MAE of a linear regression behind a standard scaler."""
    from river import linear_model, preprocessing

    model = preprocessing.StandardScaler() | linear_model.LinearRegression(optimizer)
    errors = np.empty(len(targets))
    for index, (row, target) in enumerate(zip(features, targets)):
        row = dict(enumerate(row))
        errors[index] = target - model.predict_one(row)
        model.learn_one(row, target)
    return np.sqrt(np.mean(errors**2)), np.mean(np.abs(errors))


def progressive(name, seed, rows, folder):
    """One line of the table."""
    from river import optim

    features, targets = make(name, seed, rows)
    path = folder / "stream.csv"
    peers.write(path, features, [repr(float(target)) for target in targets])
    own = peers.millrace(
        "train", path, "--label", "label", "--task", "regression", "--store", folder / "models"
    )["progressive"]
    errors = {
        peer: river_errors(make_optimizer(optim), features, targets)
        for peer, make_optimizer in peers.OPTIMIZERS.items()
    }
    line = [name]
    for measure, index in [("rmse", 0), ("mae", 1)]:
        best = min(errors, key=lambda peer: np.nan_to_num(errors[peer][index], nan=np.inf))
        line += [f"{own[measure]:.4g}", f"{errors[best][index]:.4g} {best}",
                 f"{own[measure] / errors[best][index]:.3f}"]
    return [*line, f"{own['intervalCoverage']:.1%}"]


def frozen(name, seed, rows, folder):
    """Millrace's and scikit-learn's RMSE on the last fifth, without its targets."""
    from sklearn.linear_model import LinearRegression

    features, targets = make(name, seed, rows)
    split = len(targets) * 4 // 5
    path = folder / "stream.csv"
    peers.write(path, features, [repr(float(target)) for target in targets])
    own = peers.millrace(
        "train", path, "--label", "label", "--task", "regression", "--test", "0.2", "--store",
        folder / "models")["test"]
    model = LinearRegression().fit(features[:split], targets[:split])
    other = np.sqrt(np.mean((targets[split:] - model.predict(features[split:])) ** 2))
    return [name, f"{own['rmse']:.4g}", f"{other:.4g}", f"{own['rmse'] / other:.3f}",
            f"{own['intervalCoverage']:.1%}"]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rows", type=int, default=20_000, help="rows of a generated stream")
    parser.add_argument("streams", nargs="*", default=STREAMS)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        settings = (arguments.seed, arguments.rows, pathlib.Path(name))
        print("\n".join(
            peers.markdown(
                ["", "RMSE", "best of River's four", "ratio", "MAE", "best of River's four",
                 "ratio", "in the 90 % interval"],
                [progressive(stream, *settings) for stream in arguments.streams])))
        print("\n".join(
            peers.markdown(
                ["frozen", "RMSE", "scikit-learn", "ratio", "in the 90 % interval"],
                [frozen(stream, *settings) for stream in arguments.streams])))


if __name__ == "__main__":
    main()
