"""What a process needs to run: batched calls, periodic tasks, metrics and logs.

Every room above `recsvc.domain` may import it.
"""
