"""Programs that measure what the product claims: `python -m benchmarks.NAME`."""
