#!/usr/bin/env python3
"""Progressive log-loss of several classes, Millrace with no setting beside its peers.

    Benchmarks/streams_classes.py [--seed N] [--rows N] [STREAM …]

Streams are made from the seed, or come with River and scikit-learn. Peers: River's softmax
regression and one-versus-rest logistic regression behind a standard scaler, each with four
optimizers, the best of the eight afterwards.
"""

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import peers
import streams

STREAMS = ["image segments", "digits", "stationary 3", "stationary 10", "abrupt 5", "rotating 8",
           "random walk 20", "moving clouds 8", "late classes 6", "late classes 15"]


def make(name, seed, rows):
    """A stream's features and labels 0, 1, …"""
    generator = np.random.default_rng(seed)
    if name == "digits":
        from sklearn.datasets import load_digits

        return load_digits(return_X_y=True)
    if name == "image segments":
        from river import datasets

        features, labels = peers.from_river(datasets.ImageSegments())
        return features, np.unique(labels, return_inverse=True)[1]
    kind, classes = name.rsplit(" ", 1)
    classes = int(classes)
    if kind == "moving clouds":
        from river.datasets import synth

        features, labels = peers.from_river(
            synth.RandomRBFDrift(
                seed_model=seed, seed_sample=seed, n_classes=classes, n_features=8,
                n_centroids=4 * classes, change_speed=0.001, n_drift_centroids=10), rows)
        return features, labels.astype(int)
    weights = streams.truth(kind, generator, rows, (classes, 8))
    features = generator.standard_normal((rows, 8))
    scores = 2 * np.einsum("rcf,rf->rc", weights, features)
    labels = (scores + generator.gumbel(size=scores.shape)).argmax(1)
    if kind == "late classes":
        # Three at first, the others one after the other until half of the stream.
        arrivals = np.maximum(np.arange(classes) - 2, 0) / (classes - 2) * rows / 2
        kept = np.arange(rows) >= arrivals[labels]
        return features[kept], labels[kept]
    return features, labels


def river_models():
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


def progressive(stream):
    """Losses and times of a row."""
    rows, classes = len(stream.labels), len(np.unique(stream.labels))
    result = stream.train()
    results = peers.best(1, {
        name: lambda model=model: peers.river_log_loss(
            model, stream.features, stream.labels.tolist(), classes)
        for name, model in river_models().items()})
    best = min(results, key=lambda name: results[name][1])
    seconds, loss = results[best]
    own = result["progressive"]
    return [
        f"{rows:,}", f"{own['logLoss']:.4f}", f"{own['accuracy']:.3f}", f"{loss:.4f} {best}",
        f"{own['logLoss'] / loss:.3f}", f"{result['seconds'] / rows * 1e6:.1f}",
        f"{seconds / rows * 1e6:,.0f}"]


def log_loss(model, features, labels):
    """The log-loss of a model of scikit-learn, which may not know all classes."""
    probabilities = model.predict_proba(features)
    columns = np.searchsorted(model.classes_, labels)
    return -np.mean(np.log(np.clip(probabilities[np.arange(len(labels)), columns], 1e-15, 1)))


COMPARISON = streams.Comparison(
    task="multiclass", names=STREAMS, rows=10_000, make=make,
    header=["rows", "Millrace", "accuracy", "best of River's eight", "ratio", "µs a row",
            "River's"],
    progressive=progressive,
    frozen=("logLoss",
            lambda: make_pipeline(StandardScaler(), LogisticRegression(max_iter=1_000)),
            log_loss))

if __name__ == "__main__":
    COMPARISON.main(__doc__)
