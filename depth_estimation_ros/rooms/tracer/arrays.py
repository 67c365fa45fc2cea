"""The flat arrays a scene is handed to the kernels in."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy.typing as npt

Array = npt.NDArray[Any]


class SceneArrays(NamedTuple):
    """A scene, ready to be traced; made by `Scene.arrays`. Few arrays, as each costs a call time.

    Attributes:
        prims: (P, 19) float64: the 16 columns `intersect` describes, kind, casts shadow, material.
        materials: (M, 20) float64, the columns `textures` describes.
        lights: (1 + L, 16) float64, the columns `lighting` describes; row 0 holds the ambient
            irradiance in its first three columns.
        nodes: (8, 2P - 1, 8) float64, one order per ray octant: box low xyz, high xyz, the node
            after this subtree, the primitive or -1.
    """

    prims: Array
    materials: Array
    lights: Array
    nodes: Array


KIND_COLUMN, SHADOW_COLUMN, MATERIAL_COLUMN = 16, 17, 18
NEXT_COLUMN, PRIM_COLUMN = 6, 7
