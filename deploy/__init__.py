"""Programs that run beside the service and call it. They may import the public stubs, `recsvc.v1`, and nothing else."""
