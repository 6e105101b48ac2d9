# Reads a safetensors file by the format's description alone and prints each tensor's name, shape and sum.
import json
import struct
import sys

import numpy

TYPES = {"F32": numpy.float32, "F64": numpy.float64, "I64": numpy.int64}

with open(sys.argv[1], "rb") as file:
    content = file.read()
(length,) = struct.unpack("<Q", content[:8])
header = json.loads(content[8 : 8 + length])
data = content[8 + length :]
metadata = header.pop("__metadata__")
print("format", metadata["format"])
for name in sorted(header):
    entry = header[name]
    begin, end = entry["data_offsets"]
    values = numpy.frombuffer(data[begin:end], dtype=TYPES[entry["dtype"]]).reshape(entry["shape"])
    print(name, list(values.shape), "%.6g" % values.sum(dtype=numpy.float64))
