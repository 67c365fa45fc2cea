"""The package's version: pyproject.toml reads it here, package.xml says the same."""

from __future__ import annotations

__all__ = ['VERSION']

VERSION = '0.1.0'
