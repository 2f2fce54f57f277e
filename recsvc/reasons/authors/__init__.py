"""Language models that write patterns for reasons ahead of any request."""
