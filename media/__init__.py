"""Video files: probing, transcoding, frames, storage and signed addresses. This app does not know studies."""
