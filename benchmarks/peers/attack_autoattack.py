# Ours beside AutoAttack's APGD (github.com/fra31/auto-attack, not part of this project) on the same classifier of latent
# means: the same references, radius, number of gradients and one random start. Prints one CSV row for each case.
# Usage: attack_autoattack.py --autoattack FOLDER --vaeguard PROGRAM --checkpoint FILE [--references 200]
import argparse
import json
import pathlib
import struct
import subprocess
import sys
import tempfile
import time

import numpy as np
import torch


def tensors(file):
    """The tensors of a safetensors file."""
    data = pathlib.Path(file).read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + size])
    body = data[8 + size:]
    return {name: np.frombuffer(body[slice(*entry["data_offsets"])], dtype="<f4").reshape(entry["shape"])
            for name, entry in header.items() if name != "__metadata__" and entry["dtype"] == "F32"}


class Classifier(torch.nn.Module):
    """Logits of the latent classifier at the encoder's mean."""

    def __init__(self, encoder, checkpoint):
        super().__init__()
        self.encoder = torch.jit.load(str(encoder))
        arrays = tensors(checkpoint)
        self.weight = torch.from_numpy(arrays["classifier.weight"].copy())
        self.bias = torch.from_numpy(arrays["classifier.bias"].copy())

    def forward(self, images):
        return self.encoder(images)[0].flatten(1) @ self.weight.T + self.bias


def judge(model, reference, attacked):
    """Agreement with the clean prediction, and the mean of cross-entropy and margin against it."""
    with torch.no_grad():
        label = model(reference).argmax(1)
        logits = model(attacked)
        own = logits.gather(1, label[:, None])[:, 0]
        others = logits.scatter(1, label[:, None], -torch.inf).amax(1)
        return ((logits.argmax(1) == label).float().mean().item(),
                torch.nn.functional.cross_entropy(logits, label).item(), (others - own).mean().item())


def ours(arguments, folder, norm, radius, goal, iterations):
    out = folder / "attacked.npz"
    subprocess.run([arguments.vaeguard, "attack", arguments.checkpoint, "--goal", goal, "--optimiser", "apgd", "--norm",
                    norm, "--radius", str(radius), "--references", str(arguments.references), "--set",
                    f"iterations={iterations}", "--out", str(out)], check=True, capture_output=True)
    arrays = np.load(out)
    return (torch.from_numpy(arrays[name]).reshape(-1, 1, 28, 28) for name in ("x_ref", "x_adv"))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--autoattack", required=True, help="folder that holds the package autoattack")
    parser.add_argument("--vaeguard", required=True)
    parser.add_argument("--checkpoint", required=True)
    parser.add_argument("--references", type=int, default=200)
    parser.add_argument("--iterations", type=int, default=50)
    arguments = parser.parse_args()
    sys.path.insert(0, arguments.autoattack)
    from autoattack.autopgd_base import APGDAttack
    folder = pathlib.Path(tempfile.mkdtemp())
    subprocess.run([arguments.vaeguard, "export", arguments.checkpoint, "--out", str(folder)], check=True,
                   capture_output=True)
    model = Classifier(folder / "encoder.pt", arguments.checkpoint).eval()
    print("attack,norm,radius,loss,gradients,references,agreement,cross_entropy,margin,seconds")
    for norm, radii in (("linf", (0.01, 0.02, 0.05, 0.1)), ("l2", (0.25, 0.5, 1.0, 2.0))):
        for radius in radii:
            for loss in ("ce", "dlr"):
                start = time.time()
                reference, attacked = ours(arguments, folder, norm, radius, f"classifier_{loss}", arguments.iterations)
                rows = [("vaeguard", attacked, time.time() - start)]
                peer = APGDAttack(model, n_iter=arguments.iterations, norm={"linf": "Linf", "l2": "L2"}[norm], eps=radius,
                                  loss=loss, device="cpu")
                start = time.time()
                rows.append(("autoattack", peer.perturb(reference, model(reference).argmax(1), best_loss=True),
                             time.time() - start))
                for name, images, seconds in rows:
                    agreement, entropy, margin = judge(model, reference, images)
                    print(f"{name},{norm},{radius},{loss},{arguments.iterations},{arguments.references},{agreement:.4f},"
                          f"{entropy:.4f},{margin:.4f},{seconds:.1f}", flush=True)


if __name__ == "__main__":
    main()
