"""Weights on disk: catalogue, download, conversion, store. The only room that writes model files."""
