"""Reads and keeps the state of users: history, profile, taste, repeat bonus and the user vector.

May be imported by `explain` and the rooms above it.
"""
