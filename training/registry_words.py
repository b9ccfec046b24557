"""Model versions in words: what they were trained on, their figures, and why they have their state."""

from collections.abc import Mapping
from typing import Any

from django.utils import formats
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from answers.words import QUESTIONS
from studies.harms import HARMS
from studies.templatetags.shares import in_words
from training.kinds import Kind
from training.models import ModelFamily, ModelVersion
from training.promotion import ANY_HARM, FEWEST_CLUSTERS, FEWEST_CLUSTERS_OF_TAG

Decision = ModelVersion.Decision
#: Figures that have the human figures beside them, the most telling first.
MAIN = ("agreement_no_ties", "agreement", "mean_average_precision")
HUMAN, CEILING = "human_agreement", "ceiling"
FIGURES: dict[str, str | Promise] = {
    "agreement": gettext_lazy("Agreement with people"),
    "agreement_no_ties": gettext_lazy("Agreement with people, without ties"),
    "agreement_best_threshold": gettext_lazy("Agreement with people, at the best threshold for ties"),
    "calibration_error": gettext_lazy("Calibration error"),
    "log_likelihood": gettext_lazy("Log-likelihood of an answer"),
    "average_precision": gettext_lazy("Average precision"),
    "mean_average_precision": gettext_lazy("Mean average precision over tags"),
    "mcc": gettext_lazy("Matthews correlation (MCC)"),
    HUMAN: gettext_lazy("Agreement of two people"),
    CEILING: gettext_lazy("Bounds of the best possible agreement"),
}
#: Figures that are no shares.
PLAIN = {"log_likelihood", "mcc", "average_precision", "mean_average_precision", "calibration_error"}
CODES = {harm.code: harm for harm in HARMS}


def family(of: ModelFamily) -> str:
    """Return what a family was trained on, such as “More helpful, Safer”."""
    if of.kind == Kind.MODERATION:
        return _("Moderation: harm tags")
    return ", ".join(str(QUESTIONS[target]) for target in of.targets)


def target(key: str) -> str:
    """Return a target of a metric in words."""
    return str(QUESTIONS.get(key, _("Moderation") if key == Kind.MODERATION else key))


def tag(code: str) -> str:
    """Return a harm tag in words, from its code."""
    if code == ANY_HARM:
        return _("Any harm")
    return f"{code} {CODES[code].label}" if code in CODES else code


def number(figure: str, value: float | None) -> str:
    """Return the value of a figure in words, a share in percent."""
    if value is None:
        return "–"
    return in_words(value, "number" if figure in PLAIN else "share")


def signed(difference: float) -> str:
    """Return a difference of shares in percentage points, with its sign and without the unit."""
    return str(formats.number_format(f"{difference * 100:+z.1f}"))


def points(difference: float) -> str:
    """Return a difference of shares in percentage points, with its sign."""
    return _("%(n)s points") % {"n": signed(difference)}


def main_figure(version: ModelVersion, of_target: str | None = None) -> Mapping[str, Any] | None:
    """Return the figure on the test part that says most about a version; None if no such figure is defined."""
    metrics = version.run.metrics or []
    wanted = of_target or (version.family.targets[0] if version.family.targets else Kind.MODERATION)
    for name in MAIN:
        for one in metrics:
            if (
                one["figure"] == name
                and one.get("target") == wanted
                and not one.get("tag")
                and one.get("value") is not None
            ):
                return dict(one)
    return None


def metric(version: ModelVersion, figure: str, of_target: str) -> Mapping[str, Any] | None:
    """Return one figure of a version for a target, or None."""
    found = (one for one in version.run.metrics or [] if one["figure"] == figure and one.get("target") == of_target)
    return next(found, None)


def why(version: ModelVersion) -> str:
    """Return why a version has its state, from its comparison, or the reason that a person gave."""
    if version.state == ModelVersion.State.CANDIDATE:
        from training import registry_waiting  # it needs the API, which is not there while apps register their charts

        return registry_waiting.waits_for(version)
    if version.decided_by_id:
        return version.reason
    if version.decision == Decision.NOT_DECIDABLE:
        return _not_decidable(version)
    if version.low is None or version.high is None:
        return _(version.reason)
    about = {"low": signed(version.low), "high": points(version.high), "n": version.clusters}
    about |= {"against": version.against.number if version.against else ""}
    compared = str(_SENTENCES[bool(version.against), version.decision] % about)
    was_promoted = version.decision in {Decision.FIRST, Decision.BETTER}
    if version.state == ModelVersion.State.KEPT and was_promoted:
        return f"{_(version.reason)} {compared}"
    return compared


def _not_decidable(version: ModelVersion) -> str:
    if version.family.kind == Kind.MODERATION and not version.clusters:
        sentence = _(
            "Not decidable: no tag has test answers with and without it in at least %(n)s clusters of prompts."
        )
        return sentence % {"n": FEWEST_CLUSTERS_OF_TAG}
    return _("Not decidable: %(n)s of %(least)s clusters of test prompts.") % {
        "n": version.clusters,
        "least": FEWEST_CLUSTERS,
    }


#: By whether there was a promoted version, and by decision.
_SENTENCES: dict[tuple[bool, str], Any] = {
    (False, "first"): gettext_lazy("It is %(low)s to %(high)s above chance, over %(n)s clusters of test prompts."),
    (False, "worse"): gettext_lazy("It is below chance: %(low)s to %(high)s, over %(n)s clusters of test prompts."),
    (False, "undecided"): gettext_lazy(
        "It may be no better than chance: %(low)s to %(high)s, over %(n)s clusters of test prompts."
    ),
    (True, "better"): gettext_lazy(
        "It is better than version %(against)s by %(low)s to %(high)s, over %(n)s clusters."
    ),
    (True, "not_worse"): gettext_lazy(
        "It is not shown to be better than version %(against)s, but it is not worse by half a point: %(low)s to "
        "%(high)s, over %(n)s clusters. A person may promote it."
    ),
    (True, "worse"): gettext_lazy("It is worse than version %(against)s: %(low)s to %(high)s, over %(n)s clusters."),
    (True, "undecided"): gettext_lazy(
        "It may be better or worse than version %(against)s: %(low)s to %(high)s, over %(n)s clusters."
    ),
}
