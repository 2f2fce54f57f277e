"""What is put beside the service where it runs, and shown beside it."""
