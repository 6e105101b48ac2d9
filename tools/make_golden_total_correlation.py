#!/usr/bin/python3
"""Recomputes total correlations with torch's autograd and writes tests/golden/total_correlation.json.

Independent of the library: whole tensors [samples, components, latents], torch's normal law and logsumexp, gradients by
autograd. Run from the root of the repository: python3 tools/make_golden_total_correlation.py
"""
import json
import math

import torch


def total_correlation(mean, log_variance, latents, images, estimator):
    """Summed over the mini-batch: log q(z_i) - sum_d log q(z_id)."""
    batch = len(latents)
    law = torch.distributions.Normal(mean[None], torch.exp(0.5 * log_variance)[None])
    log_density = law.log_prob(latents[:, None])  # [sample, component, latent]
    if estimator == "mws":
        log_weight = torch.full((batch, batch), -math.log(images * batch), dtype=torch.float64)
    elif estimator == "mss":
        weight = torch.full((batch, batch), 1 / (batch - 1), dtype=torch.float64)
        for i in range(batch):
            weight[i, (i + 1) % batch] = (images - batch + 1) / (images * (batch - 1))
            weight[i, i] = 1 / images
        assert torch.allclose(weight.sum(1), torch.ones(batch, dtype=torch.float64))
        log_weight = weight.log()
    else:
        log_weight = torch.full((batch, batch), -math.log(batch), dtype=torch.float64)
    over = 0 if estimator == "published" else 1
    joint = torch.logsumexp(log_weight + log_density.sum(2), over)
    marginals = torch.logsumexp(log_weight[..., None] + log_density, over)
    return (joint - marginals.sum(1)).sum()


def main():
    generator = torch.Generator().manual_seed(20220)
    batch, latent_size, images = 19, 3, 500
    draw = lambda *shape: (torch.randn(*shape, generator=generator) * 1000).round() / 1000
    rounded = lambda tensor: tensor.float().double().requires_grad_()
    mean, log_variance = rounded(1.5 * draw(batch, latent_size)), rounded(draw(batch, latent_size) - 1.0)
    noise = draw(batch, latent_size)
    latents = rounded(mean.detach() + torch.exp(0.5 * log_variance.detach()) * noise)
    cases = []
    for estimator in ["mws", "mss", "published"]:
        value = total_correlation(mean, log_variance, latents, images, estimator)
        by_mean, by_log_variance, by_latent = torch.autograd.grad(value, [mean, log_variance, latents])
        cases.append({"estimator": estimator, "value": value.item(),
                      "encoded_gradients": torch.cat([by_mean, by_log_variance], 1).flatten().tolist(),
                      "latent_gradients": by_latent.flatten().tolist()})
        print(estimator, value.item() / batch)
    golden = {
        "command": "python3 tools/make_golden_total_correlation.py", "torch": torch.__version__,
        "rows": batch, "latents_size": latent_size, "training_images": images,
        "encoded": torch.cat([mean, log_variance], 1).flatten().tolist(), "latents": latents.flatten().tolist(),
        "cases": cases,
    }
    with open("tests/golden/total_correlation.json", "w", encoding="utf-8") as file:
        json.dump(golden, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()
