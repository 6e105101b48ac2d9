# Runs exported encoder.pt and decoder.pt on the inputs of a folder and writes their outputs beside them.
# Files *.bin are raw little-endian float32; shapes.txt holds B C H W D and how many
# parameters the encoder and the decoder have.
import sys

import numpy
import torch

folder = sys.argv[1]
with open(folder + "/shapes.txt") as file:
    batch, channels, height, width, latents, in_encoder, in_decoder = (int(word) for word in file.read().split())


def read(name, shape):
    return torch.from_numpy(numpy.fromfile(folder + "/" + name, dtype="<f4").reshape(shape))


def write(name, tensor):
    tensor.detach().contiguous().numpy().astype("<f4").tofile(folder + "/" + name)


encoder = torch.jit.load(folder + "/encoder.pt")
decoder = torch.jit.load(folder + "/decoder.pt")
mean, log_variance = encoder(read("images.bin", (batch, channels, height, width)))
assert tuple(mean.shape) == tuple(log_variance.shape) == (batch, latents), (mean.shape, log_variance.shape)
outputs = decoder(read("latents.bin", (batch, latents)))
assert tuple(outputs.shape) == (batch, channels, height, width), outputs.shape
assert len(list(encoder.parameters())) == in_encoder and len(list(decoder.parameters())) == in_decoder
write("mean.bin", mean)
write("log_variance.bin", log_variance)
write("outputs.bin", outputs)
