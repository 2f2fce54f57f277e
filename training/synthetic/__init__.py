"""Shops made by a seed, for demos and tests: their true preferences are known.

Imports nothing else of training.
"""
