"""The package's version; the same as in pyproject.toml and package.xml."""

from __future__ import annotations

__all__ = ['VERSION']

VERSION = '0.1.0'
