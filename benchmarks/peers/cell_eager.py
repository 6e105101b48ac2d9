#!/usr/bin/env python3
# Gradients per second of an inverted residual cell in eager PyTorch; prints one JSON object.
"""The cell of an NVAE decoder as PyTorch users write it: 1x1 convolution to six times the channels, SiLU, depthwise 5x5
convolution, SiLU, 1x1 convolution back, squeeze and excite, and the input added. A gradient is a forward and a backward
pass to the input; weights take none, as in attacks and in sampling. "normalised" has four batch normalisations in
evaluation mode around the convolutions, as a trained NVAE has them, "plain" has none."""

import argparse
import json
import time

import torch
from torch import nn


class Cell(nn.Module):
    def __init__(self, channels, normalise):
        super().__init__()
        hidden = 6 * channels
        squeezed = max(channels // 16, 4)
        norm = nn.BatchNorm2d if normalise else (lambda _: nn.Identity())
        self.branch = nn.Sequential(
            norm(channels), nn.Conv2d(channels, hidden, 1), norm(hidden), nn.SiLU(),
            nn.Conv2d(hidden, hidden, 5, padding=2, groups=hidden), norm(hidden), nn.SiLU(),
            nn.Conv2d(hidden, channels, 1), norm(channels))
        self.excite = nn.Sequential(nn.Linear(channels, squeezed), nn.ReLU(), nn.Linear(squeezed, channels), nn.Sigmoid())

    def forward(self, x):
        y = self.branch(x)
        return x + y * self.excite(y.mean((2, 3)))[:, :, None, None]


def gradients_per_second(channels, extent, batch, seconds, normalise, channels_last):
    torch.manual_seed(1)
    cell = Cell(channels, normalise).eval().requires_grad_(False)
    x = torch.randn(batch, channels, extent, extent)
    weights = torch.randn(batch, channels, extent, extent)
    if channels_last:
        cell = cell.to(memory_format=torch.channels_last)
        x, weights = (t.to(memory_format=torch.channels_last) for t in (x, weights))
    x.requires_grad_()
    best = 0.0
    finish = time.perf_counter() + seconds
    for warm_up in (True, True, False):
        while True:
            start = time.perf_counter()
            torch.autograd.grad(cell(x), x, weights)
            elapsed = time.perf_counter() - start
            best = max(best, batch / elapsed)
            if warm_up or time.perf_counter() > finish:
                break
    return best


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--shapes", default="128x8,64x16", help="channels x extent, comma-separated")
    parser.add_argument("--batches", default="10,100")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    result = {"plain": {}, "normalised": {}}
    for kind, speeds in result.items():
        for shape in options.shapes.split(","):
            channels, extent = map(int, shape.split("x"))
            # Whichever memory format is the faster one here.
            speeds[shape] = {
                batch: max(gradients_per_second(channels, extent, int(batch), options.seconds, kind == "normalised", last)
                           for last in (False, True))
                for batch in options.batches.split(",")}
    print(json.dumps({"torch": torch.__version__, "threads": options.threads, "gradients_per_second": result}))


if __name__ == "__main__":
    main()
