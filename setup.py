"""For tools that want a setup.py; everything is said in pyproject.toml.

colcon builds the package with CMakeLists.txt: its build type is ament_cmake.
"""

from setuptools import setup

setup()
