# Training speed of the paper's VAE as its authors formulate it, in eager PyTorch: transposed convolutions, a sigmoid,
# binary cross-entropy of clamped probabilities, Adam 5e-4, batch 128. Prints one JSON object.
import argparse
import json
import time

import torch
from torch import nn


def make_networks():
    encoder = nn.Sequential(
        nn.Conv2d(1, 32, 3, 2, 1), nn.ReLU(),
        nn.Conv2d(32, 64, 3, 2, 1), nn.ReLU(),
        nn.Conv2d(64, 96, 3, 2, 1), nn.ReLU(),
        nn.Conv2d(96, 128, 3, 2, 1), nn.ReLU(),
    )
    mean_head = nn.Conv2d(128, 64, 3, 2, 1)
    log_variance_head = nn.Conv2d(128, 64, 3, 2, 1)
    decoder = nn.Sequential(
        nn.ConvTranspose2d(64, 128, 3, dilation=2), nn.ReLU(),
        nn.ConvTranspose2d(128, 96, 3), nn.ReLU(),
        nn.ConvTranspose2d(96, 64, 3, padding=1), nn.ReLU(),
        nn.ConvTranspose2d(64, 32, 4, 2, 1), nn.ReLU(),
        nn.ConvTranspose2d(32, 1, 4, 2, 1), nn.Sigmoid(),
    )
    return encoder, mean_head, log_variance_head, decoder


def step(networks, optimiser, images):
    encoder, mean_head, log_variance_head, decoder = networks
    features = encoder(images)
    mean, log_variance = mean_head(features), log_variance_head(features)
    latents = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)
    probabilities = decoder(latents).clamp(1e-5, 1 - 1e-5)
    log_likelihood = images * torch.log(probabilities) + (1 - images) * torch.log(1 - probabilities)
    reconstruction = -log_likelihood.flatten(1).sum(1)
    divergence = 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).flatten(1).sum(1)
    loss = (reconstruction + divergence).mean()
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    return loss.item()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--seconds", type=float, default=8.0)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    networks = make_networks()
    parameters = [p for network in networks for p in network.parameters()]
    assert sum(p.numel() for p in parameters) == 332_512 + 273_217
    optimiser = torch.optim.Adam(parameters, lr=5e-4)
    images = torch.rand(options.batch, 1, 28, 28)
    first = step(networks, optimiser, images)
    steps, start = 0, time.perf_counter()
    while time.perf_counter() - start < options.seconds:
        last = step(networks, optimiser, images)
        steps += 1
    seconds = time.perf_counter() - start
    assert last < first, "the peer must learn"
    print(json.dumps({
        "peer": "eager PyTorch " + torch.__version__,
        "threads": options.threads,
        "batch": options.batch,
        "steps": steps,
        "images_per_second": options.batch * steps / seconds,
    }))


main()
