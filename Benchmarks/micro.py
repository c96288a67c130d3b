#!/usr/bin/env python3
"""The engine's parts in memory beside scikit-learn's, measured in one run.

    Benchmarks/micro.py [--rows N]

Builds and runs the package of micro-benchmarks here; scikit-learn works on rows of the same kind
before and after it, and its better time counts.
"""

import argparse
import json
import pathlib
import subprocess
import tempfile
import time

import numpy as np
from sklearn.linear_model import SGDClassifier

import peers

# What is aimed at: how many times as fast as a peer, or nanoseconds.
RATIOS = {
    "epoch of SGD": ("scikit-learn, an epoch of SGD", 12),
    "epoch of OnlineNewton": ("scikit-learn, an epoch of SGD", 2.5),
    "batch predict": ("scikit-learn, batch predict", 1 / 0.6),
}
NANOSECONDS = {
    "one row predicted, sgd of 64 columns": 100,
    "one row predicted, auto of 6 columns": 300,
    "one row predicted, auto of 64 columns": 1_000,
}
SIZES = {
    "columns and truth":
        "Aimed at: 250 ns for `--basis linear` of 6 columns; for `auto` 1.3 times as long where"
        " the truth is linear, and 1,200 ns where 8 columns are curved.",
}
# What the kernels are compiled for, as in clones.h.
PROCESSORS = {"SSE2": "x86-64", "AVX2": "x86-64-v3", "AVX-512": "x86-64-v4"}


def millrace(rows):
    """What the Swift package measures, by name: seconds, count, log-loss."""
    package = str(peers.ROOT / "Benchmarks")
    build = ["swift", "build", "-c", "release", "--package-path", package]
    subprocess.run(build, check=True, stdout=subprocess.DEVNULL)
    path = subprocess.run(
        [*build, "--show-bin-path"], check=True, capture_output=True, text=True).stdout.strip()
    output = subprocess.run(
        [f"{path}/Microbenchmarks", "--json", "--rows", str(rows)], check=True,
        capture_output=True, text=True).stdout
    return [json.loads(line) for line in output.splitlines()]


def scikit_learn(features, labels):
    """Seconds by name: an epoch of SGDClassifier, a batch of predictions, one row.

    By default it shuffles the rows, which is what is aimed at; in their order it is faster.
    """
    model = SGDClassifier(loss="log_loss", max_iter=1, tol=None)
    ordered = SGDClassifier(loss="log_loss", max_iter=1, tol=None, shuffle=False)
    one = features[:1]
    jobs = {
        "scikit-learn, an epoch of SGD": (1, lambda: model.fit(features, labels)),
        "scikit-learn, the same without shuffling": (1, lambda: ordered.fit(features, labels)),
        "scikit-learn, batch predict": (1, lambda: model.predict(features)),
        "scikit-learn, one row": (200, lambda: [model.predict(one) for _ in range(200)]),
    }
    seconds = {}
    for name, (count, job) in jobs.items():
        for _ in range(3):
            start = time.perf_counter()
            job()
            elapsed = (time.perf_counter() - start) / count
            seconds[name] = min(seconds.get(name, elapsed), elapsed)
    return seconds


def table(rows):
    """The measurements as lines of Markdown."""
    generator = np.random.default_rng(1)
    features = generator.standard_normal((rows, 64), dtype=np.float32)
    score = features @ generator.normal(0, 0.25, 64).astype(np.float32)
    labels = (generator.random(rows) < 1 / (1 + np.exp(-score))).astype(int)
    before = scikit_learn(features, labels)
    measured = millrace(rows)
    after = scikit_learn(features, labels)
    lines = []
    for work in measured:
        if "table" in work:
            continue
        name, note = work["name"], ""
        for start, (peer, aim) in RATIOS.items():
            if name.startswith(start):
                ratio = min(before[peer], after[peer]) / work["seconds"]
                note = f"{ratio:.1f} × as fast as scikit-learn; aimed at {aim:.1f}"
        if name in NANOSECONDS:
            note = f"aimed at {NANOSECONDS[name]:,}"
        loss = f"{work['logLoss']:.4f}" if "logLoss" in work else "–"
        lines.append([name, nanoseconds(work), f"{work['seconds']:.4f}", loss, note])
    for name in before:
        seconds = min(before[name], after[name])
        each = seconds * 1e9 / (1 if name.endswith("one row") else rows)
        lines.append([name, f"{each:,.1f}", f"{seconds:.6f}", "–", ""])
    return [f"### In memory, {rows:,} rows × 64 columns unless said", "", *peers.markdown(
        ["work", "ns each", "seconds", "log-loss", "beside its peer"], lines), *sizes(measured),
        *processors()]


def sizes(measured):
    """A table for each kind of size: nanoseconds a record of what is measured at each."""
    lines = []
    for title in unique(work["table"] for work in measured if "table" in work):
        works = [work for work in measured if work.get("table") == title]
        names = unique(work["name"] for work in works)
        cells = {(work["row"], work["name"]): nanoseconds(work) for work in works}
        lines += [f"### In memory, ns a record, by {title}", "", *peers.markdown(
            ["", *names],
            [[row, *(cells[row, name] for name in names)]
             for row in unique(work["row"] for work in works)])]
        if title in SIZES:
            lines += [SIZES[title], ""]
    return lines


def processors():
    """A table of the binary bank's kernel as it is compiled for each kind of processor."""
    compiler = peers.program("clang++")
    if not compiler:
        return []
    kernels = peers.ROOT / "Sources/CMillraceKernels"
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        for name, kind in PROCESSORS.items():
            built = pathlib.Path(folder) / kind
            # Without what picks the version when the program starts.
            command = [compiler, "-O2", "-std=gnu++20", f"-march={kind}", "-DMILLRACE_CLONES_H",
                       "-DMILLRACE_CLONES=", "-I", kernels / "include", "-o", built,
                       peers.ROOT / "Benchmarks/lanes.cpp", kernels / "bank.cpp",
                       kernels / "bank_start.cpp", "-lm"]
            subprocess.run(command, check=True)
            result = subprocess.run([built], capture_output=True, text=True)
            if result.returncode == 0:
                learn, predict = map(float, result.stdout.split())
                lines.append([name, f"{learn:.0f}", f"{predict:.0f}"])
    return ["### In memory, ns a record of `--basis linear` of 6 columns, by processor", "",
            *peers.markdown(["kernel for", "predict and learn", "predict"], lines),
            "Aimed at: 250 ns with AVX-512, 500 with AVX2.", ""]


def nanoseconds(work):
    return f"{work['seconds'] / work['count'] * 1e9:,.1f}"


def unique(values):
    """The values that differ, in the order of their first."""
    return list(dict.fromkeys(values))


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=500_000)
    print("\n".join(table(parser.parse_args().rows)))


if __name__ == "__main__":
    main()
