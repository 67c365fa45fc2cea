"""Data sets by name and by kind, and how they are fetched."""
