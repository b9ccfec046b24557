"""Forms of qualification: what is expected on a pair."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _

from annotation.models.own_answers import PREFERENCES, TAGS
from annotation.protocol import HARMS, LONGEST_COMMENT, TIE, VIDEOS
from answers.row_words import question_of
from qualification.models import ExpectedAnswer, SetItem
from qualification.sets import Expected
from studies.models import Study


class ExpectedForm(forms.Form):
    """What is expected on a pair: for each row whether it is judged, the answers, and an explanation.

    Video 0 is named so, as in the library: the form does not know which side a person sees it on.
    """

    def __init__(self, data: Any, *, study: Study, item: SetItem) -> None:
        super().__init__(data, label_suffix="")
        known = {one.row: one for one in ExpectedAnswer.objects.filter(item=item)}
        self.ties = study.allow_ties
        for row in (*PREFERENCES, *TAGS):
            self._add(row, known.get(row))

    def _add(self, row: str, known: ExpectedAnswer | None) -> None:
        self.fields[f"judged_{row}"] = forms.BooleanField(required=False, initial=known is not None)
        is_tags = row in TAGS
        choices = [(harm.key, harm.label) for harm in HARMS] if is_tags else self._choices()
        accepted = forms.MultipleChoiceField(choices=choices, required=False, widget=forms.CheckboxSelectMultiple)
        accepted.initial = known.accepted if known else []
        self.fields[f"accepted_{row}"] = accepted
        if is_tags:
            optional = forms.MultipleChoiceField(choices=choices, required=False, widget=forms.CheckboxSelectMultiple)
            optional.initial = known.optional if known else []
            self.fields[f"optional_{row}"] = optional
        self.fields[f"explanation_{row}"] = forms.CharField(
            required=False,
            max_length=LONGEST_COMMENT,
            initial=known.explanation if known else "",
            widget=forms.Textarea(attrs={"rows": 2, "dir": "auto"}),
        )

    def _choices(self) -> list[tuple[str, str]]:
        named = [(video, _("video %(n)s") % {"n": number}) for number, video in enumerate(VIDEOS)]
        return [*named, *([(TIE, _("tie"))] if self.ties else [])]

    def rows(self) -> list[dict[str, Any]]:
        """Return each row with its fields, for the template."""
        return [
            {
                "row": row,
                "question": self._question(row),
                "judged": self[f"judged_{row}"],
                "accepted": self[f"accepted_{row}"],
                "optional": self[f"optional_{row}"] if row in TAGS else None,
                "explanation": self[f"explanation_{row}"],
            }
            for row in (*PREFERENCES[:5], *TAGS, "harmlessness")
        ]

    @staticmethod
    def _question(row: str) -> str:
        if row in TAGS:
            return _("Tags of video %(n)s") % {"n": row[-1]}
        return question_of(row, VIDEOS[0])

    def expected(self) -> list[Expected]:
        """Return what is expected. Call it on a valid form."""
        given = self.cleaned_data
        return [
            Expected(
                row,
                tuple(given[f"accepted_{row}"]),
                tuple(given.get(f"optional_{row}", ())),
                given[f"explanation_{row}"],
            )
            for row in (*PREFERENCES, *TAGS)
            if given[f"judged_{row}"]
        ]
