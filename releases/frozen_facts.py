"""What the card states and items do not: copied with the items, because all of it can change later."""

from collections.abc import Iterable
from typing import Any

from diptych.statistics.rates import Shares
from qc import quality
from releases import demographics, review_rows
from releases.licences import Material
from releases.models import Release, ReleaseItem

#: Settings of the study that say how answers were collected.
SETTINGS = (
    "is_simulated",
    *("ethics_id", "pay_basis", "vendor", "allow_ties", "tag_format", "dimension_order", "second_look"),
    *("show_video_text", "overlap", "sample_share", "sample_overlap", "test_share", "qualification_required"),
    *("secondary_share", "spot_share", "aql", "ltpd", "media_filter", "daily_dose_s", "categories", "consent_version"),
)


def of_release(release: Release, material: Iterable[Material]) -> dict[str, Any]:
    """Return what the card needs of the study, of its people, of the lots, and of the licences of the material."""
    study = release.study
    study.refresh_from_db(fields=list(SETTINGS))
    items = ReleaseItem.objects.filter(release=release, lot__isnull=False).order_by()
    pooled = quality.of_study(study).pooled
    return {
        "settings": {name: getattr(study, name) for name in SETTINGS},
        "demographics": demographics.of_release(release),
        "lots": review_rows.lot_facts(study, items.values_list("lot", flat=True).distinct()),
        "pooled": {
            "lots": pooled.lots,
            "answers": pooled.answers,
            "after": _shares(pooled.after),
            "released": _shares(pooled.released),
        },
        "licences": [one.as_json() for one in material],
    }


def _shares(shares: Shares | None) -> dict[str, float | None] | None:
    return {"share": shares.estimate, "low": shares.low, "high": shares.high} if shares else None
