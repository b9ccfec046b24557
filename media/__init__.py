"""Bytes: probing, transcoding, frames, storage and signed addresses. Knows no study."""
