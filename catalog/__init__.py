"""What is judged: studies, memberships, prompts, videos, pairs and batches; import; transcoding."""
