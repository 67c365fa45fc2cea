"""Programs that run a model file: onnxruntime, openvino, tensorrt. Loaded by name when asked."""
