"""fimble: one local code-model backend for every editor. Nothing is imported here, so that a shim starts at once."""

__version__ = "0.1.0"
