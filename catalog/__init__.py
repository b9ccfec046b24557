"""What is judged: prompts, videos, pairs and batches."""
