"""A small shop to look at: it calls the service as any shop's own server would, through `recsvc.v1` alone."""
