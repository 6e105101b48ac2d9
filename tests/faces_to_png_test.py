# tools/faces-to-png: pictures that are what the files hold, and one clear error for each file that it cannot read.
import os
import pathlib
import pickle
import subprocess
import sys
import tempfile

import numpy
from PIL import Image
from scipy.io import savemat

TOOL = pathlib.Path(__file__).parent.parent / "tools" / "faces-to-png"
FREY = numpy.random.default_rng(1).integers(0, 256, (3, 560), numpy.uint8)
OLIVETTI = numpy.random.default_rng(2).integers(0, 256, (4096, 2)).astype(float)


class Intruder:
    """What runs a command where it is read without care."""

    def __reduce__(self):
        return os.system, ("echo intruded",)


def run(name, write, words, suffix=".pkl", code=1, out="faces"):
    """The pictures that the tool makes of a file, as arrays; its output must have all words."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / ("file" + suffix)
        write(path)
        target = pathlib.Path(folder) / out
        done = subprocess.run([sys.executable, TOOL, path, target], capture_output=True, text=True)
        output = done.stdout + done.stderr
        wrong = [word for word in words if word not in output]
        if done.returncode != code or wrong or "Traceback" in output or output.startswith("intruded"):
            sys.exit(f"{name}: expected code {code} and {words}, got {done.returncode}\n{output}")
        return [numpy.asarray(Image.open(file)) for file in sorted(target.glob("*.png"))]


def pickled(thing):
    return lambda path: path.write_bytes(pickle.dumps(thing, 2))


def matrices(**named):
    return lambda path: savemat(path, named)


def expect_equal(name, pictures, faces):
    if len(pictures) != len(faces) or any((a != b).any() for a, b in zip(pictures, faces)):
        sys.exit(f"{name}: the pictures are not the faces of the file")


DONE = ["3 pictures of 28 x 20 pixels"]
expect_equal("an array", run("an array", pickled(FREY), DONE, code=0), FREY.reshape(3, 28, 20))
expect_equal("a list", run("a list", pickled([FREY]), DONE, code=0), FREY.reshape(3, 28, 20))
pictures = run("a matrix", matrices(faces=OLIVETTI), ["2 pictures of 64 x 64 pixels"], ".mat", 0)
expect_equal("a matrix", pictures, [OLIVETTI[:, i].reshape((64, 64), order="F") for i in range(2)])

run("other extents", pickled(FREY[:, :500]), ["bytes (uint8) [.., 560]", "found uint8 [3, 500]"])
run("other numbers", pickled(FREY / 255.0), ["bytes (uint8)", "found float64 [3, 560] from"])
run("no array", pickled({"faces": 1}), ["found a dict"])
run("no face", pickled([]), ["at least one face"])
run("a program", pickled(Intruder()), ["must be a pickle of an array", "system"])
run("no pickle", lambda path: path.write_text("faces"), ["must be a pickle of an array"])
run("no matrix", matrices(pictures=OLIVETTI), ["must have a matrix called 'faces', found: pictures"], ".mat")
run("other rows", matrices(faces=OLIVETTI.T), ["4096 x N", "[2, 4096]"], ".mat")
run("other levels", matrices(faces=OLIVETTI / 255.0), ["from 0 to 255", "float64 [4096, 2] from"], ".mat")
run("no MATLAB file", lambda path: path.write_text("faces"), ["must be a MATLAB file"], ".mat")
run("another ending", lambda path: path.write_text("faces"), ["must end with .pkl or .mat"], ".png")
run("a missing file", lambda path: None, ["there is no file"])
run("a folder in use", pickled(FREY), ["must be an empty folder or not exist yet"], out=".")
