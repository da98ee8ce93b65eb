"""Fixtures of the models room."""

from model_sources import catalogue, hub, store, tiny_bytes, wheels

__all__ = ["catalogue", "hub", "store", "tiny_bytes", "wheels"]
