# Training speed of the paper's VAE as its authors formulate it, in eager PyTorch: transposed convolutions, a sigmoid,
# binary cross-entropy of clamped probabilities, Adam 5e-4, batch 128. Prints one JSON object.
import argparse
import json
import time

import torch

from paper_vae import encode, log_likelihood, make_decoder, make_encoder


def step(encoder, decoder, optimiser, images):
    mean, log_variance = encode(encoder, images)
    latents = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)
    reconstruction = -log_likelihood(decoder(latents[:, :, None, None]), images)
    divergence = 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum(1)
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
    encoder, decoder = make_encoder(), make_decoder(1)
    parameters = [p for network in (*encoder, decoder) for p in network.parameters()]
    optimiser = torch.optim.Adam(parameters, lr=5e-4)
    images = torch.rand(options.batch, 1, 28, 28)
    first = step(encoder, decoder, optimiser, images)
    steps, start = 0, time.perf_counter()
    while time.perf_counter() - start < options.seconds:
        last = step(encoder, decoder, optimiser, images)
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
