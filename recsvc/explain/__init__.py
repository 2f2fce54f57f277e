"""Why an item is in a list: evidence for one page, put into words by `recsvc.reasons`.

May be imported by `pipeline` and the rooms above it.
"""
