# Pictures for the models: 8-bit arrays [N, H, W, C], as PNG files for plans and as .npz for verbs.
import gzip
import io
import pathlib

import numpy
from PIL import Image

TILES = 100  # of a sheet


def sheet(data, size):
    """The 10 x 10 tiles of a sheet with borders of two pixels."""
    image = numpy.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    starts = range(2, 10 * (size + 2), size + 2)
    return numpy.stack([image[y:y + size, x:x + size] for y in starts for x in starts])


def idx_images(folders, count):
    """The first test images of the first folder that has them, plain or compressed, [N, 28, 28, 1]."""
    for file in (folder / f"t10k-images-idx3-ubyte{end}" for folder in folders for end in ("", ".gz")):
        if file.exists():
            data = gzip.decompress(file.read_bytes()) if file.suffix else file.read_bytes()
            return numpy.frombuffer(data, numpy.uint8, count * 784, 16).reshape(count, 28, 28, 1)
    raise FileNotFoundError(f"none of {', '.join(map(str, folders))} has t10k-images-idx3-ubyte")


def resized(images, size):
    """Bilinear, rounded to 8 bits, as torchvision resizes pictures."""
    return numpy.stack([numpy.asarray(Image.fromarray(image[..., 0]).resize((size, size), Image.BILINEAR))
                        for image in images])[..., None]


def pictures(name, snapshots, data):
    """Sheets of "celeba", "chairs", "dsprites" and "mnist32" are those that YannDubs/disentangling-vae shows; "mnist"
    and, enlarged, "mnist64" and "fashion64" are the first test images of the sets in the folder `data`."""
    if name == "mnist":
        return idx_images([data / "mnist"], TILES)
    if name == "mnist64":
        return resized(idx_images([data / "mnist"], TILES), 64)
    if name == "fashion64":
        debian = pathlib.Path("/usr/share/datasets/fashion-mnist")
        return resized(idx_images([data / "fashion_mnist", debian], TILES), 64)
    size = 32 if name == "mnist32" else 64
    path = f"results/VAE_{name.removesuffix('32')}/data_samples.png"
    tiles = sheet(snapshots.read("YannDubs/disentangling-vae", path), size)
    return tiles if name == "celeba" else tiles[..., :1]


def as_floats(images):
    """[N, C, H, W], from 0 to 1."""
    return numpy.ascontiguousarray(images.transpose(0, 3, 1, 2)).astype(numpy.float32) / numpy.float32(255)


def write_folder(images, folder):
    """The layout of plans: test holds all, train and validation, which must not be empty, the first."""
    for part, count in (("train", 1), ("validation", 1), ("test", len(images))):
        (folder / part).mkdir(parents=True, exist_ok=True)
        for i, image in enumerate(images[:count]):
            Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).save(folder / part / f"{i:03}.png")
