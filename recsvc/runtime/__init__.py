"""What a process runs on: batched calls, periodic tasks, metrics and logs.

Any room above `recsvc.domain` may import it.
"""
