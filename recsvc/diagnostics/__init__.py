"""The commands for people who debug: `recsvc inspect`, `recsvc explain` and `recsvc doctor`.

Only the command line may import it.
"""
