"""Makes shops from a seed, for demos and tests. Their true preferences are known.

Imports nothing else of training.
"""
