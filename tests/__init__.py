"""Tests of what the product promises. They run against real PostgreSQL, Valkey, ffmpeg and Chromium."""
