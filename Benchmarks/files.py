"""The rows that `compare` writes to files, from seeds: features or entries, and labels 0 and 1."""

import itertools

import numpy as np


def labels(generator, score):
    """Labels of a logistic model."""
    return (generator.random(len(score)) < 1 / (1 + np.exp(-score))).astype(int)


def wide(rows):
    """64 normal columns and a linear truth."""
    generator = np.random.default_rng(1)
    features = generator.standard_normal((rows, 64), dtype=np.float32)
    weights = generator.normal(0, 0.25, 64).astype(np.float32)
    return features, labels(generator, features @ weights)


def narrow(rows, is_curved):
    """8 normal columns, as many as Elec2 has; a linear truth, or a product and a square beside."""
    generator = np.random.default_rng(3)
    features = generator.standard_normal((rows, 8), dtype=np.float32)
    score = features @ generator.normal(0, 0.7, 8).astype(np.float32)
    if is_curved:
        score += 1.5 * (features[:, 0] * features[:, 1] + features[:, 2] ** 2 - 1)
    return features, labels(generator, score)


def sparse(rows, as_words):
    """50 of 2^18 features: evenly spread with normal values, or spread as words are (Zipf) with
    values of 1. Rows of (feature, value), and labels."""
    generator = np.random.default_rng(2)
    width, entries = 1 << 18, 50
    places = generator.permutation(width)
    if as_words:
        share = np.cumsum(1 / np.arange(1, width + 1) ** 1.05)
        draws = np.searchsorted(share / share[-1], generator.random((rows, entries)))
        values = np.ones((rows, entries))
    else:
        draws = generator.integers(0, width, (rows, entries))
        values = generator.normal(size=(rows, entries)).round(4)
    draws = np.sort(places[draws], axis=1)
    slopes = generator.normal(size=width) * (generator.random(width) < 0.3)
    values[:, 1:][draws[:, 1:] == draws[:, :-1]] = 0
    score = (values * slopes[draws]).sum(axis=1)
    entries = ([(a, x) for a, x in zip(row, numbers) if x != 0]
               for row, numbers in zip(draws.tolist(), values.tolist()))
    return entries, labels(generator, score / score.std() * 2 - 0.5)


def write_sparse(svm, vw, rows, labels):
    """The same rows as LibSVM and as Vowpal Wabbit's text."""
    with open(svm, "w") as file, open(vw, "w") as other:
        for row, label in zip(rows, labels):
            line = " ".join(f"{feature + 1}:{value:g}" for feature, value in row)
            file.write(f"{label} {line}\n")
            other.write(f"{2 * label - 1} | {line}\n")


def write_head(path, rows, target):
    """The header and the first rows of a CSV file."""
    with open(path, "rb") as file, open(target, "wb") as other:
        other.writelines(itertools.islice(file, rows + 1))
