"""Looking through a study's prompts, videos and pairs."""
