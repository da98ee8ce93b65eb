"""Run a program nobody has read, within limits. Knows nothing of models, documents, editors or benchmarks."""
