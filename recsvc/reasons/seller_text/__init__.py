"""Untrusted text from sellers: cleans names for use in a sentence, and finds words that must not be shown.

May be imported by the rest of `recsvc.reasons`, and by `training`.
"""
