"""Evaluations that need edge and hub together: they compose both from outside, as the demonstration does."""
