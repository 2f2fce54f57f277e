"""The two towers: a history and a profile to a user vector, an item's text to an item vector.

Both are concatenations of separately trained blocks, compared by one inner product. Modules and arrays only: losses,
optimisers and data live in `training`.
"""
