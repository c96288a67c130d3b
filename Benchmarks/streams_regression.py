#!/usr/bin/env python3
"""Progressive RMSE and MAE of numbers, Millrace with no setting beside River.

    Benchmarks/streams_regression.py [--seed N] [--rows N] [STREAM …]

Streams are made from the seed, or come with River; demand is the electricity demand in
datasets/elec.csv from its other columns (see datasets/fetch). Peers: River's linear regression
behind a standard scaler with four optimizers; for each measure the best one afterwards.
"""

import itertools

import numpy as np
from sklearn.linear_model import LinearRegression

import peers
import streams

STREAMS = ["demand", "trump approval", "water flow", "stationary", "abrupt", "rotating",
           "random walk", "outliers", "skewed"]


def make(name, seed, rows):
    """A stream's features and targets."""
    if name == "demand":
        table = peers.elec()
        return None if table is None else (np.delete(table, 2, axis=1), table[:, 2])
    if name == "trump approval":
        from river import datasets

        return peers.from_river(datasets.TrumpApproval())
    if name == "water flow":
        from river import datasets

        records = list(itertools.islice(datasets.WaterFlow(), rows))
        times = [row["Time"] for row, _ in records]
        return (np.array([[time.hour, time.weekday(), time.minute] for time in times], float),
                np.array([target for _, target in records]))
    generator = np.random.default_rng(seed)
    weights = 3 * streams.truth(name, generator, rows, (8,))
    features = generator.standard_normal((rows, 8))
    noise = generator.standard_normal(rows)
    if name == "outliers":
        noise[generator.random(rows) < 0.01] *= 100
    targets = (features * weights).sum(1) + noise
    return features, np.exp(targets / 2) if name == "skewed" else targets + 5


def river_errors(optimizer, stream):
    """Progressive RMSE and MAE of a linear regression behind a standard scaler."""
    from river import linear_model, preprocessing

    model = preprocessing.StandardScaler() | linear_model.LinearRegression(optimizer)
    errors = np.empty(len(stream.labels))
    for index, (row, target) in enumerate(zip(stream.features, stream.labels)):
        row = dict(enumerate(row))
        errors[index] = target - model.predict_one(row)
        model.learn_one(row, target)
    return np.nan_to_num([np.sqrt(np.mean(errors**2)), np.mean(np.abs(errors))], nan=np.inf)


def progressive(stream):
    """Both errors and their ratios, and how many targets the intervals held."""
    from river import optim

    own = stream.train()["progressive"]
    errors = {
        name: river_errors(make_optimizer(optim), stream)
        for name, make_optimizer in peers.OPTIMIZERS.items()
    }
    line = []
    for index, measure in enumerate(["rmse", "mae"]):
        best = min(errors, key=lambda name: errors[name][index])
        line += [f"{own[measure]:.4g}", f"{errors[best][index]:.4g} {best}",
                 f"{own[measure] / errors[best][index]:.3f}"]
    return [*line, f"{own['intervalCoverage']:.1%}"]


def rmse(model, features, targets):
    return np.sqrt(np.mean((targets - model.predict(features)) ** 2))


COMPARISON = streams.Comparison(
    task="regression", names=STREAMS, rows=20_000, make=make,
    header=["RMSE", "best of River's four", "ratio", "MAE", "best of River's four", "ratio",
            "in the 90 % interval"],
    progressive=progressive, frozen=("rmse", LinearRegression, rmse))

if __name__ == "__main__":
    COMPARISON.main(__doc__)
