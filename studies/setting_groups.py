"""The settings of a study, in the groups in which people think of them. Nothing else lists them.

What each one is stored as, and its default, are on `Study`.
"""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

DAY = 24 * 3600
#: The longest that is worth saying: a PositiveIntegerField holds more.
YEAR = 365 * DAY


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its field, its name and what it does for a person.

    `seconds` are the least and the most of a duration, `share` the most of a fraction, `zero` what 0 means.
    `of_protocol`: another value is another protocol (rule 9 of the protocol).
    """

    name: str
    label: Promise
    about: Promise
    seconds: tuple[int, int] | None = None
    share: float | None = None
    zero: Promise | str = ""
    long: bool = False
    of_protocol: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Settings that are decided together."""

    key: str
    title: Promise
    about: Promise
    settings: tuple[Setting, ...]

    @property
    def names(self) -> list[str]:
        return [setting.name for setting in self.settings]


GROUPS = (
    Group(
        "protocol",
        _("Protocol"),
        _("How the questions are asked, and what may be done with an answer afterwards."),
        (
            Setting(
                "allow_ties",
                _("Ties"),
                _("Offers “tie” beside left and right. A tie never enters a file in the SafeSora format."),
                of_protocol=True,
            ),
            Setting(
                "tag_format",
                _("Harm tags"),
                _("Yes or no for each tag takes longer and misses less: people stop looking after the best fit."),
                of_protocol=True,
            ),
            Setting(
                "dimension_order",
                _("Which dimension comes first"),
                _("Counterbalanced evens out what the first judgement does to the second."),
                long=True,
                of_protocol=True,
            ),
            Setting(
                "second_look",
                _("Second look"),
                _(
                    "Contradictory answers, and some others, are shown once more before they are final. It hides the "
                    "noise it measures; first answers are kept."
                ),
                of_protocol=True,
            ),
            Setting(
                "require_seen_through",
                _("Both videos seen through"),
                _("An answer is taken only when both videos were watched: to their end, unblurred, at most at 1×."),
                of_protocol=True,
            ),
            Setting(
                "comments",
                _("Comments"),
                _(
                    "Annotators can write a comment on each pair. Comments are exported word for word, so they can "
                    "contain personal data."
                ),
            ),
            Setting(
                "reminders",
                _("Reminder to take time"),
                _(
                    "Shown after 20 pairs in a row that were answered faster than the longer video plays, or with both "
                    "overall answers on the same side. It names no answer and blocks nothing. Each reminder is "
                    "recorded with the answer."
                ),
                of_protocol=True,
            ),
            Setting(
                "show_video_text",
                _("Show what the generator was given"),
                _("Where it differs from the prompt. Otherwise people see the prompt alone."),
                of_protocol=True,
            ),
            Setting(
                "reopen_s",
                _("Answers stay open for"),
                _("So long an annotator may change what they submitted; the first answer is kept. 0: never."),
                seconds=(0, YEAR),
                zero=_("never"),
            ),
            Setting(
                "share_feedback",
                _("Share feedback"),
                _("Annotators see what review said of their answers."),
            ),
        ),
    ),
    Group(
        "serving",
        _("Serving"),
        _("Who is given a pair, and for how long it is theirs."),
        (
            Setting(
                "lease_s",
                _("A shown pair stays theirs for"),
                _("After that somebody else may get it. An answer that comes later still counts if its place is free."),
                seconds=(30, DAY),
            ),
            Setting(
                "next_lease_s",
                _("The pair behind it stays theirs for"),
                _("It is loaded ahead and not yet shown."),
                seconds=(30, DAY),
            ),
            Setting(
                "media_window_s",
                _("A video’s address is valid for"),
                _("One to two times this. Shorter is safer; longer lets browsers keep what they have loaded."),
                seconds=(60, DAY),
            ),
            Setting(
                "control_rate",
                _("Control pairs"),
                _("Share of a person’s pairs that are controls with a known answer, where the study has any."),
                share=0.5,
                zero=_("none"),
            ),
            Setting(
                "hold_after_skips",
                _("Hold a pair after"),
                _("So many skips as “technical problem” or “cannot judge”; a researcher must then look at it."),
            ),
            Setting(
                "qualification_required",
                _("Qualified people only"),
                _("Pairs are given only to people who have qualified."),
            ),
        ),
    ),
    Group(
        "sampling",
        _("Sampling"),
        _("How many answers new pairs want, and what is drawn when material is imported. What is in stays as it is."),
        (
            Setting("overlap", _("Answers a pair"), _("Wanted for a new pair. For pairs that are in: see Batches.")),
            Setting(
                "sample_share",
                _("Random sample"),
                _("Share of new pairs, drawn at random, that more people answer: agreement is measured on these."),
                share=1.0,
                zero=_("none"),
            ),
            Setting("sample_overlap", _("Answers a pair of the sample"), _("Wanted for each pair of the sample.")),
            Setting(
                "test_share",
                _("Prompts kept for testing"),
                _("Share of new prompts on which models are tested and never trained, near-duplicates together."),
                share=0.5,
                zero=_("none"),
            ),
            Setting(
                "seed",
                _("Seed"),
                _("What every draw of the study starts from. The same seed and material give the same draws."),
            ),
        ),
    ),
    Group(
        "protection",
        _("Protection"),
        _("What stands between people and what may harm them. What they agree to see is under Consent."),
        (
            Setting(
                "media_filter",
                _("Videos appear"),
                _("Until they are revealed, unless the person chose otherwise for themselves."),
            ),
            Setting(
                "daily_dose_s",
                _("Possibly harmful video a day"),
                _("So much a person may see; after that they get harmless pairs until tomorrow. 0: no cap."),
                seconds=(0, DAY),
                zero=_("no cap"),
            ),
            Setting(
                "harmless_after",
                _("A harmless pair after"),
                _("So many possibly harmful pairs in a row. 0: never."),
                zero=_("never"),
            ),
            Setting(
                "break_after_s",
                _("A break is due after"),
                _("So much active work. It is paid. 0: never."),
                seconds=(0, DAY),
                zero=_("never"),
            ),
            Setting("break_s", _("A break lasts"), _("For so long no pair is given."), seconds=(0, 2 * 3600)),
            Setting(
                "help_contact",
                _("Whom to turn to"),
                _("A person or a service, and how to reach them. Annotators see it wherever help is offered."),
                long=True,
            ),
        ),
    ),
    Group(
        "about",
        _("About"),
        _("What an ethics board and a data card ask for. It goes with every release."),
        (
            Setting("title", _("Title"), _("What everybody calls the study."), long=True),
            Setting("ethics_id", _("Ethics approval"), _("The board and the number of its decision."), long=True),
            Setting(
                "pay_basis",
                _("Pay"),
                _("What people are paid, by the hour or the pair, and whether breaks are."),
                long=True,
            ),
            Setting("vendor", _("Employer of the annotators"), _("Who engages them, if it is not you."), long=True),
            Setting("terms", _("Terms"), _("Under which terms answers are collected and passed on."), long=True),
        ),
    ),
)
BY_KEY = {group.key: group for group in GROUPS}
GROUP_OF = {setting.name: group for group in GROUPS for setting in group.settings}
SETTINGS = {setting.name: setting for group in GROUPS for setting in group.settings}
OF_PROTOCOL = frozenset(name for name, setting in SETTINGS.items() if setting.of_protocol)
