"""The state of one server process: bundles, items, text patterns and switches, kept up to date with Redis.

`service`, `server` and `diagnostics` may import it.
"""
