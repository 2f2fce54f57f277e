"""A small example shop that calls the service as any shop's own server would, through `recsvc.v1` alone."""
