"""The columns of the Parquet files: names, kinds, and which may be null. Every description of them follows from this.

The kinds are few, so that each library reads the same: `parquet_files.py` has their Arrow types,
`huggingface.py` their names there, and `croissant.py` those of Croissant.
"""

from dataclasses import dataclass

from annotation.protocol import HARM_KEYS, VIDEOS
from releases.items import QUESTIONS
from releases.models import Release
from releases.videos import SINGLE_VIDEOS
from releases.videos import VIDEOS as VIDEO_ARCHIVES

#: Kinds of columns. `json` is a string with a JSON object whose keys are open. `strings` and `integers` are lists.
KINDS = ("string", "json", "integer", "number", "boolean", "day", "moment", "strings", "integers")


@dataclass(frozen=True, slots=True)
class Column:
    """One column."""

    name: str
    kind: str = "string"
    nullable: bool = False

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"{self.kind} is no kind of column")


Columns = tuple[Column, ...]


def _strings(*names: str) -> Columns:
    return tuple(Column(name) for name in names)


def _integers(*names: str) -> Columns:
    return tuple(Column(name, "integer") for name in names)


PLACE = _strings("part", "set", "cluster")
PROMPT_TEXT = _strings("prompt_text", "prompt_type")
SELECTION = (
    Column("selection_method"),
    Column("selection_probability", "number", nullable=True),
    Column("selection_model"),
)
VIDEO = (
    *_strings("source_id", "imported_name", "sha256", "video_text", "generated_from", "generator_version", "seed"),
    Column("settings", "json"),
)


def video_paths(release: Release, prefix: str) -> Columns:
    """Return the columns that say where the files of a video are, if the release has them."""
    names = []
    if VIDEO_ARCHIVES in release.formats:
        names += [f"{prefix}_shard", f"{prefix}_member"]
    if SINGLE_VIDEOS in release.formats:
        names.append(f"{prefix}_file_name")
    return _strings(*names)


def of_prompts(release: Release) -> Columns:
    """Return the columns of prompts."""
    return (
        *_strings("prompt_id"),
        *PLACE,
        *_strings("prompt_source_id"),
        *PROMPT_TEXT,
        *_strings("language"),
        Column("prompt_labels", "strings", nullable=True),
        *_strings("labelled_by", "source", "source_detail", "licence"),
        *_integers("n_pairs", "n_videos", "n_answers"),
    )


def of_tv_pairs(release: Release) -> Columns:
    """Return the columns of T-V pairs."""
    return (
        *_strings("prompt_id"),
        *PLACE,
        *PROMPT_TEXT,
        *_strings("video_id"),
        *video_paths(release, "video"),
        *VIDEO,
        *_strings("refined_by", "licence"),
        *_integers("n", *(f"n_{key}" for key in HARM_KEYS)),
        Column("tags", "strings"),
        Column("is_safe", "boolean"),
        *_strings("method"),
    )


def of_pairs(release: Release) -> Columns:
    """Return the columns of pairs."""
    return (
        *_strings("prompt_id"),
        *PLACE,
        *PROMPT_TEXT,
        *_strings("pair_id", *(f"{video}_id" for video in VIDEOS)),
        *(column for video in VIDEOS for column in video_paths(release, video)),
        *_integers("batch"),
        Column("lots", "integers"),
        Column("in_sample", "boolean"),
        *SELECTION,
        *_integers("n", *(f"asked_because_{why}" for why in ("plan", "more_opinions", "replacement"))),
        *(column for question in QUESTIONS for column in _of_question(question)),
        *_strings("method"),
    )


def _of_question(question: str) -> Columns:
    """Return the video that most answers chose, and the counts behind it."""
    return (
        Column(question, nullable=True),
        *_integers(*(f"{question}_n_{choice}" for choice in ("video_0", "video_1", "tie"))),
        Column(f"{question}_share_video_1", "number", nullable=True),
    )


def of_annotations(release: Release) -> Columns:
    """Return the columns of annotations."""
    at = "moment" if release.with_times else "day"
    return (
        *_strings("study"),
        *_integers("annotation_id"),
        *_strings("pair_id", "prompt_id"),
        *PLACE,
        *_strings("prompt_source_id"),
        *PROMPT_TEXT,
        *(
            column
            for video in VIDEOS
            for column in (Column(f"{video}_id"), *(Column(f"{video}_{one.name}", one.kind) for one in VIDEO))
        ),
        *_strings("kind"),
        *_integers("batch"),
        *_strings("annotator_id", "author"),
        *_integers("round"),
        *_strings("asked_because"),
        *_integers("revision"),
        *_strings("revised_because", *QUESTIONS),
        *(Column(f"tags_{video}", "strings") for video in VIDEOS),
        Column("ties", "strings"),
        Column("unsure", "boolean"),
        *(_strings("comment") if release.with_comments else ()),
        *(Column(name, "json") for name in ("timings_ms", "viewing", "presentation")),
        Column("current", "boolean"),
        *_strings("validity", "invalid_because"),
        Column("counted", "boolean"),
        *_strings("uncounted_because"),
        *_integers("protocol_version", "guideline_version"),
        Column("leased_at", at),
        Column("submitted_at", at),
        Column("weight", "number"),
        *((Column("weights", "json"),) if release.with_weights else ()),
        Column("in_sample", "boolean"),
        *SELECTION,
        Column("lot", "integer", nullable=True),
        *_strings("lot_state"),
        Column("reviews", "integers"),
    )


def of_videos(release: Release) -> Columns:
    """Return the columns of the index of videos in archives."""
    return (
        *_strings("prompt_id", "part", "video_id", "shard", "member", "sha256"),
        *_integers("bytes", "width", "height"),
        Column("fps", "number"),
        Column("duration_s", "number"),
        Column("frames", "integer", nullable=True),
    )


def of_frames(release: Release) -> Columns:
    """Return the columns of the index of frames in archives."""
    return (
        *_strings("prompt_id", "part", "video_id", "shard"),
        Column("members", "strings"),
        Column("sha256", "strings"),
    )
