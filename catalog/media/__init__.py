"""Video files: what they are, the renditions that people watch, and the addresses they are watched at."""
