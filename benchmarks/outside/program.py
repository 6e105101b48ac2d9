# The program's verbs, run as a user runs them, and the arrays that they write.
import csv
import resource
import subprocess

import numpy


class Program:
    def __init__(self, path, folder):
        self.path, self.folder = path, folder  # of the executable; where the verbs run, so that no file has a folder

    def __call__(self, *words, common=("--quiet",)):
        """What the command prints; its own words if it fails."""
        ended = subprocess.run([self.path, *common, *map(str, words)], cwd=self.folder, capture_output=True, text=True)
        if ended.returncode != 0:
            raise RuntimeError(f"vaeguard {' '.join(map(str, words))}: {ended.stderr.strip()}")
        return ended.stdout

    def defend(self, images, defence, *options, array="x_adv", out=None):
        """The arrays of `vaeguard defend`."""
        out = out or f"{defence}.npz"
        self("defend", "model.safetensors", images, "--array", array, "--defence", defence, *options, "--out", out)
        return numpy.load(self.folder / out)

    def evaluate(self, plan):
        """What `vaeguard run` measures of the model itself, by metric."""
        (self.folder / "plan.toml").write_text(plan)
        self("run", "plan.toml", "--out", "evaluation")
        with open(self.folder / "evaluation" / "measurements.csv") as file:
            return {row["metric"]: float(row["value"]) for row in csv.DictReader(file) if row["kind"] == "model"}

    def processor_seconds(self, *words, common):
        """Of one command, all its threads together."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        self(*words, common=common)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
