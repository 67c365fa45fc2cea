"""Depth that is compared with a known distance or another sensor."""
