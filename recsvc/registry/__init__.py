"""What this process has loaded, kept up to date with Redis: bundles, catalogue, patterns, switches, erasures.

May be imported by `service`, `server` and `reason_worker`.
"""
