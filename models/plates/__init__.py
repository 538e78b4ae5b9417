"""Licence plates: find them with four corners, rectify, read, decode under the grammar, evaluate."""
