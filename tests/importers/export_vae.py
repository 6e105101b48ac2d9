# Exports the two halves of a small convolutional VAE from PyTorch, a network of other operations, and what they give.
import sys

import numpy
import torch
from torch import nn
from torch.nn import functional


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 6, 4, 2, 1), nn.BatchNorm2d(6), nn.LeakyReLU(0.2),
            nn.Conv2d(6, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.SiLU())
        self.head = nn.Linear(8 * 4 * 4, 2 * 5)

    def forward(self, images):
        features = self.features(images)
        mean, log_variance = self.head(features.view(images.size(0), -1)).chunk(2, dim=1)
        return mean, log_variance.clamp(-4, 3)


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = nn.Linear(5, 8 * 4 * 4)
        self.pixels = nn.Sequential(
            nn.BatchNorm2d(8), nn.ReLU(), nn.ConvTranspose2d(8, 6, 4, 2, 1), nn.BatchNorm2d(6), nn.ELU(),
            nn.Upsample(scale_factor=2), nn.Conv2d(6, 3, 3, 1, 1), nn.Sigmoid())

    def forward(self, codes):
        return self.pixels(self.head(codes).view(codes.size(0), 8, 4, 4))


# Other operations that VAEs in the wild use, and outputs of many shapes.
class Operations(nn.Module):
    def __init__(self):
        super().__init__()
        self.one, self.two = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 8, 3, 2, 1, groups=2)
        self.three, self.head = nn.Conv2d(2, 8, 1), nn.Linear(8, 4)

    def forward(self, images):
        features = functional.hardswish(self.two(functional.softplus(self.one(images))))
        squeezed = functional.adaptive_avg_pool2d(features, 1)
        gated = functional.pixel_shuffle(features * torch.sigmoid(squeezed), 2)
        large = functional.interpolate(gated, scale_factor=2, mode="bilinear", align_corners=False)
        cut = functional.pad(large, (1, 0, 0, 1))[:, :, 1:, ::2]
        both = torch.cat([squeezed.flatten(1), self.three(cut).mean((2, 3))], 1)
        first, second = both.view(-1, 8, 2).unbind(-1)
        pooled = functional.avg_pool2d(images, 2).reshape(images.shape[0], -1)
        return self.head(first), (second * 2 - 1).exp(), pooled, torch.stack([first, second], 2), first.softmax(-1)


def made(module):
    for layer in module.modules():
        if isinstance(layer, nn.BatchNorm2d):  # as after some training
            layer.running_mean.normal_(0, 0.3)
            layer.running_var.uniform_(0.3, 2)
            nn.init.uniform_(layer.weight, 0.5, 1.5)
            nn.init.normal_(layer.bias, 0, 0.3)
    return module.eval()


def export(module, example, folder, name, inputs, outputs):
    any_number = {axis: {0: "n"} for axis in inputs + outputs}
    options = {"input_names": inputs, "output_names": outputs}
    torch.onnx.export(module, example, f"{folder}/{name}.onnx", dynamic_axes=any_number, **options)
    torch.onnx.export(module, example, f"{folder}/{name}_old.onnx", dynamic_axes=any_number, opset_version=11, **options)
    torch.onnx.export(module, example[:1], f"{folder}/{name}_of_one.onnx", **options)


folder = sys.argv[1]
torch.manual_seed(1)
encoder, decoder, operations = made(Encoder()), made(Decoder()), made(Operations())
images, codes = torch.rand(4, 3, 16, 16), torch.randn(4, 5)
export(encoder, images, folder, "encoder", ["images"], ["mean", "log_variance"])
export(decoder, codes, folder, "decoder", ["codes"], ["images"])
export(operations, images, folder, "operations", ["images"], ["a", "b", "c", "d", "e"])
with torch.no_grad():
    mean, log_variance = encoder(images)
    decoded = decoder(codes)
    outputs = torch.cat([output.flatten(1) for output in operations(images)], 1)
numpy.savez(f"{folder}/expected.npz", images=images, mean=mean, log_variance=log_variance, codes=codes, decoded=decoded,
            outputs=outputs)
