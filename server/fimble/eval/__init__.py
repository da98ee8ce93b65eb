"""Benchmarks of quality. Nothing on the serving path imports it."""
