"""Arguments that several sub-commands share, and what they become."""
