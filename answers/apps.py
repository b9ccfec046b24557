"""The app `answers` adds its links, and what lists of pairs and batches show of answers, to lower apps."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AnswersConfig(AppConfig):
    name = "answers"

    def ready(self) -> None:
        from annotation.own_pages import own_pages
        from answers.pair_section import section
        from answers.pair_states import STATES, counts_of_batches
        from catalog.batching import answer_counts
        from catalog.library.filters import more_states
        from catalog.library.pair_sections import pair_sections
        from studies.links import Link, Place, register
        from studies.permissions import MAY_COUNT_WORK, MAY_SEE_ANSWERS

        own_pages["my_work"] = "answers:my_work"
        pair_sections["answers"] = section
        more_states.update(STATES)
        answer_counts["answers"] = counts_of_batches
        register(Place.LIBRARY, Link("answers", _("Answers"), "answers:list", MAY_SEE_ANSWERS, order=10))
        for place, page in ((Place.PEOPLE, "people_progress"), (Place.PERSON, "person_progress")):
            name = _("Progress and active time")
            register(place, Link("progress", name, f"answers:{page}", MAY_COUNT_WORK, order=10))
