#!/usr/bin/python3
"""Recomputes the published attack loop with numpy and writes tests/golden/published_attack.json.

Independent of the library: its own Philox 4x32-10, its own goals and gradients, its own plateau rule.
Run from the root of the repository: python3 tools/make_golden_published_attack.py
"""
import json
import math
import sys

import numpy as np

MASK = 0xFFFFFFFF
F = np.float32


def philox(key, low, high):
    """Philox 4x32-10 of Salmon et al. 2011, as four words."""
    c = [low & MASK, low >> 32, high & MASK, high >> 32]
    k0, k1 = key & MASK, key >> 32
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(p1 >> 32) ^ c[1] ^ k0, p1 & MASK, (p0 >> 32) ^ c[3] ^ k1, p0 & MASK]
        k0, k1 = (k0 + 0x9E3779B9) & MASK, (k1 + 0xBB67AE85) & MASK
    return c


def fold(key, name):
    for letter in name.encode():
        words = philox(key, letter, 2)
        key = words[0] | words[1] << 32
    words = philox(key, len(name), 3)
    return words[0] | words[1] << 32


def normals(key, count):
    bits = [word for block in range(count // 4 + 1) for word in philox(key, block, 0)]
    uniform = [(b + 0.5) / 2**32 for b in bits]
    out = []
    for i in range(0, count, 2):
        radius, angle = math.sqrt(-2 * math.log(uniform[i])), 2 * math.pi * uniform[i + 1]
        out += [radius * math.cos(angle), radius * math.sin(angle)]
    return np.array(out[:count], F)


def symmetric_kl(output, reference):
    d = len(output) // 2
    m, v, m_r, v_r = output[:d], output[d:], reference[:d], reference[d:]
    value = np.sum((np.exp(v - v_r) + np.exp(v_r - v) + (m - m_r) ** 2 * (np.exp(-v) + np.exp(-v_r))) / 4 - 0.5)
    by_mean = (m - m_r) * (np.exp(-v) + np.exp(-v_r)) / 2
    by_log_variance = (np.exp(v - v_r) - np.exp(v_r - v)) / 4 - (m - m_r) ** 2 * np.exp(-v) / 4
    return value, np.concatenate([by_mean, by_log_variance])


def cross_entropy(output, reference, weight, bias):
    d = len(output) // 2
    label = int(np.argmax(weight @ reference[:d] + bias))
    logits = weight @ output[:d] + bias
    p = np.exp(logits - logits.max())
    p /= p.sum()
    gradient = weight.T @ (p - np.eye(len(bias))[label])
    return -math.log(p[label]), np.concatenate([gradient, np.zeros(d)])


def attack(x, encoder_weight, encoder_bias, goal, radius, start, options):
    x = x.astype(F)
    low, high = x.min(), x.max()
    encode = lambda image: (encoder_weight @ image.astype(np.float64) + encoder_bias)
    reference = encode(x)
    eps, step, best, bad, halvings = start.astype(F), options["step"], math.inf, 0, 0
    for _ in range(options["iterations"]):
        eps = np.clip(x + eps, low, high) - x
        value, by_output = goal(encode(x + eps), reference)
        gradient = (encoder_weight.T @ by_output).astype(F)
        loss = -value
        eps = np.clip(eps + F(step) * gradient, -F(radius), F(radius))
        if loss < best * (1 - options["threshold"]):
            best, bad = loss, 0
        else:
            bad += 1
            if bad > options["patience"]:
                step, bad, halvings = step * options["factor"], 0, halvings + 1
    adversarial = np.clip(x + eps, low, high)
    return adversarial, goal(encode(adversarial), reference)[0], halvings


def main():
    pixels, latents, classes = 6, 2, 3
    generator = np.random.Generator(np.random.PCG64(20220))
    rounded = lambda *shape: np.round(generator.normal(size=shape), 3).astype(F).astype(np.float64)
    encoder_weight, encoder_bias = 0.5 * rounded(2 * latents, pixels), 0.2 * rounded(2 * latents)
    encoder_weight, encoder_bias = (a.astype(F).astype(np.float64) for a in (encoder_weight, encoder_bias))
    classifier_weight, classifier_bias = rounded(classes, latents), rounded(classes)
    references = np.round(generator.uniform(0.05, 0.95, size=(3, pixels)), 3).astype(F)
    published = {"iterations": 50, "step": 1.0, "patience": 20, "factor": 0.5, "threshold": 1e-4}
    # The start lies outside the ball, so its loss is never beaten and the step is halved while the pixels still move.
    halving = {"iterations": 50, "step": 0.05, "patience": 3, "factor": 0.5, "threshold": 1e-4}
    # best (1 - threshold) lies above a negative best: with a large threshold a much worse loss still counts as better.
    lenient = {**halving, "threshold": 0.9}
    slow = {"iterations": 50, "step": 0.01, "patience": 20, "factor": 0.5, "threshold": 1e-4}
    cases = []
    for goal_name, deviation, radius, options in [
        ("encoder_skl", 0.2, 0.1, published),
        ("encoder_skl", 0.2, 0.6, slow),
        ("encoder_skl", 0.3, 0.1, halving),
        ("encoder_skl", 0.3, 0.1, lenient),
        ("classifier_ce", 0.0, 0.2, published),
        ("classifier_ce", 0.0, 0.2, slow),
        ("classifier_ce", 0.3, 0.1, halving),
    ]:
        goal = symmetric_kl
        if goal_name == "classifier_ce":
            goal = lambda output, reference: cross_entropy(output, reference, classifier_weight, classifier_bias)
        rows = []
        for i, x in enumerate(references):
            start = normals(fold(100 + i, "start"), pixels) * F(deviation)
            adversarial, value, halvings = attack(x, encoder_weight, encoder_bias, goal, radius, start, options)
            rows.append({"key": 100 + i, "adversarial": adversarial.tolist(), "objective": value})
            inside = np.abs(np.abs(adversarial - x) - radius) > 1e-3
            print(goal_name, radius, "row", i, "halvings", halvings, "pixels off the border", int(inside.sum()),
                  "objective", round(float(value), 5), file=sys.stderr)
        cases.append({"goal": goal_name, "radius": radius, "start_deviation": deviation, "options": options, "rows": rows})
    golden = {
        "command": "python3 tools/make_golden_published_attack.py",
        "numpy": np.__version__,
        "encoder_weight": encoder_weight.ravel().tolist(), "encoder_bias": encoder_bias.tolist(),
        "classifier_weight": classifier_weight.ravel().tolist(), "classifier_bias": classifier_bias.tolist(),
        "latents": latents, "references": references.tolist(), "cases": cases,
    }
    with open("tests/golden/published_attack.json", "w", encoding="utf-8") as file:
        json.dump(golden, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()
