"""What is left for people: the page of a run, the card of a model."""
