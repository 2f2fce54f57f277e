"""The state of one user: history, profile, taste and the user vector, cached by record version.

May be imported by `explain` and the rooms above it.
"""
