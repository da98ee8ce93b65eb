"""Benchmarks of latency. Nothing on the serving path imports it."""
