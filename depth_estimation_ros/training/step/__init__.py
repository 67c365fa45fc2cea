"""One step of training: what it draws, changes, compares and moves."""
