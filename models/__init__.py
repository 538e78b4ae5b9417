"""Neural networks: packs, ONNX Runtime sessions, pre- and post-processing, training, evaluation."""
