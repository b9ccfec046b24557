"""The library: lists and pages of a study's prompts, videos and pairs."""
