# The models that are tried: where they lie, what they are made of, what was published or measured of them elsewhere.
import dataclasses
import typing

import architectures

FACES, RIEMANN, TORCH_VAE = ("YannDubs/disentangling-vae",
                             "shagunuppal/Riemannian_Geometry_of_Deep_Generative_Models", "menzHSE/torch-vae")
TWO_LEVEL, BROWSER = "ChanLumerico/hierarchical-vae", "DominikKoller/bVAE-Interactive"
LICENCES = {FACES: "MIT", RIEMANN: "MIT", TORCH_VAE: "none given", TWO_LEVEL: "Apache-2.0", BROWSER: "none given"}


@dataclasses.dataclass
class Model:
    name: str
    repository: str
    path: str  # of the weights; of both ONNX files with "{}" for encoder and decoder
    build: typing.Callable
    pictures: str
    radius: float  # of the attack, L-infinity
    likelihood: str = "bernoulli"
    options: tuple = ()  # further ones of `vaeguard import`
    classes: tuple = ()  # of a pickled module
    own_files: bool = False  # its ONNX files are imported as they are
    normalised: tuple = (0.0, 1.0)  # mean and deviation that the encoder's images were freed from
    timed: bool = False
    expected: dict = dataclasses.field(default_factory=dict)

    @property
    def interleaved(self):
        return "interleaved" in self.options


def disentangling():
    """26 models of one architecture; expected values of three are those of outside measurements on the same tiles."""
    expected = {"VAE_celeba": {"reconstruction_at_mean": 6538, "divergence": 32.0},
                "betaH_celeba": {"reconstruction_at_mean": 6526, "divergence": 17.7},
                "btcvae_celeba": {"reconstruction_at_mean": 6522, "divergence": 21.4}}
    names = [f"{loss}_{data}" for data in ("celeba", "mnist", "dsprites", "chairs")
             for loss in ("VAE", "betaH", "betaB", "factor", "btcvae")]
    names += [f"btcvae_{data}_a{weight}" for data in ("celeba", "dsprites") for weight in (-5, 0, 5)]
    for name in names:
        data = name.split("_")[1]
        yield Model(name, FACES, f"results/{name}/model.pt", architectures.burgess,
                    "mnist32" if data == "mnist" else data, 0.05 if data == "celeba" else 0.1,
                    options=("--layout", "interleaved"), timed=name in ("VAE_celeba", "VAE_mnist"),
                    expected=expected.get(name, {}))


# Of MNIST's pixels, as PyTorch's examples subtract and divide. Nothing says that the browser's model was trained so;
# with other images its codes are all near 0.
MEAN, DEVIATION = 0.1307, 0.3081
HALF = ("--variance", "0.5")  # squared error plus KL

MODELS = [
    *disentangling(),
    Model("riemann_celeba", RIEMANN, "CelebA/final/vae.pth", architectures.normalised, "celeba", 0.05, "gaussian", HALF,
          timed=True, expected={"squared_error_of_a_pixel": 0.0141}),
    Model("riemann_mnist", RIEMANN, "MNIST/vae.pth", architectures.fully_connected, "mnist", 0.1, "gaussian", HALF),
    Model("riemann_mnist_deep", RIEMANN, "MNIST/vae2.pth", architectures.fully_connected, "mnist", 0.1, "gaussian",
          HALF),
    *(Model(f"torch_vae_{data.split('-')[0]}_{latents}", TORCH_VAE,
            f"models/{data}/vae_filters_0128_dims_{latents:04}.pth", architectures.strided,
            f"{data.split('-')[0]}64", 0.1, "gaussian", HALF, timed=latents == 8 and data != "mnist")
      for data in ("fashion-mnist", "mnist") for latents in (2, 8)),
    Model("two_level_mnist", TWO_LEVEL, "hvae/out/2_hier_vae.pth", architectures.two_level, "mnist", 0.1,
          classes=("HierarchicalVAE", "Encoder", "Decoder"), timed=True),
    Model("browser_mnist", BROWSER, "architecture_{}.onnx", architectures.pooled, "mnist", 0.1, own_files=True,
          options=("--encoder-outputs", "output,22", "--decoder-output", "28",
                   "--encoder-pixels", f"{-MEAN / DEVIATION},{(1 - MEAN) / DEVIATION}"),
          normalised=(MEAN, DEVIATION), timed=True),
]
