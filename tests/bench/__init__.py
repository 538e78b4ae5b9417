"""Benchmarks, run by `gatehouse bench`. Figures of one run are compared only with others of that run."""
