"""Finds and scores candidates: vector search, lexical search, inventory, and the scorers of the surfaces.

May be imported by `explain`, `pipeline` and the rooms above them. It knows no user.
"""
