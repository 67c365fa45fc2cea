"""What the node says about itself: why there is no depth, or worse depth than could be."""
