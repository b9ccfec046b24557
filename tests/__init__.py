"""What the product promises, each promise tried on real PostgreSQL, Valkey, ffmpeg and Chromium."""
