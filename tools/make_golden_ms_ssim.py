#!/usr/bin/python3
"""Writes tests/golden/ms_ssim.json: MS-SSIM of image pairs computed plainly, to check vaeguard/metrics/ms_ssim.cpp against.

Usage: tools/make_golden_ms_ssim.py [OUTPUT]

kuzina22 is computed with torch convolutions over whole maps, wang03 with numpy one window at a time, both in double and
from the written definitions, sharing nothing with each other or with the C++ code.
"""
import json
import math
import platform
import sys
from pathlib import Path

import numpy
import torch
import torch.nn.functional as functional

WEIGHTS = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333]


def kuzina22(first, second):
    """The paper's form, images [C, H, W]."""
    first = torch.tensor(first, dtype=torch.float64)[None]
    second = torch.tensor(second, dtype=torch.float64)[None]
    channels = first.shape[1]
    similarities, contrasts = [], []
    for _ in range(5):
        size = min(14, first.shape[2], first.shape[3])
        line = torch.tensor([math.exp(-((x - size // 2) ** 2) / (2 * 1.5**2)) for x in range(size)], dtype=torch.float64)
        line = line / line.sum()
        window = torch.outer(line, line).expand(channels, 1, size, size)

        def smooth(image):
            return functional.conv2d(image, window, groups=channels)

        top = 255.0 if first.max() > 128 else 1.0
        bottom = -1.0 if first.min() < -0.5 else 0.0
        c1, c2 = (0.01 * (top - bottom)) ** 2, (0.03 * (top - bottom)) ** 2
        mean1, mean2 = smooth(first), smooth(second)
        variance1 = smooth(first * first) - mean1**2
        variance2 = smooth(second * second) - mean2**2
        covariance = smooth(first * second) - mean1 * mean2
        contrast = (2 * covariance + c2) / (variance1 + variance2 + c2)
        luminance = (2 * mean1 * mean2 + c1) / (mean1**2 + mean2**2 + c1)
        similarities.append(torch.relu((luminance * contrast).mean()))
        contrasts.append(torch.relu(contrast.mean()))
        if len(contrasts) < 5:
            first, second = functional.avg_pool2d(first, 2), functional.avg_pool2d(second, 2)
    weights = torch.tensor(WEIGHTS, dtype=torch.float64)
    power_contrast = torch.stack(contrasts) ** weights
    power_similarity = torch.stack(similarities) ** weights
    return float(torch.prod(power_contrast[:-1] * power_similarity[-1]))


def wang03_level(first, second):
    """Mean SSIM and mean contrast-structure of one level, one window at a time; images [C, H, W]."""
    _, height, width = first.shape
    size = min(11, height, width)
    positions = numpy.arange(size) - (size - 1) / 2
    kernel = numpy.exp(-(positions[:, None] ** 2 + positions[None, :] ** 2) / (2 * 1.5**2))
    kernel /= kernel.sum()
    c1, c2 = 0.01**2, 0.03**2
    similarity, contrast = [], []
    for one, two in zip(first, second):
        for y in range(height - size + 1):
            for x in range(width - size + 1):
                p, q = one[y:y + size, x:x + size], two[y:y + size, x:x + size]
                mean_p, mean_q = (kernel * p).sum(), (kernel * q).sum()
                variance_p, variance_q = (kernel * (p - mean_p) ** 2).sum(), (kernel * (q - mean_q) ** 2).sum()
                covariance = (kernel * (p - mean_p) * (q - mean_q)).sum()
                cs = (2 * covariance + c2) / (variance_p + variance_q + c2)
                contrast.append(cs)
                similarity.append(cs * (2 * mean_p * mean_q + c1) / (mean_p**2 + mean_q**2 + c1))
    return numpy.mean(similarity), numpy.mean(contrast)


def wang03(first, second):
    """Wang's form of 2003, images [C, H, W]; odd edges are mirrored before 2 x 2 means are taken."""
    first, second = numpy.asarray(first, numpy.float64), numpy.asarray(second, numpy.float64)
    levels = []
    while True:
        levels.append(wang03_level(first, second))
        if len(levels) == 5 or min(first.shape[1:]) == 1:
            break
        padding = [(0, 0), (0, first.shape[1] % 2), (0, first.shape[2] % 2)]
        first, second = (numpy.pad(image, padding, mode="symmetric") for image in (first, second))
        first, second = (image.reshape(image.shape[0], image.shape[1] // 2, 2, image.shape[2] // 2, 2).mean((2, 4))
                         for image in (first, second))
    weights = WEIGHTS[:len(levels)]
    scale = 1.0 if len(levels) == 5 else sum(weights)
    value = max(levels[-1][0], 0.0) ** (weights[-1] / scale)
    for (_, contrast), weight in zip(levels[:-1], weights[:-1]):
        value *= max(contrast, 0.0) ** (weight / scale)
    return float(value)


def stroke(generator, channels, height, width):
    """A smooth bright line on black, like a digit."""
    y, x = numpy.mgrid[0:height, 0:width] / numpy.array([height, width]).reshape(2, 1, 1)
    image = numpy.zeros((channels, height, width))
    for channel in range(channels):
        phase, bend, place = generator.uniform(0, 6), generator.uniform(0.1, 0.3), generator.uniform(0.35, 0.65)
        distance = numpy.abs(x - place - bend * numpy.sin(4 * y + phase))
        image[channel] = numpy.clip(1.2 - distance / 0.08, 0, 1) * ((y > 0.15) & (y < 0.85))
    return image


def pairs():
    """Named pairs (first, second), [C, H, W], rounded to float32."""
    generator = numpy.random.Generator(numpy.random.PCG64(20221))
    base = stroke(generator, 1, 28, 28)
    other = stroke(generator, 1, 28, 28)
    noise = generator.uniform(-0.1, 0.1, base.shape)
    yield "noisy stroke", base, numpy.clip(base + noise, 0, 1)
    yield "faded stroke", base, 0.6 * base + 0.1
    yield "shifted stroke", base, numpy.roll(base, 2, axis=2)
    yield "two strokes", base, other
    yield "negative correlation", base, 1 - base
    yield "black and stroke", numpy.zeros_like(base), base
    yield "uniform noise", generator.uniform(0, 1, base.shape), generator.uniform(0, 1, base.shape)
    yield "range from first image", base * 2 - 1, 0.8 * (base * 2 - 1) + 0.3
    yield "wide range from first image", base * 255, numpy.clip(base + noise, 0, 1) * 255
    colour = stroke(generator, 3, 32, 32)
    yield "three channels", colour, numpy.clip(colour + generator.uniform(-0.2, 0.2, colour.shape), 0, 1)
    tall = stroke(generator, 1, 37, 21)
    yield "odd rectangle", tall, numpy.clip(tall + generator.uniform(-0.1, 0.1, tall.shape), 0, 1)
    large = stroke(generator, 1, 64, 64)
    yield "large", large, numpy.clip(0.8 * large + generator.uniform(0, 0.2, large.shape), 0, 1)
    small = stroke(generator, 1, 9, 7)
    yield "small", small, numpy.clip(small + generator.uniform(-0.1, 0.1, small.shape), 0, 1)


def main():
    output = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1] / "tests/golden/ms_ssim.json"
    cases = []
    for name, first, second in pairs():
        # Four decimals keep the file small; both sides read exactly these numbers, as float32.
        first, second = first.round(4).astype(numpy.float32), second.round(4).astype(numpy.float32)
        case = {"name": name, "shape": list(first.shape)}
        if min(first.shape[1:]) >= 16:
            case["kuzina22"] = kuzina22(first, second)
        if min(first.min(), second.min()) >= 0 and max(first.max(), second.max()) <= 1:
            case["wang03"] = wang03(first, second)
        case["a"] = [round(float(value), 4) for value in first.ravel()]
        case["b"] = [round(float(value), 4) for value in second.ravel()]
        cases.append(case)
    header = {
        "command": "tools/make_golden_ms_ssim.py",
        "versions": {"python": platform.python_version(), "numpy": numpy.__version__, "torch": torch.__version__},
    }
    with output.open("w", encoding="utf-8") as file:
        file.write('{"header": ' + json.dumps(header) + ',\n "cases": [\n')
        file.write(",\n".join("  " + json.dumps(case) for case in cases))
        file.write("\n]}\n")
    print(f"wrote {output}: {len(cases)} pairs")


if __name__ == "__main__":
    main()
