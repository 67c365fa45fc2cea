"""The flat arrays a scene is handed to the kernels in."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


class SceneArrays(NamedTuple):
    """A scene, ready to be traced; made by `Scene.arrays`.

    Attributes:
        prims: (P, 16) float64, the rows `intersect` describes.
        kinds: (P,) int64, BOX, CYLINDER or ELLIPSOID.
        casts_shadow: (P,) bool.
        prim_material: (P,) int64, row in `materials`.
        materials: (M, 20) float64, the columns `textures` describes.
        lights: (L, 16) float64, the columns `lighting` describes.
        nodes: (8, 2P - 1, 6) float64, boxes low xyz, high xyz; one order per ray octant.
        links: (8, 2P - 1, 2) int64, the node after this subtree; the primitive, or -1.
        ambient: (3,) float64 irradiance that comes from everywhere.
    """

    prims: Array
    kinds: Array
    casts_shadow: Array
    prim_material: Array
    materials: Array
    lights: Array
    nodes: Array
    links: Array
    ambient: Array


FLOAT = np.float64
INT = np.int64
