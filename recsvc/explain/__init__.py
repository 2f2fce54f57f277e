"""Explains why an item is in a list: finds the evidence for one page; `recsvc.reasons` puts it into words.

May be imported by `pipeline` and the rooms above it. Start at `explainer.py`; `evidence.py` lists the kinds.
"""
