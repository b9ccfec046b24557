"""The settings of a study, grouped as on the pages. No other module lists them.

The fields of `Study` define their types and defaults.
"""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

DAY = 24 * 3600
#: The longest duration that makes sense. A PositiveIntegerField could store more.
YEAR = 365 * DAY


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its field, its label and a description.

    `seconds` are the limits of a duration, `share` is the upper limit of a fraction and `least_share` its lower
    limit, and `zero` is the meaning of 0.
    `of_protocol`: a new value is a new version of the protocol (rule 9 of the protocol).
    """

    name: str
    label: Promise
    about: Promise
    seconds: tuple[int, int] | None = None
    share: float | None = None
    least_share: float = 0.0
    zero: Promise | str = ""
    long: bool = False
    of_protocol: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Settings that are shown on one page."""

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
                _(
                    "Annotators can answer “tie” instead of left or right. Files in the SafeSora format never "
                    "contain ties."
                ),
                of_protocol=True,
            ),
            Setting(
                "tag_format",
                _("Harm tags"),
                _(
                    "Yes or no for each tag takes longer but misses less. Otherwise people stop looking after "
                    "the tag that fits best."
                ),
                of_protocol=True,
            ),
            Setting(
                "dimension_order",
                _("Which dimension comes first"),
                _("Counterbalancing evens out the effect of the first judgement on the second."),
                long=True,
                of_protocol=True,
            ),
            Setting(
                "second_look",
                _("Second look"),
                _(
                    "Annotators see contradictory answers, and some others, once more before they are final. Final "
                    "answers then have fewer contradictions than people really made. The first answers are kept."
                ),
                of_protocol=True,
            ),
            Setting(
                "require_seen_through",
                _("Both videos watched to the end"),
                _(
                    "An answer is accepted only after both videos were watched to the end, without blur and at "
                    "1× speed or slower."
                ),
                of_protocol=True,
            ),
            Setting(
                "comments",
                _("Comments"),
                _(
                    "Annotators can write a comment on each pair. Comments can contain personal data, and they are "
                    "exported word for word."
                ),
            ),
            Setting(
                "reminders",
                _("Reminder to take time"),
                _(
                    "Shown after 20 pairs in a row that were answered faster than the longer video plays, or "
                    "with both overall answers on the same side. The reminder mentions no answer and blocks "
                    "nothing. It is recorded with the answer."
                ),
                of_protocol=True,
            ),
            Setting(
                "show_video_text",
                _("Show the text that the generator was given"),
                _("Shown only if it differs from the prompt. Otherwise people see only the prompt."),
                of_protocol=True,
            ),
            Setting(
                "reopen_s",
                _("Answers can be changed for"),
                _("How long annotators can change an answer after submitting it. The first answer is kept. 0: never."),
                seconds=(0, YEAR),
                zero=_("never"),
            ),
            Setting(
                "share_feedback",
                _("Share feedback"),
                _("Annotators see the review of their answers."),
            ),
        ),
    ),
    Group(
        "serving",
        _("Serving"),
        _("Who gets pairs, and how long a pair is reserved for one person."),
        (
            Setting(
                "lease_s",
                _("Reservation time for the current pair"),
                _("After this time, somebody else may get the pair. A later answer counts if nobody has taken it."),
                seconds=(30, DAY),
            ),
            Setting(
                "next_lease_s",
                _("Reservation time for the next pair"),
                _("The next pair is loaded in advance and not shown yet."),
                seconds=(30, DAY),
            ),
            Setting(
                "media_window_s",
                _("Validity of video addresses"),
                _(
                    "An address is valid for one to two times this long. Shorter is safer. Longer lets browsers "
                    "reuse what they have loaded."
                ),
                seconds=(60, DAY),
            ),
            Setting(
                "control_rate",
                _("Control pairs"),
                _(
                    "At most this share of a person’s pairs are controls with a known answer, if the study has any. "
                    "Name controls in your consent text with a link: [controls](#controls)."
                ),
                share=0.05,
                zero=_("none"),
            ),
            Setting(
                "hold_after_skips",
                _("Skips before a pair is held"),
                _(
                    "Number of skips as “technical problem” or “cannot judge” after which a pair is held. A "
                    "researcher must then check it."
                ),
            ),
            Setting(
                "share_cap",
                _("Largest share of one person"),
                _(
                    "Share of the study’s answers that one person may give. Somebody who has given more gets "
                    "pairs again when others have answered more. The first 50 pairs of each person are always "
                    "allowed. 100 %: no limit."
                ),
                share=1.0,
                least_share=0.01,
            ),
            Setting(
                "qualification_required",
                _("Qualified people only"),
                _("Pairs are assigned only to people who have qualified."),
            ),
            Setting(
                "qualification_pass_share",
                _("Pass mark of the test"),
                _("Share of the judged answers that have to be as expected. A person who has begun keeps their mark."),
                share=1.0,
                least_share=0.5,
            ),
            Setting(
                "qualification_attempts",
                _("Attempts at the test"),
                _("Number of attempts that a person has at one version of the test."),
            ),
            Setting(
                "qualification_wait_s",
                _("Time between two attempts"),
                _("How long a person waits before they can try the test again."),
                seconds=(0, YEAR),
                zero=_("none"),
            ),
        ),
    ),
    Group(
        "sampling",
        _("Sampling"),
        _(
            "How many answers each new pair needs, and what is drawn when material is imported. Material "
            "that is already imported stays as it is."
        ),
        (
            Setting(
                "overlap",
                _("Answers per pair"),
                _("Number of answers wanted for each new pair. For pairs that are already imported, see Batches."),
            ),
            Setting(
                "sample_share",
                _("Random sample"),
                _(
                    "Share of new pairs, drawn at random, that more people answer. Agreement is measured on "
                    "these pairs."
                ),
                share=1.0,
                zero=_("none"),
            ),
            Setting(
                "sample_overlap",
                _("Answers per pair of the random sample"),
                _("Number of answers wanted for each pair of the random sample."),
            ),
            Setting(
                "test_share",
                _("Prompts reserved for testing"),
                _(
                    "Share of new prompts that are used to test models and never to train them. Near-duplicates "
                    "stay together."
                ),
                share=0.5,
                zero=_("none"),
            ),
            Setting(
                "seed",
                _("Seed"),
                _("Start value of every random draw of the study. The same seed and material give the same draws."),
            ),
        ),
    ),
    Group(
        "quality",
        _("Quality"),
        _(
            "How the answers of a lot are reviewed, and when a lot is good enough. A review that has started keeps "
            "the values it started with."
        ),
        (
            Setting(
                "secondary_share",
                _("Secondary review"),
                _("Share of a lot’s answers that the secondary review checks. After a return, it checks all of them."),
                share=1.0,
                zero=_("none"),
            ),
            Setting(
                "blind_share",
                _("Blind secondary review"),
                _(
                    "Share of the secondary review, drawn at random, in which reviewers give their own answer before "
                    "they see the annotator’s."
                ),
                share=1.0,
                zero=_("none"),
            ),
            Setting(
                "spot_share",
                _("Spot check"),
                _("At least this share of a lot is spot-checked. Small lots need more."),
                share=1.0,
                zero=_("only what the risks need"),
            ),
            Setting(
                "aql",
                _("Good lot (AQL)"),
                _("A lot with at most this share of defects is good and should be accepted."),
                share=0.5,
            ),
            Setting(
                "ltpd",
                _("Bad lot (LTPD)"),
                _("A lot with at least this share of defects is bad and should be returned."),
                share=1.0,
                least_share=0.001,
            ),
            Setting(
                "alpha",
                _("Risk for the annotators"),
                _("The highest acceptable probability that a good lot is returned."),
                share=0.5,
                least_share=0.001,
            ),
            Setting(
                "beta",
                _("Risk for the data"),
                _(
                    "The highest acceptable probability that a bad lot is accepted. A smaller risk needs a larger "
                    "spot check."
                ),
                share=0.5,
                least_share=0.001,
            ),
            Setting(
                "more_answers",
                _("Extra answers when answers disagree"),
                _(
                    "If a pair has all its answers and they disagree, one more person is asked, and then another, "
                    "up to this many. One more person is also asked about each disputed answer of a returned lot. "
                    "0: none."
                ),
                zero=_("none"),
            ),
            Setting(
                "more_for_helpfulness",
                _("Disagreement about helpfulness"),
                _(
                    "One more answer is asked for if no choice has more than half of the answers to the overall "
                    "question."
                ),
            ),
            Setting(
                "more_for_harmlessness",
                _("Disagreement about harmlessness"),
                _(
                    "One more answer is asked for if no choice has more than half of the answers to the overall "
                    "question."
                ),
            ),
            Setting(
                "more_for_safety",
                _("Disagreement about safe or unsafe"),
                _(
                    "One more answer is asked for if the answers are split evenly on whether a video has any harm "
                    "tag. Which tags they are does not matter."
                ),
            ),
        ),
    ),
    Group(
        "protection",
        _("Protection"),
        _("How people are protected from harmful content. The harms that they agree to see are under Consent."),
        (
            Setting(
                "media_filter",
                _("How videos are shown"),
                _("Applies until a video is revealed, unless the person chose otherwise."),
            ),
            Setting(
                "daily_dose_s",
                _("Possibly harmful video per day"),
                _(
                    "How much a person may see per day. After that, they get only harmless pairs until the next "
                    "day. 0: no limit."
                ),
                seconds=(0, DAY),
                zero=_("no limit"),
            ),
            Setting(
                "harmless_after",
                _("Possibly harmful pairs before a harmless one"),
                _("Number of possibly harmful pairs in a row after which a harmless one is served. 0: never."),
                zero=_("never"),
            ),
            Setting(
                "break_after_s",
                _("A break is due after"),
                _("Active work before a paid break is due. 0: never."),
                seconds=(0, DAY),
                zero=_("never"),
            ),
            Setting(
                "break_s", _("Length of the break"), _("No pairs are served during the break."), seconds=(0, 2 * 3600)
            ),
            Setting(
                "help_contact",
                _("Contact for help"),
                _("A person or a service, and how to reach them. Annotators see it wherever help is offered."),
                long=True,
            ),
        ),
    ),
    Group(
        "about",
        _("About"),
        _("For your ethics board and for the data card of every release."),
        (
            Setting("title", _("Title"), _("The name of the study."), long=True),
            Setting(
                "ethics_id", _("Ethics approval"), _("The ethics board and the number of its decision."), long=True
            ),
            Setting(
                "pay_basis",
                _("Pay"),
                _("What people are paid per hour or per pair, and whether breaks are paid."),
                long=True,
            ),
            Setting(
                "vendor", _("Employer of the annotators"), _("Who employs the annotators, if it is not you."), long=True
            ),
            Setting("terms", _("Terms"), _("Terms under which answers are collected and passed on."), long=True),
        ),
    ),
)
BY_KEY = {group.key: group for group in GROUPS}
GROUP_OF = {setting.name: group for group in GROUPS for setting in group.settings}
SETTINGS = {setting.name: setting for group in GROUPS for setting in group.settings}
OF_PROTOCOL = frozenset(name for name, setting in SETTINGS.items() if setting.of_protocol)
