"""What a model file says of itself, and where the shipped ones are."""
