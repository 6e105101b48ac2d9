# tools/compare-records: what it must find between two files of records, and what it must let pass.
import gzip
import pathlib
import subprocess
import sys
import tempfile

TOOL = pathlib.Path(__file__).parent.parent / "tools" / "compare-records"
HEAD = "cell,metric,value,stderr,n,gradients,seconds\n"
ROWS = ["a,agreement,0.5,0.1,10,0,1\n", "a,mse255,nan,nan,10,0,1\n", "b,agreement,1,0,10,40,2\n"]


def check(name, old, new, code, *words, options=()):
    with tempfile.TemporaryDirectory() as folder:
        files = [pathlib.Path(folder) / "old.csv", pathlib.Path(folder) / "new.csv.gz"]
        files[0].write_text(old)
        files[1].write_bytes(gzip.compress(new.encode()))
        done = subprocess.run([sys.executable, TOOL, *map(str, files), *options], capture_output=True, text=True)
    output = done.stdout + done.stderr
    if done.returncode != code or any(word not in output for word in words):
        sys.exit(f"{name}: expected code {code} and {words}, got {done.returncode}\n{output}")


WHOLE = HEAD + "".join(ROWS)
check("another order and other seconds", WHOLE, HEAD + "".join(reversed(ROWS)).replace(",1\n", ",7\n"), 0, "all agree")
check("another value", WHOLE, WHOLE.replace("0.5", "0.6"), 1, "agreement", "0.167")
check("within the tolerance", WHOLE, WHOLE.replace("0.5", "0.6"), 0, options=("--tolerance", "0.2"))
check("a number for none", WHOLE, WHOLE.replace("nan,nan", "3,nan"), 1, "mse255", "inf")
check("a missing row", WHOLE, HEAD + ROWS[0] + ROWS[1], 1, "gone")
check("other gradients", WHOLE, WHOLE.replace(",40,", ",41,"), 1, "agreement")
check("other columns", WHOLE, WHOLE.replace("cell,", "kind,"), 2, "columns differ")
