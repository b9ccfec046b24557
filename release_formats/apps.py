"""The app `release_formats` adds its formats to releases, and what the SafeSora files leave out to the page of each."""

from django.apps import AppConfig


class ReleaseFormatsConfig(AppConfig):
    name = "release_formats"

    def ready(self) -> None:
        from release_formats import archives, croissant, huggingface, jsonl, left_out, parquet, safesora, videoreward
        from releases.formats import register
        from releases.page_parts import sections

        register(jsonl.FORMAT, safesora.FORMAT, videoreward.FORMAT, huggingface.FORMAT, croissant.FORMAT)
        register(parquet.FORMAT, archives.FRAMES, archives.VIDEOS, archives.SINGLE_VIDEOS)
        sections["left_out_of_safesora"] = left_out.section
