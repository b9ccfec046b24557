"""Identical re-encodes: a video beside its own re-encoding.

Both show the same, so they need the same tags, and a tie where the study allows ties. The copy is a video of the same
prompt, derived from the first one, and it is prepared like every other video.
"""

import random
from dataclasses import dataclass

from django.core.files.storage import default_storage
from django.utils.translation import gettext as _

from accounts.models import User
from catalog.models import Video
from controls.control_kinds import REENCODED
from controls.models import Control
from controls.writing import NewControl, write
from diptych.database.fixed import fetch_all
from diptych.refusals import Refused
from jobs import engine
from media import names, transcoding
from media.hashing import sha256_of
from media.models import Asset, new_public_id
from media.originals import Fingerprint, keep, original_name
from media.reencode import reencode
from media.scratch import scratch
from media.stored_files import trouble_of_storage
from studies.models import Study

#: Prepared videos that are in a real pair and not re-encoded yet. A derived video is never derived again.
CANDIDATES = """
SELECT video.id FROM catalog_video video JOIN media_asset asset ON asset.id = video.asset_id
 WHERE video.study_id = %(study)s AND asset.state = 'done' AND asset.quarantined_at IS NULL
   AND video.derived_from_id IS NULL
   AND EXISTS (SELECT FROM catalog_pair pair
                WHERE video.id IN (pair.video_0_id, pair.video_1_id) AND pair.kind = 'real' AND pair.held = '')
   AND NOT EXISTS (SELECT FROM controls_control control WHERE control.source_video_id = video.id)
"""
POSSIBLE = f"SELECT count(*) FROM ({CANDIDATES} LIMIT %(most)s) candidate"  # noqa: S608 - of a statement of ours
CHOSEN = f"{CANDIDATES} ORDER BY random() LIMIT 1"


def possible(study: Study, most: int) -> int:
    """Return how many more of these controls are possible now, counted up to `most`."""
    return int(fetch_all(POSSIBLE, {"study": study.pk, "most": most})[0][0])


def chosen(study: Study) -> Video | None:
    """Return a video to re-encode, drawn at random, or None if there is none."""
    rows = fetch_all(CHOSEN, {"study": study.pk})
    return Video.objects.select_related("asset").get(pk=rows[0][0]) if rows else None


@dataclass(frozen=True, slots=True)
class Copy:
    """A re-encoded file in storage, and the video that it was made from."""

    source: Video
    mark: Fingerprint


def stored_copy(source: Video) -> Copy:
    """Re-encode the video's playback file and put the result into storage. Takes seconds.

    Call it within `media.originals.keeping`, so that nobody deletes the file before a row names it. Raise OSError, and
    what `reencode` raises.
    """
    with scratch() as folder:
        before, after = folder / "before.mp4", folder / "after.mp4"
        with trouble_of_storage(), default_storage.open(names.playback(source.asset.public_id)) as stored:
            before.write_bytes(stored.read())
        reencode(before, after)
        with after.open("rb") as file:
            mark = Fingerprint(sha256_of(file), after.stat().st_size)
        with trouble_of_storage(), after.open("rb") as file:
            keep(file, mark)
    return Copy(source, mark)


def write_copy(study: Study, copy: Copy, *, actor: User) -> Control:
    """Write the asset, the video and the control of a stored copy. Call it in a transaction.

    The pair is served once the media worker has prepared the copy. Raise IntegrityError if the video has a control,
    and Refused if it was quarantined meanwhile.
    """
    # A report locks the asset too. So it comes before, and nothing is written, or it finds the copy.
    if Asset.objects.select_for_update(no_key=True).get(pk=copy.source.asset_id).quarantined_at is not None:
        raise Refused(_("The video was reported while it was re-encoded. No control was made of it."), "quarantined")
    asset, is_new = Asset.objects.get_or_create(
        sha256=copy.mark.sha256,
        defaults={"byte_size": copy.mark.size, "original": original_name(copy.mark.sha256)},
    )
    source = copy.source
    derived = Video.objects.create(
        study=study,
        prompt_id=source.prompt_id,
        asset=asset,
        public_id=new_public_id(),
        video_text=source.video_text,
        refined_by=source.refined_by,
        generator=source.generator,
        generator_version=source.generator_version,
        seed=source.seed,
        settings=source.settings,
        licence=source.licence,
        may_show=source.may_show,
        derived_from=source,
    )
    if is_new:
        engine.announce(transcoding.POLICY, asset.pk)
    videos = [source.pk, derived.pk]
    random.shuffle(videos)
    control = NewControl(
        REENCODED,
        source.prompt_id,
        (videos[0], videos[1]),
        {"tie": study.allow_ties},
        source_video=source.pk,
        ready=asset.state == Asset.State.DONE,
    )
    return write(study, [control], actor=actor)[0]
