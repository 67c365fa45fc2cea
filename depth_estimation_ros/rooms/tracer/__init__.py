"""The ray caster: scenes of primitives, light, textures (numba kernels)."""
