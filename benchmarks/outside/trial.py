#!/usr/bin/env python3
# Tries models that others trained: imports them, compares them with PyTorch, attacks, defends and times them.
"""Writes records.csv and environment.json. What has been measured is kept in the work folder and not measured again."""
import argparse
import csv
import json
import pathlib
import sys

import torch
from measures import Trial
from models import LICENCES, MODELS
from program import Program
from snapshots import Snapshots

STAGES = ("imported", "agreement", "evidence", "attacked", "lowered", "explained", "defended", "speed")


def measured(model, options, snapshots):
    """The rows of all stages; the trial itself is set up for the first that is missing."""
    folder = options.work / model.name
    folder.mkdir(parents=True, exist_ok=True)
    trial = None
    rows = []
    for stage in STAGES:
        if stage == "speed" and not model.timed:
            continue
        file = folder / f"{stage}.json"
        if not file.exists():
            print(f"{model.name}: {stage}", flush=True)
            trial = trial or Trial(model, snapshots, options.data, Program(options.program, folder))
            with torch.no_grad() if stage != "speed" else torch.enable_grad():
                file.write_text(json.dumps(getattr(trial, stage)(), indent=1))
        rows += json.loads(file.read_text())
    return [{"model": model.name, "pictures": model.pictures, **row} for row in rows]


def environment(models, options, snapshots):
    """Of the program as its runs write it, of PyTorch, and which versions of which repositories were tried."""
    written = json.loads((options.work / models[0].name / "evaluation" / "environment.json").read_text())
    written = {key: value for key, value in written.items() if not key.startswith(("model ", "data_digest"))}
    repositories = {name: {"commit": snapshots.commit(name), "licence": LICENCES[name]}
                    for name in sorted({model.repository for model in models})}
    return {**written, "torch": torch.__version__, "repositories": repositories}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("snapshots", type=pathlib.Path, help="folder of clones, named OWNER+NAME")
    parser.add_argument("--program", type=pathlib.Path, default="build/release/apps/cli/vaeguard")
    parser.add_argument("--data", type=pathlib.Path, default="~/.cache/vaeguard/data",
                        help="folder with mnist and fashion_mnist")
    parser.add_argument("--work", type=pathlib.Path, required=True, help="folder for all that is made on the way")
    parser.add_argument("--out", type=pathlib.Path, default="results/outside")
    parser.add_argument("--only", nargs="*", default=[], help="names of models, by default all")
    options = parser.parse_args()
    options.program = options.program.resolve()  # verbs run in other folders
    options.data = options.data.expanduser()
    torch.set_num_threads(1)
    snapshots = Snapshots(options.snapshots)
    rows, done, failed = [], [], []
    for model in MODELS:
        if options.only and model.name not in options.only:
            continue
        try:
            rows += measured(model, options, snapshots)
            done.append(model)
        except (RuntimeError, FileNotFoundError) as error:
            failed.append(model.name)
            print(f"{model.name}: {error}", file=sys.stderr, flush=True)
    if done:
        options.out.mkdir(parents=True, exist_ok=True)
        with open(options.out / "records.csv", "w", newline="") as file:
            writer = csv.DictWriter(file, ["model", "pictures", "measure", "value", "expected", "expected_from"],
                                    lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
        text = json.dumps(environment(done, options, snapshots), indent=2)
        (options.out / "environment.json").write_text(text + "\n")
    sys.exit(f"failed: {', '.join(failed)}" if failed else 0)


if __name__ == "__main__":
    main()
