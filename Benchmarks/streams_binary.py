#!/usr/bin/env python3
"""Progressive log-loss of two classes, Millrace with no setting beside its peers.

    Benchmarks/streams_binary.py [--seed N] [--rows N] [STREAM …]

Streams are made from the seed, or come with River and scikit-learn; elec is datasets/elec.csv (see
datasets/fetch). Linear peers: Vowpal Wabbit's default, and River's logistic regression behind a
standard scaler with four optimizers; the best one afterwards. Where the truth is curved also
River's adaptive random forest, and where it is fixed the best logistic model in hindsight.
"""

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import peers
import streams

LINEAR = ["elec", "stationary 8", "stationary 20", "abrupt", "gradual", "rotating", "random walk"]
CURVED = ["moving clouds", "agrawal", "bananas", "phishing", "changing clusters", "random tree",
          "clusters 24", "squares 64", "stairs 4", "checkerboard 2", "boxes 4"]


def make(name, seed, rows):
    """A stream's features and labels 0 and 1."""
    generator = np.random.default_rng(seed)
    if name == "elec":
        table = peers.elec()
        return None if table is None else (table[:, :-1], table[:, -1].astype(int))
    if name in LINEAR:
        kind, columns = (name.split() if name.startswith("stationary") else (name, 8))
        rows = 5 * rows if kind == "stationary" else rows
        weights = streams.truth(kind, generator, rows, (int(columns),))
        features = generator.standard_normal(weights.shape)
        score = 2 * (features * weights).sum(1)
        return features, (generator.random(rows) < 1 / (1 + np.exp(-score))).astype(int)
    if name == "changing clusters":
        from sklearn.datasets import make_classification

        parts = [
            make_classification(
                rows // 4, 15, n_informative=8, n_clusters_per_class=3, random_state=seed + part)
            for part in range(4)
        ]
        return tuple(map(np.concatenate, zip(*parts)))
    if name == "clusters 24":
        from sklearn.datasets import make_classification

        return make_classification(
            rows // 2, 24, n_informative=12, n_redundant=2, n_clusters_per_class=4,
            random_state=seed)
    if name == "squares 64":
        features = generator.standard_normal((rows // 2, 64))
        score = (features ** 2 - 1) @ generator.normal(0, 0.25, 64)
        return features, (generator.random(rows // 2) < 1 / (1 + np.exp(-score))).astype(int)
    if name in ["stairs 4", "checkerboard 2", "boxes 4"]:
        return cornered(name, generator, rows)
    from river import datasets
    from river.datasets import synth

    if name == "random tree":
        return peers.from_river(
            synth.RandomTree(
                seed_tree=seed, seed_sample=seed, n_num_features=16, n_cat_features=0,
                max_tree_depth=6), rows)
    if name == "moving clouds":
        return peers.from_river(
            synth.RandomRBFDrift(
                seed_model=seed, seed_sample=seed, n_classes=2, n_features=8, n_centroids=20,
                change_speed=0.001, n_drift_centroids=10), rows)
    if name == "agrawal":
        parts = [
            peers.from_river(synth.Agrawal(classification_function=kind, seed=seed), rows // 2)
            for kind in [0, 6]
        ]
        return tuple(map(np.concatenate, zip(*parts)))
    features, labels = peers.from_river(
        {"bananas": datasets.Bananas, "phishing": datasets.Phishing}[name](), rows)
    return features, labels.astype(int)


def cornered(name, generator, rows):
    """Steps of each column, fields of a board, or boxes: what trees are made for."""
    features = generator.standard_normal((rows, int(name.split()[1])))
    columns = features.shape[1]
    if name == "checkerboard 2":
        chance = np.where(np.floor(features * 1.5).sum(1) % 2 == 1, 0.95, 0.05)
    elif name == "stairs 4":
        thresholds, jumps = generator.normal(size=(2, columns, 4))
        steps = (features[:, :, None] > thresholds) * 1.5 * jumps
        score = steps.sum((1, 2))
        chance = 1 / (1 + np.exp(np.median(score) - score))
    else:
        centres, sizes = generator.normal(size=(6, 2)), generator.uniform(0.3, 1.2, (6, 2))
        sides = generator.integers(0, columns, (6, 2))
        is_inside = (np.abs(features[:, sides] - centres) < sizes).all(2).any(1)
        chance = np.where(is_inside, 0.95, 0.05)
    return features, (generator.random(rows) < chance).astype(int)


def linear_peers(stream):
    """Jobs that give a linear peer's progressive loss, by name."""
    from river import linear_model, optim, preprocessing

    text = stream.path.with_suffix(".vw")
    peers.write(text, stream.features, 2 * stream.labels - 1)
    jobs = {"Vowpal Wabbit": lambda: peers.vowpal_wabbit(text)}
    for name, make_optimizer in peers.OPTIMIZERS.items():
        model = preprocessing.StandardScaler() | linear_model.LogisticRegression(
            make_optimizer(optim))
        jobs[f"River {name}"] = lambda model=model: river_loss(model, stream)
    return jobs


def river_loss(model, stream):
    return peers.river_log_loss(model, stream.features, (stream.labels == 1).tolist(), 2)


def progressive(stream):
    """The losses of Millrace and the peers, and their ratios."""
    result = stream.train()
    own = result["progressive"]["logLoss"]
    linear = stream.train("--basis", "linear")["progressive"]["logLoss"]
    losses = {name: loss for name, (_, loss) in peers.best(1, linear_peers(stream)).items()}
    best = min(losses, key=losses.get)
    line = [f"{own:.4f}", f"{linear:.4f}", f"{losses[best]:.4f} {best}",
            f"{own / losses[best]:.3f}"]
    if stream.name in CURVED:
        from river import forest

        model = forest.ARFClassifier(n_models=10, seed=1)
        seconds, loss = peers.best(1, {"": lambda: river_loss(model, stream)})[""]
        line += [f"{loss:.4f}", f"{own / loss:.3f}", f"{seconds / result['seconds']:,.0f} ×"]
    else:
        line += ["–"] * 3
    if stream.name.startswith("stationary"):
        fixed = log_loss(
            LogisticRegression(C=1e6).fit(stream.features, stream.labels), stream.features,
            stream.labels)
        return [*line, f"{fixed:.4f}", f"{own / fixed:.4f}"]
    return [*line, "–", "–"]


def log_loss(model, features, labels):
    """The log-loss of a model of scikit-learn whose classes are numbered."""
    probabilities = model.predict_proba(features)[np.arange(len(labels)), labels]
    return -np.mean(np.log(np.clip(probabilities, 1e-15, 1)))


COMPARISON = streams.Comparison(
    task="binary", names=LINEAR + CURVED, rows=20_000, make=make,
    header=["Millrace", "`--basis linear`", "best of five linear peers", "ratio", "forest",
            "ratio", "its time", "best fixed model", "ratio"],
    progressive=progressive,
    frozen=("logLoss", lambda: make_pipeline(StandardScaler(), LogisticRegression()), log_loss))

if __name__ == "__main__":
    COMPARISON.main(__doc__)
