"""Answers one request, stage by stage: plans the query, scores, builds the slate, explains it.

May be imported by `registry`, `wire` and `service`. Start at `recommender.py`.
"""
