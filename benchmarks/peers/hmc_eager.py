# Whole HMC transitions on the paper's decoder as its authors formulate them, in eager PyTorch: transposed convolutions,
# a sigmoid, a Bernoulli log-likelihood of clamped probabilities, autograd at each leapfrog step. Prints one JSON object.
import argparse
import json
import math
import statistics
import time

import torch
from torch import nn

from paper_vae import LATENT, log_likelihood, make_decoder

LEAPFROG_STEPS = 20
GRADIENTS_PER_TRANSITION = LEAPFROG_STEPS + 1  # the formulation keeps none from the transition before


def xavier_decoder(channels):
    decoder = make_decoder(channels)
    for layer in decoder:
        if isinstance(layer, nn.ConvTranspose2d):
            nn.init.xavier_normal_(layer.weight)
            nn.init.zeros_(layer.bias)
    return decoder


def log_posterior(decoder, images, latents):
    """log p(x|z) + log p(z) of each chain, [B]."""
    log_prior = -0.5 * (math.log(2 * math.pi) + latents**2)
    return log_likelihood(decoder(latents), images) + log_prior.flatten(1).sum(1)


def gradient(decoder, images, latents, with_weights):
    """Of the summed log-posterior with respect to the latents; `with_weights` lets autograd fill the weights' too."""
    latents = latents.detach().requires_grad_()
    total = log_posterior(decoder, images, latents).sum()
    if with_weights:
        total.backward()
        return latents.grad
    return torch.autograd.grad(total, latents)[0]


def transition(decoder, images, latents, step_size, with_weights):
    """Momentum draw, leapfrog, Metropolis; gives the next latents and the share of chains that accepted."""
    momentum = torch.randn_like(latents)
    with torch.no_grad():
        before = log_posterior(decoder, images, latents) - 0.5 * (momentum**2).flatten(1).sum(1)
    proposal = latents
    momentum = momentum + 0.5 * step_size * gradient(decoder, images, proposal, with_weights)
    for step in range(LEAPFROG_STEPS):
        proposal = proposal + step_size * momentum
        share = 0.5 if step + 1 == LEAPFROG_STEPS else 1.0
        momentum = momentum + share * step_size * gradient(decoder, images, proposal, with_weights)
    with torch.no_grad():
        after = log_posterior(decoder, images, proposal) - 0.5 * (momentum**2).flatten(1).sum(1)
        accepted = torch.rand_like(after) < torch.exp(after - before)
        latents = torch.where(accepted[:, None, None, None], proposal, latents)
    return latents.detach(), accepted.float().mean().item()


class Variant:
    """The formulation with or without gradients of the weights, and the seconds of each transition."""

    def __init__(self, options, batch, with_weights):
        torch.manual_seed(1)
        self.with_weights = with_weights
        self.decoder = xavier_decoder(options.channels).requires_grad_(with_weights)
        self.images = torch.rand(batch, options.channels, 28, 28)
        self.latents = torch.randn(batch, LATENT, 1, 1)
        self.seconds = []
        self.acceptances = []
        gradient(self.decoder, self.images, self.latents, with_weights)  # warms up

    def step(self):
        start = time.perf_counter()
        self.latents, acceptance = transition(self.decoder, self.images, self.latents, 0.05, self.with_weights)
        self.seconds.append(time.perf_counter() - start)
        self.acceptances.append(acceptance)

    def speed(self):
        rates = [GRADIENTS_PER_TRANSITION * len(self.images) / seconds for seconds in self.seconds]
        return {"median": statistics.median(rates), "least": min(rates), "most": max(rates),
                "transitions": len(rates), "acceptance": statistics.mean(self.acceptances)}


def measure(options, batch):
    """Takes the two variants in turns, so that a clock that changes meets both."""
    variants = {"weight_gradients_on": Variant(options, batch, True),
                "weight_gradients_off": Variant(options, batch, False)}
    start = time.perf_counter()
    while True:
        for variant in variants.values():
            variant.step()
        if time.perf_counter() - start >= 2 * options.seconds:
            return {name: variant.speed() for name, variant in variants.items()}


def main():
    parser = argparse.ArgumentParser(description="HMC transitions in eager PyTorch; prints gradients a second.")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch", default="10,500", help="chains side by side, separated by commas")
    parser.add_argument("--channels", type=int, default=1, help="of the images: 1 is MNIST, 3 is colour")
    parser.add_argument("--seconds", type=float, default=5.0, help="for each variant and batch")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    measured = {batch: measure(options, int(batch)) for batch in options.batch.split(",")}
    faster = {batch: max(speeds, key=lambda name: speeds[name]["median"]) for batch, speeds in measured.items()}
    print(json.dumps({
        "peer": "eager PyTorch " + torch.__version__,
        "threads": options.threads,
        "gradients_per_transition": GRADIENTS_PER_TRANSITION,
        "grads_per_second": {batch: measured[batch][name]["median"] for batch, name in faster.items()},
        "faster": faster,
        "variants": measured,
    }))


main()
