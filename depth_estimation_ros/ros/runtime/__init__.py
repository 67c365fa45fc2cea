"""Executors, signals, logs, memory and lifecycle of the executables."""
