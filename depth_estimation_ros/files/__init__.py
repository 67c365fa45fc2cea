"""Files read and written: images, clouds, parameters; whole or not at all."""
