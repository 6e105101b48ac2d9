#!/usr/bin/env python3
# Writes the seed files of every fuzz target into fuzz/corpus: small whole files, and files with one damage each.
"""Usage: fuzz/make_corpus.py. The same bytes every time; run it again after adding a seed."""

import gzip
import io
import json
import pathlib
import struct
import zipfile

CORPUS = pathlib.Path(__file__).parent / "corpus"


def write(target, seeds):
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in seeds.items():
        (folder / name).write_bytes(content)


def graph_seeds():
    return {f"seed-{n}": struct.pack("<Q", 7919 * n) for n in range(1, 25)}


def idx(magic, sizes, values):
    return struct.pack(f">{1 + len(sizes)}I", magic, *sizes) + bytes(values)


def idx_seeds():
    images = idx(0x803, (2, 3, 2), range(12))
    labels = idx(0x801, (4,), (0, 9, 3, 3))
    packed = gzip.compress(images, mtime=0)
    return {
        "images": images,
        "labels": labels,
        "images.gz": packed,
        "two-members.gz": gzip.compress(images[:10], mtime=0) + gzip.compress(images[10:], mtime=0),
        "packed-twice.gz": gzip.compress(packed, mtime=0),
        "truncated": images[:-1],
        "truncated-header": images[:9],
        "truncated.gz": packed[:-9],
        "bad-checksum.gz": packed[:-8] + b"\0\0\0\0" + packed[-4:],
        "trailing": labels + b"\0",
        "floats": idx(0xD01, (1,), bytes(4)),
        "no-values": idx(0x803, (0, 28, 28), ()),
        "too-many-values": idx(0x803, (0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF), ()),
        "empty": b"",
    }


def npy(descr, shape, values, fortran=False):
    header = str({"descr": descr, "fortran_order": fortran, "shape": shape}).encode()
    header += b" " * (-(10 + len(header) + 1) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + values


def npz(entries, method=zipfile.ZIP_DEFLATED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in entries.items():
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content, method)
    return buffer.getvalue()


def npz_seeds():
    floats = npy("<f4", (2, 3), struct.pack("<6f", *range(6)))
    integers = npy("<i8", (2,), struct.pack("<2q", -1, 2))
    whole = npz({"x_adv.npy": floats, "label.npy": integers})
    return {
        "whole.npz": whole,
        "stored.npz": npz({"x_adv.npy": floats, "label.npy": integers}, zipfile.ZIP_STORED),
        "scalar.npz": npz({"s.npy": npy("<f4", (), bytes(4))}),
        "truncated.npz": whole[:-30],
        "damaged.npz": whole[:50] + b"\xff" + whole[51:],
        "doubles.npz": npz({"x.npy": npy("<f8", (1,), bytes(8))}),
        "fortran.npz": npz({"x.npy": npy("<f4", (2, 3), bytes(24), True)}),
        "too-large.npz": npz({"x.npy": npy("<f4", (2**40, 2**40), b"")}),
        "short.npz": npz({"x.npy": npy("<f4", (3,), bytes(8))}),
        "no-array.npz": npz({"notes.txt": b"not an array"}),
        "empty": b"",
    }


def safetensors(metadata, tensors):
    header, data = {"__metadata__": metadata}, b""
    for name, (kind, shape, content) in tensors.items():
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def graph(size, outputs):
    layer = {"operation": "convolution", "channels": outputs, "kernel": 1, "stride": 1, "padding": 0, "dilation": 1,
             "activation": "none"}
    return json.dumps({"input": [size, 1, 1], "layers": [layer]})


def branches():
    # Every operation: 1 x 1 x 1 -> 4 x 1 x 1 -> 4 x 2 x 2 -> 1 x 4 x 4 -> 16 x 1 x 1 -> 3 x 1 x 1, added to itself.
    weights = {"kernel": 1, "stride": 1, "padding": 0, "dilation": 1}
    layers = [{"operation": "transposed_convolution", "channels": 4, "groups": 1, "output_padding": 0, **weights},
              {"operation": "upsampling", "stride": 2, "activation": "silu"},
              {"operation": "pixel_shuffle", "stride": 2, "activation": "elu", "slope": 0.5},
              {"operation": "reshape", "shape": [16, 1, 1]},
              {"operation": "convolution", "channels": 3, "source": 0, **weights},
              {"operation": "addition", "other": 5}]
    return json.dumps({"input": [1, 1, 1], "layers": [{"activation": "none", **layer} for layer in layers]})


def checkpoint_seeds():
    metadata = {"format": "vaeguard.checkpoint", "format_version": "1", "architecture": "linear",
                "likelihood": "gaussian", "likelihood_variance": "0.5", "encoder": graph(3, 2), "decoder": graph(1, 3)}
    tensors = {"encoder.0.weight": ("F32", [2, 3, 1, 1], bytes(24)), "encoder.0.bias": ("F32", [2], bytes(8)),
               "decoder.0.weight": ("F32", [3, 1, 1, 1], bytes(12)), "decoder.0.bias": ("F32", [3], bytes(12)),
               "classifier.weight": ("F32", [2, 1], bytes(8)), "classifier.bias": ("F32", [2], bytes(8))}
    whole = safetensors(metadata, tensors)
    branched = safetensors({**metadata, "decoder": branches()},
                           {**tensors, "decoder.0.weight": ("F32", [1, 4, 1, 1], bytes(16)),
                            "decoder.0.bias": ("F32", [4], bytes(16)),
                            "decoder.4.weight": ("F32", [3, 1, 1, 1], bytes(12)),
                            "decoder.4.bias": ("F32", [3], bytes(12))})
    # Two latents, one coupling: it reads one of them and gives log scale and shift of the other.
    learned = safetensors({**metadata, "format_version": "2", "encoder": graph(3, 4), "decoder": graph(2, 3),
                           "prior": json.dumps({"kind": "realnvp", "couplings": 1, "bound": 2.0}),
                           "prior.0": graph(1, 2)},
                          {"encoder.0.weight": ("F32", [4, 3, 1, 1], bytes(48)), "encoder.0.bias": ("F32", [4], bytes(16)),
                           "decoder.0.weight": ("F32", [3, 2, 1, 1], bytes(24)), "decoder.0.bias": ("F32", [3], bytes(12)),
                           "prior.0.0.weight": ("F32", [2, 1, 1, 1], bytes(8)), "prior.0.0.bias": ("F32", [2], bytes(8))})
    return {
        "whole.safetensors": whole,
        "learned-prior.safetensors": learned,
        "lost-coupling.safetensors": learned.replace(b'\\"couplings\\": 1', b'\\"couplings\\": 2'),
        "branched.safetensors": branched,
        "wrong-source.safetensors": branched.replace(b'\\"source\\": 0', b'\\"source\\": 9'),
        "foreign.safetensors": safetensors({"format": "pt"}, {"weight": ("F16", [2], bytes(4))}),
        "truncated.safetensors": whole[:-1],
        "trailing.safetensors": whole + b"\0",
        "long-header.safetensors": struct.pack("<Q", 2**63) + whole[8:],
        "missing-tensor.safetensors": safetensors(metadata, {k: v for k, v in tensors.items() if k != "decoder.0.bias"}),
        "overlap.safetensors": whole.replace(b"[0, 24]", b"[8, 32]"),
        "not-a-number.safetensors": whole[:-4] + struct.pack("<f", float("nan")),
        "huge-layer.safetensors": whole.replace(b'\\"channels\\": 2', b'\\"channels\\": 9'),
        "empty": b"",
    }


# Fields of protobuf messages, by their numbers in onnx.proto.
def varint(value):
    value &= 2**64 - 1
    result = b""
    while value > 127:
        result += bytes([value & 127 | 128])
        value >>= 7
    return result + bytes([value])


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, float):
        return varint(number << 3 | 5) + struct.pack("<f", value)
    content = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(content)) + content


def onnx_tensor(name, shape, values):
    whole = all(isinstance(value, int) for value in values)
    content = struct.pack(f"<{len(values)}{'q' if whole else 'f'}", *values)
    return b"".join(field(1, extent) for extent in shape) + field(2, 7 if whole else 1) + field(8, name) + field(9, content)


def onnx_attribute(name, value):
    if isinstance(value, int):
        return field(1, name) + field(3, value) + field(20, 2)
    if isinstance(value, float):
        return field(1, name) + field(2, value) + field(20, 1)
    if isinstance(value, str):
        return field(1, name) + field(4, value) + field(20, 3)
    return field(1, name) + b"".join(field(8, number) for number in value) + field(20, 7)


def onnx_node(operation, inputs, outputs, **attributes):
    return (b"".join(field(1, name) for name in inputs.split()) + b"".join(field(2, name) for name in outputs.split())
            + field(4, operation) + b"".join(field(5, onnx_attribute(*pair)) for pair in attributes.items()))


def onnx(shape, nodes, tensors=(), opset=13):
    extents = b"".join(field(1, field(1, extent)) for extent in shape)
    graph = (b"".join(field(1, onnx_node(*node[:3], **dict(*node[3:]))) for node in nodes)
             + b"".join(field(5, onnx_tensor(*tensor)) for tensor in tensors)
             + field(11, field(1, "x") + field(2, field(1, field(1, 1) + field(2, extents)))) + field(12, field(1, "y")
             + field(2, field(1, field(1, 1)))))
    return field(1, 8) + field(7, graph) + field(8, field(2, opset))


def onnx_seeds():
    four = [0.5, -1.0, 2.0, 1.0]
    convolutions = onnx([1, 1, 4, 4], [
        ("Conv", "x w", "a", {"strides": [2, 2], "pads": [1, 0, 1, 0]}),
        ("BatchNormalization", "a one one zero one", "b", {"epsilon": 1e-3}), ("LeakyRelu", "b", "c", {"alpha": 0.2}),
        ("ConvTranspose", "c w", "d", {"output_padding": [0, 0]}), ("Flatten", "d", "e"), ("Gemm", "e m", "y", {"transB": 1})],
        [("w", [1, 1, 2, 2], four), ("one", [1], [1.0]), ("zero", [1], [0.0]), ("m", [1, 12], 3 * four)])
    movements = onnx([1, 2, 2, 3], [
        ("Transpose", "x", "a", {"perm": [0, 2, 3, 1]}), ("Slice", "a zero two two", "b"), ("Split", "b", "c d", {"axis": 3}),
        ("Concat", "d c", "e", {"axis": 3}), ("Pad", "e pads", "f"), ("DepthToSpace", "f", "g", {"blocksize": 1}),
        ("Softmax", "g", "y", {"axis": 1})],
        [("zero", [1], [0]), ("two", [1], [2]), ("pads", [8], [0, 1, 0, 0, 0, 0, 0, -1])])
    shapes = onnx([0, 2, 3], [
        ("Shape", "x", "a"), ("Gather", "a zero", "b", {"axis": 0}), ("Unsqueeze", "b axes", "c"),
        ("Concat", "c minus", "d", {"axis": 0}), ("Reshape", "x d", "e"), ("Mul", "e s", "f"), ("Add", "f e", "y")],
        [("zero", [], [0]), ("axes", [1], [0]), ("minus", [1], [-1]), ("s", [6], four + [1.0, 3.0])])
    sizes = onnx([1, 1, 4, 4], [
        ("MaxPool", "x", "a", {"kernel_shape": [2, 2], "strides": [2, 2]}),
        ("Resize", "a none scales", "b", {"mode": "linear"}),
        ("AveragePool", "b", "c", {"kernel_shape": [2, 2], "pads": [1, 1, 1, 1], "count_include_pad": 1}),
        ("HardSwish", "c", "d"), ("Clip", "d low", "e"), ("ReduceMean", "e", "y", {"axes": [2, 3], "keepdims": 0})],
        [("none", [0], []), ("scales", [4], [1.0, 1.0, 2.0, 2.0]), ("low", [], [-1.0])])
    return {
        "convolutions.onnx": convolutions,
        "movements.onnx": movements,
        "shapes.onnx": shapes,
        "sizes.onnx": sizes,
        "old.onnx": onnx([1, 4], [("Clip", "x", "a", {"min": 0.0, "max": 1.0}), ("Neg", "a", "y")], opset=7),
        "unknown.onnx": onnx([1, 4], [("Secret", "x", "y")]),
        "too-large.onnx": onnx([1, 2**40, 2**40], [("Relu", "x", "y")]),
        "doubling.onnx": onnx([1, 2], [("Concat", "x x", "y", {"axis": 1})]),
        "truncated.onnx": convolutions[:-40],
        "empty": b"",
    }


def plan_seeds():
    whole = (b'name = "fuzz"\nseed = 1\ndataset = "synthetic"\nreferences = 4\n[model]\nname = "vae"\n'
             b'[model.training]\npreset = "default"\n[[attack]]\ngoal = "encoder_skl"\noptimiser = "sign_pgd"\n'
             b'radii = [0.1, 0.2]\nrestarts = 2\n[[attack]]\noptimiser = "noise"\nradii = [0.1]\n'
             b'[[defence]]\npreset = "none"\n[[defence]]\npreset = "hmc"\n')
    return {
        "whole.toml": whole,
        "unknown-key.toml": whole + b"stepsize = 1\n",
        "wrong-type.toml": whole.replace(b"references = 4", b'references = "four"'),
        "impossible.toml": whole.replace(b"references = 4", b"references = -4"),
        "bad-radius.toml": whole.replace(b"[0.1, 0.2]", b"[nan, inf]"),
        "not-toml.toml": b"name = \n[[[",
        "no-text.toml": b"\xff\xfe\x00",
        "empty": b"",
    }


for target, seeds in (("idx", idx_seeds()), ("npz", npz_seeds()), ("checkpoint", checkpoint_seeds()),
                      ("onnx", onnx_seeds()), ("plan", plan_seeds()), ("graph", graph_seeds())):
    write(target, seeds)
    print(f"make_corpus: {len(seeds)} seeds in {CORPUS / target}")
