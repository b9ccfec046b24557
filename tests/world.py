"""Studies with one person of each role, and the address of each endpoint in them."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from accounts.models import AccessToken
from accounts.tokens import issue_token
from annotation import serving
from calibration import preparing, turns
from calibration.models import CalibrationSession
from catalog.models import Batch, PairsChange
from charts.models import ChartFile
from consent import agreements
from controls.models import Control, ControlsRun
from figures.models import StudyFigures
from findings.models import Finding, FindingsRun
from importing.job_progress import bad_rows_file
from importing.models import Import
from media import names
from media.addresses import playback_url, poster_url
from qc import reviewing, verdicts
from qc.judging import Given
from qualification import attempts, sets
from qualification.models import Turn
from releases.filters import Filter
from removal.models import Removal
from safety import quarantine
from safety.models import Quarantine, ReporterRelease
from studies.models import Invitation
from studies.models.memberships import Role
from studies.pseudonyms import pseudonym
from suspensions import suspending
from suspensions.models import Pause, Suspension
from tests import factories
from tests.figures import figuring
from tests.qualification import world as qualified
from tests.releases import releasing
from tests.signed_in import session_key
from tests.training import registering, runs

pytestmark = pytest.mark.django_db

#: Endpoints about a submitted answer.
OF_AN_ANSWER = {"api:reopen", "api:revise"}
#: Endpoints about training runs: beginnings of their names.
OF_TRAINING = ("training:", "api:run", "api:training")
#: Signed for the person who asks.
OF_A_PERSON = {"media:playback", "media:poster"}


def endpoints(
    resolver: URLResolver, space: str = "", outer: frozenset[str] = frozenset()
) -> Iterator[tuple[str, set[str]]]:
    """Return every named address with its parameters, also those of the addresses that it is included below."""
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            inner = f"{space}{entry.namespace}:" if entry.namespace else space
            yield from endpoints(entry, inner, outer | set(entry.pattern.converters))
        elif isinstance(entry, URLPattern):
            assert entry.name, f"{entry.pattern} has no name, so no row can speak of it"
            yield f"{space}{entry.name}", outer | set(entry.pattern.converters)


@cache
def parameters() -> dict[str, set[str]]:
    """Return the parameters of each named address."""
    return dict(endpoints(get_resolver()))


class World:
    """A study with one person of each role, an assignment of its annotator, and a person of another study.

    `has` names what takes long to make and what many addresses lead to: "releases" or "qualification".
    """

    def __init__(self, has: str = "") -> None:
        self.study = factories.study()
        self.pair = factories.pair(self.study)
        factories.pairs(self.study, 3)
        self.people: dict[str, Any] = {role: factories.member(self.study, role) for role in Role.values}
        self.people["annotator"].memberships.update(made_account=True)
        self.people["another annotator"] = factories.member(self.study, "annotator")
        self.people["officer"] = factories.officer(self.study)
        self.people["superuser"] = factories.person(is_superuser=True)
        self.people["foreign"] = self._member_of_everything_elsewhere()
        self.people["anonymous"] = None
        self.sessions = {who: session_key(person) for who, person in self.people.items() if person}
        self.answered = factories.answer(self.people["annotator"], self.study)
        self.assignment = serving.lease(self.people["annotator"], self.study).current
        self.made: dict[str, Any] = {"": dict, "releases": self.released, "qualification": self.qualifying}[has]()

    def store_files(self) -> None:
        """Store the files of the pair, where the storage of this test is."""
        for name in (names.playback, names.poster):
            if not default_storage.exists(name(self.pair.video_0.asset.public_id)):
                default_storage.save(name(self.pair.video_0.asset.public_id), ContentFile(b"media"))

    def _member_of_everything_elsewhere(self) -> Any:
        elsewhere = factories.study()
        person = factories.member(elsewhere, "annotator")
        for role in set(Role.values) - {"annotator"}:
            person.memberships.create(study=elsewhere, role=role)
        return person

    def address(self, name: str, person: Any) -> str:
        asset, person_id = self.pair.video_0.asset.public_id, person.pk if person else 0
        if name == "media:playback":
            return playback_url(asset, person_id, None, 3600)
        if name == "media:poster":
            return poster_url(asset, person_id, None, 3600)
        needed = parameters()[name]
        assignment = self.answered if name in OF_AN_ANSWER else self.assignment
        values = {"slug": self.study.slug, "assignment_id": assignment.pk, "person_id": self.people["annotator"].pk}
        values |= {"prompt_id": self.pair.prompt.public_id, "video_id": self.pair.video_0.public_id}
        values |= {"pair_id": self.pair.public_id, "pair_key": self.pair.pk, "group": "protocol"}
        values |= {"name": self.people["annotator"].username, "role": "reviewer", "table": "decisions-by-week"}
        if "import_id" in needed:
            values |= self.collecting()
        if "removal_id" in needed:
            values["removal_id"] = self.removal().pk
        if "change_id" in needed:
            values["change_id"] = self.ordered().pk
        if "finding_id" in needed:
            values["finding_id"] = self.finding().pk
        if "suspension_id" in needed:
            values["suspension_id"] = self.suspended().pk
        if {"endpoint_id", "delivery_id"} & needed:
            values |= self.told()
        if "pause_id" in needed:
            values["pause_id"] = self.paused().pk
        if "run_id" in needed:
            made = runs.of_matrix(self, name) if name.startswith(OF_TRAINING) else None
            made = made or (self.controls_run() if "controls" in name else self.findings_run())
            values["run_id"] = made.pk
        if "rule_id" in needed:
            values["rule_id"] = runs.rule_of(self.study, self.people["researcher"]).pk
        if "control_id" in needed:
            values["control_id"] = self.control().pk
        if name.startswith(("charts:", "figures:a", "figures:c", "figures:f")):
            values |= self.computed()
        if "invitation_id" in needed:
            values["invitation_id"] = self.invited().pk
        if "token_id" in needed:
            issue_token(self.people["annotator"], scopes=["read"])
            values["token_id"] = AccessToken.objects.get(user=self.people["annotator"]).public_id
        values["notice_id"] = 1
        if "quarantine_id" in needed:
            values["quarantine_id"] = self.reported().pk
        if "code" in needed:
            self.reported()
            mine = self.people["annotator"].reporter
            facts = {"asked_by": self.people["officer"], "decision": "None was right.", "until": 1}
            ReporterRelease.objects.create(reporter=mine, **facts)
            values["code"] = mine.code
        if self.made:
            values |= self.made
        elif "calibrat" in name or "turn_id" in needed:
            values |= self.calibrated(name)
        elif {"review_id", "lot_id", "number", "item_id"} & needed:
            values |= self.reviewed(name)
        if "qualif" in name:
            values["kind"] = "training" if name.rpartition(":")[2] in ("begin", "work") else "test"
        if name == "api:qualifying_go_on":
            qualified.answer(Turn.objects.get(pk=values["turn_id"]), self.people["annotator"])
        if "officer_id" in needed:
            values["officer_id"] = self.people["officer"].appointments.get().pk
        return reverse(name, kwargs={key: values[key] for key in needed})

    def collecting(self) -> dict[str, str]:
        """Return an import that collected one file, and has a bad row from an earlier attempt."""
        job = Import.objects.create(study=self.study, source="upload", state="collecting", bad_rows=1)
        default_storage.save(bad_rows_file(job), ContentFile(b"{}\n"))
        upload = job.uploads.create(path="a.mp4", byte_size=1, received=1)
        return {"import_id": job.public_id, "upload_id": upload.public_id}

    def ordered(self) -> PairsChange:
        """Return a waiting change of the study's pairs."""
        facts = {"what": "overlap", "value": 2, "steps_total": 4, "until": self.pair.pk}
        return PairsChange.objects.create(study=self.study, asked_by=self.people["researcher"], **facts)

    def finding(self) -> Finding:
        """Return a finding about the answer of the annotator."""
        facts = {"annotation": self.answered.standing.current, "person": self.people["annotator"]}
        facts |= {"rule": "quick_none", "version": 1, "severity": "warning", "evidence": {"chosen_ms": 1}}
        return Finding.objects.create(study=self.study, assignment=self.answered, **facts)

    def findings_run(self) -> FindingsRun:
        """Return a waiting run of a rule."""
        facts = {"rules": ["one_side"], "until": self.answered.pk, "asked_by": self.people["researcher"]}
        return FindingsRun.objects.create(study=self.study, **facts)

    def controls_run(self) -> ControlsRun:
        """Return a waiting run that makes controls."""
        asked_by = self.people["researcher"]
        return ControlsRun.objects.create(study=self.study, kind="reencoded", steps_total=1, asked_by=asked_by)

    def control(self) -> Control:
        """Return a control of the pair."""
        pair = factories.pair(self.study, kind="control", expected={"answer": "video_0"}, repeats=self.pair)
        facts = {"kind": "consensus_repeat", "question": "helpfulness", "made_by": self.people["researcher"]}
        return Control.objects.create(study=self.study, pair=pair, **facts)

    def suspended(self) -> Suspension:
        """Return the suspension of the annotator, which has returned no answers."""
        person, actor = self.people["annotator"], self.people["researcher"]
        return suspending.suspend(person, self.study, suspending.Choice(), why="Random clicks.", actor=actor)

    def told(self) -> dict[str, int]:
        """Return an endpoint and a delivery to it that has ended."""
        endpoint = factories.endpoint(self.study)
        done = {"state": "done", "finished_at": timezone.now()}
        return {"endpoint_id": endpoint.pk, "delivery_id": factories.delivery(endpoint, **done).pk}

    def paused(self) -> Pause:
        """Return a pause of the annotator."""
        return factories.pause(self.study, self.people["annotator"])

    def computed(self) -> dict[str, Any]:
        """Return a waiting computation of figures, after both kinds were computed, and the annotator's code."""
        mine = self.people["annotator"]
        for kind in ("agreement", "annotators"):
            figuring.asked(self.study, kind)
        job = StudyFigures.objects.create(study=self.study, kind="agreement")
        done = {"state": "done", "finished_at": timezone.now(), "content": b"x"}
        drawn = ChartFile.objects.create(
            study=self.study, name="x", format="svg", digest="0" * 64, specification={}, **done
        )
        codes = {"author": pseudonym(self.study, mine.pk), "chart": "agreement"}
        return {"job_id": job.pk, "file_id": drawn.pk} | codes

    def released(self) -> dict[str, Any]:
        """Return the second of two complete releases of the annotator's answer."""
        releasing.make(self.study, filter=Filter(decisions=("none",)))
        made = releasing.make(self.study, filter=Filter(decisions=("none",)))
        version = registering.promoted(made, self.people["researcher"], number=made.number)
        return {
            "version_id": version.pk,
            "family_id": version.family_id,
            "release_id": made.pk,
            "number": made.number,
            "path": "pairs.jsonl",
            "pair_id": self.pair.public_id,
            "name": "tag-shares",
            "figure": "questions",
        }

    def removal(self) -> Removal:
        """Return an import of the study that is being undone."""
        facts = {"study_number": self.study.pk, "study_slug": self.study.slug, "study_title": self.study.title}
        return Removal.objects.create(what="import", import_number=1, **facts)

    def invited(self) -> Invitation:
        """Return an invitation of the annotator to another role. A researcher or admin of the study may withdraw it."""
        return Invitation.objects.create(study=self.study, person=self.people["annotator"], role="reviewer")

    def reviewed(self, name: str) -> dict[str, Any]:
        """Return a lot with the annotator's answer, reviewed by the reviewer. For an undo, it was submitted."""
        lot = factories.lot(self.study, self.answered.pair.batch, state="in_review", blind_share=0)
        item = factories.frame_item(lot, self.answered)
        reviewer = self.people["reviewer"]
        agreements.agree(reviewer, self.study, categories=self.study.categories, text="I agree.")
        if name == "api:lot_decision":
            Batch.objects.filter(study=self.study).update(state="in_review")
        if name == "api:lease_review" or "lot" in name:
            return {"lot_id": lot.pk, "number": lot.number}
        review = reviewing.lease(reviewer, lot, "secondary").reviews[0]
        given = [Given(review.pk, item.current_id, "aesthetics", "guideline_unclear", comment="Say more.")]
        if name in ("qc:reply", "api:review_undo"):
            verdicts.submit(review, reviewer, given)
        return {"review_id": review.pk, "item_id": item.pk, "number": lot.number, "kind": "secondary"}

    def calibrated(self, name: str) -> dict[str, Any]:
        """Return a calibration session with the turn of the reviewer. It is closed where its results are read."""
        actor, reviewer = self.people["admin"], self.people["reviewer"]
        session = preparing.make(self.study, "Tags", actor=actor)
        preparing.add(session, pairs=[self.pair.public_id], actor=actor)
        preparing.open_session(session, actor=actor)
        for role in ("reviewer", "researcher", "admin"):
            agreements.agree(self.people[role], self.study, categories=self.study.categories, text="I agree.")
        turn = turns.next_turn(reviewer, session).sitting
        assert turn is not None
        if name in ("calibration:calibration_csv", "api:calibration"):
            CalibrationSession.objects.update(state="closed", closed_at=timezone.now())
        return {"session_id": session.pk, "number": session.number, "turn_id": turn.pk}

    def qualifying(self) -> dict[str, Any]:
        """Return a draft of a test, and the turn of the annotator in a training. The study asks for qualification."""
        actor, mine = self.people["admin"], self.people["annotator"]
        qualified.asks_for_qualification(self.study, actor, training=1)
        draft = sets.make_draft(self.study, "test", actor=actor)
        turn = attempts.next_step(attempts.begin(mine, self.study, "training"), mine).turn
        assert turn is not None
        return {"set_id": draft.pk, "number": draft.number, "item_id": qualified.item(draft).pk, "turn_id": turn.pk}

    def reported(self) -> Quarantine:
        return quarantine.report(self.pair, ["video_0"], by=self.people["annotator"])[0]


class Worlds:
    """The world that each endpoint is tried in. Bodies name the first study, which is that of the ordinary world."""

    def __init__(self) -> None:
        self.made = {has: World(has) for has in ("", "releases", "qualification")}

    def of(self, name: str) -> World:
        """Return the world of an endpoint."""
        of_releases = name.startswith(("release", "models:", *OF_TRAINING))
        about_releases = of_releases or {"release_id", "version_id"} & parameters()[name]
        return self.made["releases" if about_releases else "qualification" if "qualif" in name else ""]


@pytest.fixture(scope="module")
def built(django_db_setup: None, django_db_blocker: Any) -> Iterator[Worlds]:
    """Return worlds for all tests of a module. Each test is rolled back to them, which is quicker than new ones."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield Worlds()
        transaction.set_rollback(True)


@pytest.fixture
def worlds(built: Worlds, db: None) -> Worlds:
    """Return the worlds, with their files in the storage of this test."""
    for world in built.made.values():
        world.store_files()
    return built
