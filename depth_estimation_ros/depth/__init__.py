"""Depth as arrays: images, their size and edges, clouds, measures."""
