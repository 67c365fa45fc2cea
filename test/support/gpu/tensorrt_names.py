"""Prints, as JSON, what the bindings of one version of TensorRT offer: class -> attributes."""

from __future__ import annotations

import json
import sys

from fake_tensorrt import FakeTensorRt
import tensorrt

module: object = tensorrt
assert isinstance(module, FakeTensorRt)
offered = {
    name: sorted(attribute for attribute in dir(kind) if not attribute.startswith('_'))
    for name, kind in vars(module.real).items()
    if isinstance(kind, type)
}
json.dump(offered, sys.stdout)
