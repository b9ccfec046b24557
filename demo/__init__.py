"""The study that `make demo` shows."""
