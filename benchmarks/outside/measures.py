# What is measured of a model: agreement with PyTorch, parts of the ELBO, attack and defences, speed. Each gives rows.
import copy
import csv
import math
import time

import numpy
import onnx
import pictures
import torch
from onnx import numpy_helper
from torch.nn import functional

REFERENCES = 10  # pictures that are attacked
DEFENCES = ("none", "map", "hmc_short", "map_gaussian")
TOLERANCE = 1e-5
SPEED_WANTED = 5.0
STEPS_BESIDE = 20  # our gradients in one measurement, for each that TorchScript computes in a second
SCRIPT_RUNS = {10: 16, 100: 5}  # in the first ones TorchScript specialises itself
TURNS = 2


def row(measure, value, expected="", source=""):
    """`source`: where the expected value is from, or "at most", "at least"."""
    return {"measure": measure, "value": value, "expected": expected, "expected_from": source}


class Trial:
    """One model in PyTorch, its pictures, and a folder in which the program works on it."""

    def __init__(self, model, snapshots, data, program):
        self.model, self.program, self.folder = model, program, program.folder
        self.files = {}
        if model.own_files:
            for half in ("encoder", "decoder"):
                self.files[half] = snapshots.read(model.repository, model.path.format(half))
        state = ([_initialisers(file) for file in self.files.values()] or
                 [snapshots.state(model.repository, model.path, model.classes)])
        # As a whole: torch.onnx.export puts all parts back into the mode of the whole.
        self.encoder, self.decoder = (half.eval() for half in model.build(*state))
        # What the likelihood is of: probabilities have no logarithm any more where a sigmoid is saturated.
        self.parameters = _without_sigmoid(self.decoder) if model.likelihood == "bernoulli" else self.decoder
        images = pictures.pictures(model.pictures, snapshots, data)
        self.images = torch.from_numpy(pictures.as_floats(images))
        if not (self.folder / "pictures").exists():
            pictures.write_folder(images, self.folder / "pictures")
            numpy.savez(self.folder / "pictures.npz", x=self.images.numpy())

    # ---- the model in PyTorch

    def encode(self, images):
        mean, deviation = self.model.normalised
        outputs = self.encoder((images - mean) / deviation)
        return (outputs[:, 0::2], outputs[:, 1::2]) if self.model.interleaved else outputs

    def fit(self, decoded, images, logits):
        """-log p(x|z) of each image in nats, [N], for mean images or, of a Bernoulli, their logits."""
        if self.model.likelihood == "bernoulli":
            entropy = functional.binary_cross_entropy_with_logits if logits else functional.binary_cross_entropy
            terms = entropy(decoded, images, reduction="none")
        else:  # of variance 1/2
            terms = (decoded - images) ** 2 + 0.5 * math.log(math.pi)
        return terms.flatten(1).sum(1)

    def energy(self, codes, images):
        """-log p(x, z) without the constant of p(z), in double."""
        decoded = copy.deepcopy(self.parameters).double()(codes.double())
        return self.fit(decoded, images.double(), logits=True) + 0.5 * (codes.double() ** 2).sum(1)

    # ---- stages

    def imported(self):
        size = self.images.shape[1:]
        if self.model.own_files:
            for half, data in self.files.items():
                (self.folder / f"{half}.onnx").write_bytes(data)
        else:
            outputs = ["encoding"] if self.model.interleaved else ["mean", "log_variance"]
            torch.onnx.export(self.encoder, torch.zeros(1, *size), self.folder / "encoder.onnx", input_names=["image"],
                              output_names=outputs, dynamic_axes={"image": {0: "n"}})
            torch.onnx.export(self.decoder, torch.zeros(1, self.encode(self.images[:1])[0].shape[1]),
                              self.folder / "decoder.onnx", input_names=["code"], output_names=["image"],
                              dynamic_axes={"code": {0: "n"}})
        self.program("import", "--encoder", "encoder.onnx", "--decoder", "decoder.onnx", "--likelihood",
                     self.model.likelihood, *self.model.options)
        graphs = [onnx.load(str(self.folder / f"{half}.onnx")).graph for half in ("encoder", "decoder")]
        return [row("parameters", sum(p.numel() for m in (self.encoder, self.decoder) for p in m.parameters())),
                row("nodes", sum(len(graph.node) for graph in graphs))]

    def agreement(self):
        """The imported graphs against PyTorch; log-variances, which no verb prints, as exported again."""
        undefended = self.program.defend("pictures.npz", "none", array="x")
        codes = torch.from_numpy(undefended["z_defended"])
        mean, log_variance = self.encode(self.images)
        self.program("export", "model.safetensors")
        again = torch.jit.load(self.folder / "exported" / "encoder.pt")(self.images)
        images = torch.from_numpy(undefended["rec_defended"])
        return [row("encoder_mean_difference", _difference(codes, mean), TOLERANCE, "at most"),
                row("encoder_log_variance_difference", _difference(again[1], log_variance), TOLERANCE, "at most"),
                row("decoder_difference", _difference(images, self.decoder(codes)), TOLERANCE, "at most")]

    def evidence(self):
        """The parts of the ELBO over all pictures, in nats an image."""
        measured = self.program.evaluate(self.plan())
        mean, log_variance = self.encode(self.images)
        divergence = 0.5 * (mean ** 2 + log_variance.exp() - log_variance - 1).sum(1).mean().item()
        torch.manual_seed(1)
        draws = torch.stack([
            self.fit(self.parameters(mean + torch.randn_like(mean) * (0.5 * log_variance).exp()), self.images,
                     logits=True).mean() for _ in range(10)])
        images = torch.from_numpy(numpy.load(self.folder / "none.npz")["rec_defended"]).view_as(self.images)
        own = {"divergence": measured["divergence"],
               "reconstruction_of_a_draw": measured["reconstruction"],
               "reconstruction_at_mean": self.fit(images, self.images, logits=False).mean().item(),
               "squared_error_of_a_pixel": ((images - self.images) ** 2).mean().item()}
        pytorch = {"divergence": divergence, "reconstruction_of_a_draw": draws.mean().item(),
                   "reconstruction_at_mean": self.fit(self.decoder(mean), self.images, logits=False).mean().item(),
                   "squared_error_of_a_pixel": ((self.decoder(mean) - self.images) ** 2).mean().item()}
        return ([row(name, value, pytorch[name], "PyTorch") for name, value in own.items()] +
                [row("reconstruction_of_a_draw_deviation", draws.std().item())] +
                [row(name, own[name], value, "elsewhere") for name, value in self.model.expected.items()])

    def attacked(self):
        """Each verb once: an attack on the encoder, then the defences on its images."""
        self.write_dataset()
        self.program("attack", "model.safetensors", "--dataset", "pictures.toml", "--references", REFERENCES,
                     "--radius", self.model.radius, "--out", "attacked.npz")
        attacked = numpy.load(self.folder / "attacked.npz")
        moved = numpy.abs(attacked["x_adv"] - attacked["x_ref"]).max()
        rows = [row("attack_objective", float(attacked["objective"].mean())),
                row("attack_largest_change", float(moved), self.model.radius, "at most")]
        for defence in DEFENCES[1:]:
            defended = self.program.defend("attacked.npz", defence)
            if defence == "hmc_short":
                rows.append(row("hmc_short_acceptance", float(defended["acceptance"].mean())))
        return rows

    def lowered(self):
        """What `map` gained on the attacked images, against -log p(x, z) in double from PyTorch's decoder."""
        images = torch.from_numpy(numpy.load(self.folder / "attacked.npz")["x_adv"])
        defended = numpy.load(self.folder / "map.npz")
        start, end = self.encode(images)[0], torch.from_numpy(defended["z_defended"])
        expected = (self.energy(start, images) - self.energy(end, images)).mean().item()
        return [row("map_energy_drop", float(defended["energy_drop"].mean()), expected, "PyTorch")]

    def explained(self):
        """Where the defences start on attacked images, and whether more steps help."""
        attacked = numpy.load(self.folder / "attacked.npz")
        mean, log_variance = self.encode(torch.from_numpy(attacked["x_adv"]))
        own = self.encode(self.images)[0]
        rows = [row("attacked_mean_largest", mean.abs().max().item()),
                row("attacked_log_variance_least", log_variance.min().item()),
                row("attacked_log_variance_most", log_variance.max().item()),
                row("reconstruction_at_mean_by_logits",
                    self.fit(self.parameters(own), self.images, logits=True).mean().item())]
        for name, options in (("map", ()), ("map_gaussian", ()), ("map_gaussian", ("--set", "gradients=60"))):
            file = f"{name}{'_60_steps' if options else ''}"
            defended = self.program.defend("attacked.npz", name, *options, out=f"{file}.npz")
            error = ((defended["rec_defended"] - attacked["x_ref"]) ** 2).mean()
            rows.append(row(f"squared_error_attacked_{file}", float(error)))
        return rows

    def defended(self):
        """MS-SSIM of reconstructions with that of the clean picture, of a plan with the attack and the defences."""
        plan = self.plan() + '[[attack]]\ngoal = "encoder_skl"\noptimiser = "sign_pgd"\n'
        plan += f"radii = [{self.model.radius}]\n"
        plan += "".join(f'[[defence]]\npreset = "{defence}"\n' for defence in DEFENCES)
        (self.folder / "defences.toml").write_text(plan)
        self.program("run", "defences.toml", "--out", "defences")
        with open(self.folder / "defences" / "measurements.csv") as file:
            rows = [line for line in csv.DictReader(file) if line["metric"] == "ms_ssim_kuzina22" and
                    line["estimate"] == "mean" and line["restarts"] == "mean"]
        return [row(f"ms_ssim_{'clean' if line['attack'] == 'clean' else 'attacked'}_{line['defence']}",
                    float(line["value"])) for line in rows]

    def speed(self):
        """Gradients of the latent posterior a second of one processor: ours as `map` takes them, TorchScript's of the
        decoder alone and of the same energy. Processor time does not count what else the machine does; the best of some
        turns counts on both sides."""
        rows = []
        for batch in SCRIPT_RUNS:
            decoder, energy = (max(self.torchscript_speed(batch, with_energy) for _ in range(TURNS))
                               for with_energy in (False, True))
            numpy.savez(self.folder / "batch.npz", x=self.images[:batch].numpy())
            # Enough for starting the program not to count.
            steps = {"short": 2, "long": 2 + math.ceil(STEPS_BESIDE * energy / batch)}
            seconds = {length: min(self.program.processor_seconds(
                "defend", "model.safetensors", "batch.npz", "--array", "x", "--defence", "map", "--set",
                f"gradients={count}", common=("--quiet", "--threads", "1")) for _ in range(TURNS))
                for length, count in steps.items()}
            ours = batch * (steps["long"] - steps["short"]) / (seconds["long"] - seconds["short"])
            rows += [row(f"gradients_a_second_{batch}", ours), row(f"torchscript_decoder_a_second_{batch}", decoder),
                     row(f"torchscript_energy_a_second_{batch}", energy),
                     row(f"times_torchscript_decoder_{batch}", ours / decoder, SPEED_WANTED, "at least"),
                     row(f"times_torchscript_energy_{batch}", ours / energy, SPEED_WANTED, "at least")]
        return rows

    # ---- parts of stages

    def dataset(self):
        return (f'name = "{self.model.pictures}"\nfolder = "pictures"\nlayout = "classes"\n'
                f"channels = {self.images.shape[1]}\nsize = {self.images.shape[2]}\n")

    def write_dataset(self):
        (self.folder / "pictures.toml").write_text(f"[dataset]\n{self.dataset()}")

    def plan(self):
        return (f'name = "outside"\nseed = 1\nreferences = {REFERENCES}\n[dataset]\n{self.dataset()}'
                '[model]\ncheckpoint = "model.safetensors"\n[evaluation]\nnll_images = 0\n')

    def torchscript_speed(self, batch, with_energy):
        """Of a traced module, or of that frozen, whichever is faster."""
        module = _Energy(self) if with_energy else _Decoder(self)
        codes = self.encode(self.images)[0][torch.arange(batch) % len(self.images)].requires_grad_()
        images = self.images[torch.arange(batch) % len(self.images)]
        traced = torch.jit.trace(module, (codes, images))
        return max(_gradients_a_second(script, codes, images) for script in (traced, torch.jit.freeze(traced.eval())))


class _Decoder(torch.nn.Module):
    """A weighted sum of the decoder's outputs, the cheapest function that needs its whole gradient."""

    def __init__(self, trial):
        super().__init__()
        self.decoder = trial.decoder

    def forward(self, codes, images):
        return (self.decoder(codes) * images).sum()


class _Energy(torch.nn.Module):
    """-log p(x, z), summed over images."""

    def __init__(self, trial):
        super().__init__()
        self.decoder, self.fit = trial.parameters, trial.fit

    def forward(self, codes, images):
        return self.fit(self.decoder(codes), images, logits=True).sum() + 0.5 * (codes ** 2).sum()


def _without_sigmoid(decoder):
    """A copy whose only sigmoid, the last layer that computes, does nothing."""
    result = copy.deepcopy(decoder)
    found = [(part, name) for part in result.modules() for name, layer in part.named_children()
             if isinstance(layer, torch.nn.Sigmoid)]
    assert len(found) == 1, found
    setattr(*found[0], torch.nn.Identity())
    return result


def _gradients_a_second(script, codes, images):
    best = 0.0
    for _ in range(SCRIPT_RUNS[len(codes)]):
        start = time.process_time()
        torch.autograd.grad(script(codes, images), codes)
        best = max(best, len(codes) / (time.process_time() - start))
    return best


def _difference(values, truth):
    """The largest one, relative to the true value where that is above 1."""
    return ((values.view_as(truth) - truth).abs() / truth.abs().clamp(min=1)).max().item()


def _initialisers(file):
    return {tensor.name: torch.from_numpy(numpy_helper.to_array(tensor).copy())
            for tensor in onnx.load_from_string(file).graph.initializer}
