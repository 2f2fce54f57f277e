"""The two towers: one maps a history and a profile to a user vector, the other an item's text to an item vector.

Both vectors are concatenations of separately trained blocks; one inner product is the score. Losses, optimisers and
data are in `training`. May be imported by `recsvc.model`, the rooms above it and `training`.
"""
