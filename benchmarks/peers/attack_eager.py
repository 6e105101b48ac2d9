# Attack speed of the paper's loop as its authors formulate it, in eager PyTorch: one image at a time, 50 steps of plain
# gradient ascent on the symmetric KL divergence with a plateau schedule. Prints one JSON object.
import argparse
import json
import time

import torch

from paper_vae import encode, make_encoder


def symmetric_divergence(clean, attacked):
    (n, w), (m, v) = clean, attacked
    return (0.25 * ((v - w).exp() + (w - v).exp() + (m - n) ** 2 * ((-v).exp() + (-w).exp())) - 0.5).sum()


def attack(encoder, reference, radius, steps):
    """The divergence at the first and the last point."""
    low, high = reference.min(), reference.max()
    with torch.no_grad():
        clean = encode(encoder, reference)
    move = (0.2 * torch.randn_like(reference)).requires_grad_()
    optimiser = torch.optim.SGD([move], lr=1.0)
    schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(optimiser, patience=20, factor=0.5)
    values = []
    for _ in range(steps):
        move.data = (reference + move.data).clamp(low, high) - reference
        loss = -symmetric_divergence(clean, encode(encoder, reference + move))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step(loss.item())
        move.data.clamp_(-radius, radius)
        values.append(-loss.item())
    return values[1], values[-1]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=8.0)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    encoder = make_encoder()
    images = torch.rand(50, 1, 1, 28, 28)
    attack(encoder, images[0], 0.1, options.steps)
    attacked, gain, start = 0, 0.0, time.perf_counter()
    while time.perf_counter() - start < options.seconds:
        first, last = attack(encoder, images[attacked % 50], 0.1, options.steps)
        gain += last - first
        attacked += 1
    seconds = time.perf_counter() - start
    assert gain > 0, "the peer must climb"
    print(json.dumps({
        "peer": "eager PyTorch " + torch.__version__,
        "threads": options.threads,
        "steps": options.steps,
        "attacked_images_per_second": attacked / seconds,
    }))


main()
