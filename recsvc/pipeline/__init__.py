"""One request, stage by stage: plan the query, score, build the slate, explain it.

May be imported by `registry`, `wire` and `service`. Start at `recommender.py`.
"""
