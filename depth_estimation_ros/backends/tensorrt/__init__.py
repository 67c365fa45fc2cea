"""TensorRT: the backend, the build of engines and their cache."""
