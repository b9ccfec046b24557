"""Background jobs: rows that wait for a worker, and the engine that claims, retries and ends them."""
