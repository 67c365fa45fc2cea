"""Seeded synthetic rooms: images with exact depth, from a ray caster on analytic primitives."""
