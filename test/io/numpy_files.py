"""Writes numpy_files.json: files as NumPy writes them, and what they hold. Run in this folder; made with NumPy 2.4.6."""
import base64
import io
import json

import numpy as np
from numpy.lib import format as npy


def text(data):
    return base64.b64encode(data).decode()


def saved(array, version=None):
    file = io.BytesIO()
    npy.write_array(file, array, version=version)
    return text(file.getvalue())


def archived(save, **arrays):
    file = io.BytesIO()
    save(file, **arrays)
    return text(file.getvalue())


values = [0, 1, 2, 100, 3, 127]
cases = []
for code in ["f8", "f4", "f2", "i8", "i4", "i2", "i1", "u8", "u4", "u2", "u1"]:
    for order in "<>":
        array = np.array(values).astype(order + code).reshape(2, 3)
        cases.append({"name": order + code, "file": saved(array), "values": array.tolist()})
array = np.array([[True, False], [False, True]])
cases.append({"name": "b1", "file": saved(array), "values": array.tolist()})
for version in [(1, 0), (2, 0), (3, 0)]:
    array = np.array([1.5, -2], "<f4")
    cases.append({"name": f"version {version[0]}", "file": saved(array, version), "values": array.tolist()})
cube = np.arange(24, dtype="<i4").reshape(2, 3, 4)
cases.append({"name": "fortran order", "file": saved(np.asfortranarray(cube)), "values": cube.tolist()})
big = np.asfortranarray(cube.astype(">f8"))
cases.append({"name": "fortran order, big-endian", "file": saved(big), "values": cube.tolist()})
cases.append({"name": "scalar", "file": saved(np.array(7.0, "<f8")), "values": 7})
cases.append({"name": "empty", "file": saved(np.zeros((0, 3), "<f4")), "values": []})
halves = np.array([65504, 2**-24, -(2**-14), 1 / 3], "<f2")
cases.append({"name": "halves", "file": saved(halves), "values": halves.astype("f8").tolist()})

own = []
for dtype, name in [("<f4", "float32"), ("<f8", "float64"), ("<i4", "int32"), ("<u4", "uint32"), ("|u1", "uint8"), ("|b1", "bool")]:
    for shape in [(), (4,), (2, 2), (2, 1, 2)]:
        array = (np.arange(np.prod(shape, dtype=int)) % 2).astype(dtype).reshape(shape)
        own.append({"dtype": name, "shape": list(shape), "file": saved(array)})

arrays = {"x": np.array([[1, 2], [3, 4]], "<f4"), "labels": np.array([5, 6], "<i8"), "on": np.array(True)}
archives = {"stored": archived(np.savez, **arrays), "compressed": archived(np.savez_compressed, **arrays)}

with open("numpy_files.json", "w") as file:
    json.dump({"read": cases, "written": own, "archives": archives}, file, indent=2)
    file.write("\n")
