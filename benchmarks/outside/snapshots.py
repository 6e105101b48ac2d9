# Files of repositories that were cloned into one folder, and the tensors in them.
import io
import pathlib
import subprocess
import sys

import torch


class Snapshots:
    """Bare or ordinary clones at FOLDER/OWNER+NAME, or at FOLDER/OWNER+NAME/repo. Only single files are read, so that
    clones may lack others."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)

    def clone(self, repository):
        place = self.folder / repository.replace("/", "+")
        return place / "repo" if (place / "repo").is_dir() else place

    def read(self, repository, path):
        shown = subprocess.run(["git", "-C", self.clone(repository), "show", f"HEAD:{path}"], capture_output=True)
        if shown.returncode != 0:
            raise FileNotFoundError(f"{self.clone(repository)} must be a clone of {repository} with {path}: "
                                    f"{shown.stderr.decode().strip()}")
        return shown.stdout

    def commit(self, repository):
        command = ["git", "-C", self.clone(repository), "rev-parse", "HEAD"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    def state(self, repository, path, classes=()):
        """Tensors by name, of a state dictionary; or, with the names of the classes that its script defined, of a whole
        pickled module. The latter may run any code of the file, the former cannot."""
        file = io.BytesIO(self.read(repository, path))
        if not classes:
            return dict(torch.load(file, map_location="cpu", weights_only=True))
        for name in classes:  # empty modules hold their parameters all the same
            setattr(sys.modules["__main__"], name, type(name, (torch.nn.Module,), {}))
        return torch.load(file, map_location="cpu").state_dict()
