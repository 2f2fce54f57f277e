"""Finds and scores candidates: vector search, lexical search, inventory and the scorers of the surfaces.

May be imported by `users`' neighbours above: `explain`, `pipeline`, `registry`. Knows no user.
"""
