"""NYU Depth v2: its files, as the authors and others hand them out."""
