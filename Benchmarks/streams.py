"""What the tables of streams share: truths that drift, and one frame for all tasks.

Each record is predicted, then learnt; "frozen" learns the first 80 % in their order and predicts
the rest without labels, beside a model of scikit-learn on the same split.
"""

import argparse
import dataclasses
import pathlib
import tempfile
from typing import Any, Callable

import numpy as np

import peers


def truth(kind, generator, rows, shape):
    """The weights of every row, unit vectors along the last axis but for noise of their drift."""
    def unit():
        vector = generator.standard_normal(shape)
        return vector / np.linalg.norm(vector, axis=-1, keepdims=True)

    time = np.arange(rows).reshape(-1, *[1] * len(shape))
    if kind == "abrupt":
        return np.array([unit() for _ in range(5)])[np.arange(rows) * 5 // rows]
    if kind == "gradual":
        start, end = unit(), unit()
        return start + (end - start) * time / rows
    if kind == "rotating":
        return unit() * np.cos(time / 2_000) + unit() * np.sin(time / 2_000)
    if kind == "random walk":
        return np.cumsum(generator.standard_normal((rows, *shape)) * 0.01, axis=0) + unit()
    return np.broadcast_to(unit(), (rows, *shape))


@dataclasses.dataclass
class Stream:
    """A stream in memory and as CSV."""

    name: str
    features: np.ndarray
    labels: np.ndarray
    path: pathlib.Path
    task: str

    def train(self, *options):
        """What Millrace achieves with no setting but the label."""
        return peers.millrace(
            "train", self.path, "--label", "label", "--task", self.task,
            "--store", self.path.parent / "models", *options)


@dataclasses.dataclass
class Comparison:
    """The tables of a task."""

    task: str
    names: list[str]
    rows: int
    # The features and labels of a stream, by name, seed and rows; nothing where data are missing.
    make: Callable[[str, int, int], tuple[np.ndarray, np.ndarray] | None]
    header: list[str]
    # A stream's line in the table of progressive losses, without its name.
    progressive: Callable[[Stream], list[str]]
    # The loss that counts where no labels come: what it is called, scikit-learn's model, its loss.
    frozen: tuple[str, Callable[[], Any], Callable[[Any, np.ndarray, np.ndarray], float]]

    def frozen_line(self, stream):
        """Millrace's and scikit-learn's loss on the last fifth."""
        measure, make_model, loss = self.frozen
        split = len(stream.labels) * 4 // 5
        test = stream.train("--test", "0.2")["test"]
        model = make_model().fit(stream.features[:split], stream.labels[:split])
        other = loss(model, stream.features[split:], stream.labels[split:])
        line = [f"{test[measure]:.4g}", f"{other:.4g}", f"{test[measure] / other:.3f}"]
        if self.task == "regression":
            line.append(f"{test['intervalCoverage']:.1%}")
        return line

    def tables(self, seed=1, rows=None, names=None):
        """The lines of both tables."""
        progressive, frozen = [], []
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "stream.csv"
            for name in names or self.names:
                made = self.make(name, seed, rows or self.rows)
                if made is None:
                    continue
                features, labels = made
                # Classes are names, whole numbers might be targets.
                spelling = "%r" if self.task == "regression" else "c%d"
                peers.write(path, features, [spelling % label for label in labels.tolist()])
                stream = Stream(name, features, labels, path, self.task)
                progressive.append([name, *self.progressive(stream)])
                frozen.append([name, *self.frozen_line(stream)])
        header = ["frozen", "Millrace", "scikit-learn", "ratio"]
        if self.task == "regression":
            header.append("in the 90 % interval")
        return peers.markdown(["as it learns", *self.header], progressive) + peers.markdown(
            header, frozen)

    def main(self, description):
        """The tables of the streams that the command line names."""
        parser = argparse.ArgumentParser(
            description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument(
            "--rows", type=int, default=self.rows, help="rows of a generated stream")
        parser.add_argument("streams", nargs="*", default=self.names)
        arguments = parser.parse_args()
        print("\n".join(self.tables(arguments.seed, arguments.rows, arguments.streams)))
