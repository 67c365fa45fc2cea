"""The depth-estimation command: main.py finds the sub-commands, one file each."""
