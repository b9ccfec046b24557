"""Why a video cannot be prepared: a code with values, put into words in the language of the person who reads it.

`Asset.reason` holds one of these as JSON, such as `{"code": "too_many_streams", "values": {"streams": 71, "most": 64},
"english": "The file has 71 streams. The limit is 64."}`. Programs read `code` or `english`. Trouble that the
operating system reports, such as a full disk, is stored as its own text and has no code.
"""

import json
from collections.abc import Mapping
from typing import Any

from django.db.models import CharField, Func
from django.utils.translation import gettext, override
from django.utils.translation import gettext_noop as _

from diptych import durations
from diptych.numbers import grouped

#: The first characters of a stored reason. `json.dumps` writes them in this order.
BEGINS = '{"code": '

#: Every reason, by its code. Values in seconds have a name that ends in `_s`.
SENTENCES = {
    # Limits
    "took_too_long": _("Reading the file took longer than %(limit)s seconds."),
    "result_too_large": _("A file that is made from this video would be larger than %(most)s GiB."),
    "over_a_thousand_streams": _("The file has more than a thousand streams."),
    "too_much_memory": _("The file needs more than %(most)s GiB of memory to be decoded, or is damaged."),
    "too_many_streams": _("The file has %(streams)s streams. The limit is %(most)s."),
    "too_many_frames": _("The file states %(fps)s frames per second. The limit is %(most)s."),
    "too_long": _("The video is longer than %(longest_s)s, which is the limit. Shorten it."),
    "picture_too_large": _(
        "The picture is %(width)s × %(height)s pixels. The limit is %(most)s pixels, such as 8192 × 4320. "
        "Make the picture smaller."
    ),
    "picture_too_small": _("The picture is too small to show (%(width)s × %(height)s pixels)."),
    # Files that are not videos, or not accepted
    "empty": _("The file is empty."),
    "other_content": _("The file %(what)s."),
    "sound_only": _("The file has sound only (%(format)s). Send the video itself."),
    "still_picture": _("The file is a still picture and not a video. Send it as %(accepted)s."),
    "still_picture_of_format": _("The file is a still picture (%(format)s) and not a video. Send it as %(accepted)s."),
    "format_not_accepted": _("The file is %(format)s, which is not accepted. %(advice)s."),
    "webp_without_motion": _("The file is a WebP without moving pictures. Send a video."),
    "webp_unreadable": _("The file is an animated WebP that ffmpeg cannot read (%(complaint)s). It may be damaged."),
    "unreadable": _("The file is not a video that ffmpeg can read (%(complaint)s). It may be incomplete or damaged."),
    "no_video_stream": _("The file has no video stream."),
    "encrypted": _("The video is encrypted (DRM). Send it without encryption."),
    # Videos that cannot be decoded
    "no_picture": _("The file's video stream has no picture that ffmpeg can decode. It may be damaged."),
    "codec_not_decodable": _(
        "The picture is in %(codec)s, which the ffmpeg of this server cannot decode. The file itself may be fine. "
        "Ask the operator of this installation for an ffmpeg that decodes %(codec)s (the setting FFMPEG), then "
        "prepare the video "
        "again. Or send the video in another format, such as H.264 in MP4."
    ),
    "feature_not_decodable": _(
        "The video uses something that ffmpeg cannot decode (%(feature)s). The file itself may be fine. Send it in "
        "another format, such as H.264 in MP4."
    ),
    "cut_off": _("The video is cut off: the end of the file is missing. Copy or download it again."),
    "damaged": _("The video is damaged or cannot be decoded (%(complaint)s)."),
    "incomplete": _("The video is damaged or incomplete (%(complaint)s)."),
    "breaks_off": _(
        "The video breaks off: its header promises %(promised)s s of picture, but only %(decoded)s s can be decoded."
    ),
    "frames_differ": _("The video's frames cannot be counted: two readings gave different frames."),
    "frames_not_countable": _("The video's frames cannot be counted (%(one)s or %(other)s)."),
    # Work that came to no end
    "ended_by_signal": _("%(program)s was ended by signal %(signal)s"),
    "asked_to_stop": _("%(program)s was asked to stop"),
    "no_thread": _("%(program)s could not start a thread: memory or processes are short"),
    "tried_in_vain": _("Preparing this video failed %(attempts)s times. The last error: %(trouble)s."),
    "begun_in_vain": _("Preparing this video was started %(attempts)s times and never finished."),
    # Parts of other reasons: names of formats, and advice
    "accepted_formats": _("MP4, MOV, MKV, WebM, AVI, GIF, APNG, animated WebP or AVIF"),
    "raw_stream": _("a raw %(codec)s stream without a container"),
    "format_of_ffmpeg": _("of the format that ffmpeg calls %(name)s"),
    "send_as": _("Send it as %(accepted)s"),
    "repack": _("Put it into another container, for example with: ffmpeg -i video.%(old)s -c copy video.%(new)s"),
    "repack_with_rate": _(
        "It does not state its frame rate. Put it into MP4 with the rate that it has, for example with: "
        "ffmpeg -framerate 24 -i video.%(old)s -c copy video.mp4"
    ),
    # Parts of “other_content”: they go on after “The file”, or after the name of the file
    "is_zeros": _("begins with zeros only and is no video. Its download or copy did not finish. Copy it again"),
    "is_git_lfs": _(
        "is a Git LFS pointer and not the video itself. Run “git lfs pull” where it comes from, and import it again"
    ),
    "is_git_annex": _(
        "is a git-annex pointer and not the video itself. Run “git annex get” where it comes from, and import it again"
    ),
    "is_web_page": _(
        "is a web page (HTML) and not a video. The server sent a page instead, such as a sign-in or an error. "
        "Download the video itself"
    ),
    "is_encrypted": _("is encrypted. Decrypt it, and import it again"),
    "is_scrambled": _("is encrypted (a scrambled MPEG transport stream). Decrypt it, and import it again"),
    "is_archive": _("is an archive and not a video. Unpack it, and import what is in it"),
    "is_tar": _("is a tar archive and not a video. Unpack it, and import what is in it"),
    "is_pdf": _("is a PDF document and not a video. Send the video itself"),
    "is_numpy": _("is a NumPy array and not a video. Write its pictures as a video, such as MP4"),
    "is_y4m": _(
        "is YUV4MPEG2 (.y4m), which is not accepted. Encode it, for example with: "
        "ffmpeg -i video.y4m -c:v libx264 -crf 10 video.mp4"
    ),
    "is_hls": _("is an HLS playlist and not a video. Download the video that it names, and send that as one file"),
    "is_ffconcat": _("is a list of files for ffmpeg and not a video. Send the video itself"),
    "is_xml": _("is an XML document and not a video: a playlist, a drawing or a server's error. Send the video itself"),
    "is_json": _("is JSON text and not a video, such as a server's error. Download the video itself"),
    "is_text": _("is text and not a video. Send the video itself"),
}


def reason(code: str, **values: Any) -> dict[str, Any]:
    """Return a reason. A value is a text, a number, or another reason, which becomes a part of the sentence."""
    return {"code": code, "values": values}


def stored(code: str, **values: Any) -> str:
    """Return a reason as `Asset.reason` holds it."""
    found = reason(code, **values)
    return json.dumps(found | {"english": in_english(found)}, ensure_ascii=False)


def code_of(found: str) -> str:
    """Return the code of a stored reason, or an empty text if it has none."""
    return str(json.loads(found)["code"]) if found.startswith(BEGINS) else ""


def in_words(found: str | Mapping[str, Any]) -> str:
    """Return a reason, or a stored one, as a sentence in the present language. A text without a code stays as it is."""
    if isinstance(found, str) and not found.startswith(BEGINS):
        return gettext(found) if found else ""
    parts: Mapping[str, Any] = json.loads(found) if isinstance(found, str) else found
    code = parts["code"]
    if code not in SENTENCES:  # stored by another release
        return str(parts.get("english", code))
    values = {name: _value_in_words(name, value) for name, value in parts["values"].items()}
    return gettext(SENTENCES[code]) % values


def in_english(found: str | Mapping[str, Any]) -> str:
    """Return a reason as a sentence in English, whatever the present language is."""
    with override("en"):
        return in_words(found)


def _value_in_words(name: str, value: Any) -> str:
    if isinstance(value, Mapping) or (isinstance(value, str) and value.startswith(BEGINS)):
        return in_words(value)
    if name.endswith("_s"):
        return durations.in_words(value)
    return grouped(value) if isinstance(value, int) else str(value)


class FilledIn(str):
    """The code of a reason whose values `jobs.engine` fills in with `%`. The result is a stored reason."""

    __slots__ = ()

    def __mod__(self, values: Any) -> str:
        return stored(str(self), **values)


class Code(Func):
    """The code of a column of stored reasons; empty for other texts."""

    template = "CASE WHEN starts_with(%(expressions)s, '{\"code\": ') THEN %(expressions)s::json->>'code' ELSE '' END"
    output_field = CharField()


class InEnglish(Func):
    """The English sentence of a column of stored reasons; other texts as they are."""

    template = (
        "CASE WHEN starts_with(%(expressions)s, '{\"code\": ') THEN %(expressions)s::json->>'english' "
        "ELSE %(expressions)s END"
    )
    output_field = CharField()
