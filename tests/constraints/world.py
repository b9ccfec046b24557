"""One row of everything, for the tables of attempts to break a constraint."""

import uuid
from datetime import UTC, datetime, timedelta
from functools import cached_property

from django.utils import timezone

from accounts.models import Consent, SentForm
from annotation import serving
from annotation.models import Annotation, Break, Dose, Exposure, Seat, SecondLook
from annotation.protocol import SUB_DIMENSION_KEYS
from answers.models import AnsweredSum
from calibration.models import CalibrationAnswer, CalibrationItem, CalibrationSession, CalibrationSitting
from catalog.models import HoldChange, Label, PairsChange, Provenance
from charts.models import ChartFile
from controls.models import Control, ControlResult, ControlsRun
from figures.models import StudyFigures
from findings.models import Finding, FindingsRun
from importing.models import Import, ReadFile, Upload
from qc.models import (
    AskedForMore,
    AssignedReview,
    FrameItem,
    LotDecision,
    Review,
    ReviewAnswer,
    ReviewExposure,
    SecondBlind,
    SecondOpinion,
    Verdict,
)
from releases.models import (
    Release,
    ReleaseFamily,
    ReleaseFile,
    ReleaseItem,
    ReleaseLabel,
    ReleasePrompt,
    ReleaseVideo,
    Tombstone,
    Withdrawal,
)
from removal.models import Removal
from safety.models import Officer, Quarantine, QuarantineAct, Referral, RefusedFile, Report, Reporter, ReporterRelease
from studies.models import Document, DocumentVersion, Invitation, Membership, SettingChange, StateChange
from suspensions.models import PauseRule, SuspendedAnswer, Suspension, UndoneJudgement
from tests import factories
from webhooks.models import Event

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
LATER = "2126-01-01T12:00:00Z"


class World:
    """One row of everything, and a second study that rows can wrongly point at."""

    def __init__(self) -> None:
        self.study, self.other = factories.study(), factories.study()
        self.person = factories.member(self.study, "annotator")
        self.pair = factories.pair(self.study, wanted=3)
        self.prompt, self.video = self.pair.prompt, self.pair.video_0
        self.other_prompt = factories.prompt(self.study)
        self.foreign = factories.pair(self.other)
        self.assignment = serving.lease(self.person, self.study).current
        self.seat = Seat.objects.get(person=self.person)
        self.job = self.imported()

    @cached_property
    def endpoint(self):
        return factories.endpoint(self.study)

    @cached_property
    def event(self):
        return Event.objects.create(study=self.study, type="lot.accepted", data={})

    def imported(self, **values):
        return Import.objects.create(**{"study": self.study, "source": "server"} | values)

    def pairs_change(self, **values):
        facts = {
            "study": self.study,
            "what": "overlap",
            "value": 2,
            "steps_total": 1,
            "until": 1,
            "asked_by": self.person,
        }
        return PairsChange.objects.create(**facts | values)

    def asked_for_more(self, **values):
        facts = {"study": self.study, "pair": self.pair, "number": 1, "because": ["helpfulness"], "answers": [1]}
        return AskedForMore.objects.create(**facts | values)

    def finding(self, **values):
        """Return a finding about an answer of the first study."""
        answered = self.answered if hasattr(self, "answered") else factories.answer(self.person, self.study)
        self.answered = answered
        facts = {"study": self.study, "assignment": answered, "annotation": answered.standing.current}
        facts |= {"person": self.person, "rule": "quick_none", "version": 1, "severity": "warning"}
        return Finding.objects.create(**facts | values)

    def findings_run(self, **values):
        facts = {"study": self.study, "rules": ["one_side"], "until": 1, "asked_by": self.person}
        return FindingsRun.objects.create(**facts | values)

    def repeat(self, **values):
        """Return a control that shows the pair again."""
        return factories.pair(self.study, **{"kind": "control", "expected": {}, "repeats": self.pair} | values)

    def control(self, **values):
        facts = {"study": self.study, "kind": "consensus_repeat", "question": "helpfulness", "made_by": self.person}
        return Control.objects.create(**facts | {"pair": values.pop("pair", None) or self.repeat()} | values)

    def control_result(self, **values):
        facts = {"study": self.study, "person": self.person, "kind": "consensus_repeat", "right": True}
        facts |= {"control": values.pop("control", None) or self.control(), "answered_at": NOON}
        return ControlResult.objects.create(**facts | values)

    def controls_run(self, **values):
        facts = {"study": self.study, "kind": "reencoded", "steps_total": 1, "asked_by": self.person}
        return ControlsRun.objects.create(**facts | values)

    def data_release(self, **values):
        """Return a release in a family of its own. It waits, unless `values` say otherwise."""
        study = values.get("study", self.study)
        family = values.pop("family", None) or ReleaseFamily.objects.create(study=study)
        facts = {"study": study, "family": family, "number": 1, "filter": {}, "formats": ["jsonl"], "licence": "x"}
        return Release.objects.create(**facts | values)

    def release_item(self, **values):
        answered = values.pop("answered", None) or factories.answer(self.person, self.study)
        facts = {"study": self.study, "annotation": answered.standing.current, "place": 1}
        facts |= {"kind": "real", "counted": True, "part": "train", "weight": 1, "is_current": True}
        facts |= {"video_0_settings": {}, "video_1_settings": {}, "batch": 1, "in_sample": False, "reviews": []}
        release = values.pop("release", None) or self.data_release()
        return ReleaseItem.objects.create(**facts | {"release": release} | values)

    def release_prompt(self, **values):
        facts = {"study": self.study, "place": 1, "prompt_id": "0" * 64, "part": "train", "text": "A ball"}
        release = values.pop("release", None) or self.data_release()
        return ReleasePrompt.objects.create(**facts | {"release": release} | values)

    def release_label(self, **values):
        facts = {"study": self.study, "place": 1, "prompt_id": "0" * 64, "part": "train", "value": 1, "refused": False}
        release = values.pop("release", None) or self.data_release()
        return ReleaseLabel.objects.create(**facts | {"release": release} | values)

    def release_file(self, **values):
        facts = {"study": self.study, "path": "a/b.jsonl", "kind": "jsonl", "sha256": "0" * 64, "byte_size": 1}
        release = values.pop("release", None) or self.data_release()
        return ReleaseFile.objects.create(**facts | {"release": release} | values)

    def release_video(self, **values):
        video = values.pop("video", None) or factories.video(factories.prompt(self.study))
        facts = {"study": self.study, "video": video, "asset": video.asset, "place": 1, "part": "train", "facts": {}}
        facts |= {"byte_size": 1, "frame_sizes": [1] * 8, "video_archive": 0, "frame_archive": 0}
        release = values.pop("release", None) or self.data_release()
        return ReleaseVideo.objects.create(**facts | {"release": release} | values)

    def withdrawal(self, **values):
        facts = {"study": self.study, "kind": "person", "reason": "Asked"}
        return Withdrawal.objects.create(
            **facts | ({} if "assignment" in values or "video" in values else {"person": self.person}) | values
        )

    def tombstone(self, **values):
        release = values.pop("release", None) or self.data_release()
        withdrawal = values.pop("withdrawal", None) or self.withdrawal()
        return Tombstone.objects.create(
            **{"study": self.study, "release": release, "withdrawal": withdrawal, "answers": 1} | values
        )

    def figures(self, **values):
        return StudyFigures.objects.create(**{"study": self.study, "kind": "agreement"} | values)

    def chart_file(self, **values):
        facts = {"study": self.study, "name": "x", "format": "svg", "digest": "0" * 64, "specification": {}}
        return ChartFile.objects.create(**facts | values)

    def foreign_answer(self):
        return factories.answer(factories.member(self.other, "annotator"), self.other)

    def removal(self, **values):
        facts = {"what": "import", "study_number": self.study.pk, "study_slug": "x", "study_title": "X"}
        return Removal.objects.create(**facts | {"import_number": self.job.pk} | values)

    def read_file(self, job, **values):
        facts = {"path": "a.mp4", "byte_size": 10, "modified_ns": 1, "sha256": "0" * 64}
        return ReadFile.objects.create(**{"import_job": job} | facts | values)

    def invitation(self, **values):
        return Invitation.objects.create(**{"study": self.other, "person": self.person, "role": "reviewer"} | values)

    def made_account(self):
        """Return a membership in a study of its own that made the person's account."""
        study = factories.study()
        return Membership.objects.create(study=study, person=self.person, role="reviewer", made_account=True)

    def upload(self, job, **values):
        return Upload.objects.create(**{"import_job": job, "path": "a.mp4", "byte_size": 10} | values)

    def provenance(self, **values):
        return Provenance.objects.create(**{"study": self.study, "kind": "source", "name": "a channel"} | values)

    def annotation(self, **values):
        return Annotation.objects.create(
            **{
                "study": self.study,
                "assignment": self.assignment,
                "author": self.person,
                "submission_id": uuid.uuid4(),
                **dict.fromkeys((*SUB_DIMENSION_KEYS, "helpfulness", "harmlessness"), "video_0"),
                "tags_video_0": [],
                "tags_video_1": [],
                "protocol_version": 1,
                "guideline_version": 1,
            }
            | values
        )

    def answered_sum(self, **values):
        until = timezone.now() - timedelta(minutes=10)
        facts = {"until": until, "pairs": 1, "unsure": 0, "active_ms": 0}
        facts |= {"first_at": until - timedelta(days=1), "last_at": until - timedelta(days=1)}
        return AnsweredSum.objects.create(study=self.study, person=self.person, **facts | values)

    def frame_item(self, study=None):
        """Return the one frozen answer of a study."""
        study = study or self.study
        found = FrameItem.objects.filter(study=study).first()
        if found:
            return found
        answered = factories.answer(factories.member(study, "annotator"), study)
        return factories.frame_item(factories.lot(study, answered.pair.batch, state="in_review"), answered)

    def another_frame_item(self, **values):
        """Return a second frozen answer in the lot of the first."""
        lot = self.frame_item().lot
        answered = factories.answer(factories.member(self.study, "annotator"), self.study)
        return factories.frame_item(lot, answered, **{"place": 2} | values)

    def lot_decision(self, **values):
        facts = {"study": self.study, "outcome": "reopened", "reason": "x", "decided_by": self.person}
        return LotDecision.objects.create(**facts | {"lot": values.pop("lot", None) or self.frame_item().lot} | values)

    def review(self, **values):
        item = self.frame_item()
        facts = {"study": self.study, "lot": item.lot, "item": item, "pair": item.assignment.pair, "blind": False}
        facts |= {"reviewer": self.person, "kind": "secondary", "left": "video_0"}
        if values.get("kind") == "look":
            return Review.objects.get_or_create(**facts | values, defaults={"expires_at": LATER})[0]
        return Review.objects.create(**facts | {"expires_at": LATER} | values)

    def assigned_review(self, **values):
        item = values.pop("item", None) or FrameItem.objects.first() or self.frame_item()
        facts = {"study": self.study, "lot": item.lot, "item": item, "kind": "spot", "reviewer": self.person}
        facts |= {"assigned_by": self.person, "assigned_at": NOON, "until": NOON + timedelta(days=1)}
        return AssignedReview.objects.create(**facts | values)

    def calibration(self, **values):
        """Return an open session. `number` is the next one unless it is given."""
        number = CalibrationSession.objects.count() + 1
        facts = {"study": self.study, "number": number, "topic": "Tags", "created_by": self.person, "state": "open"}
        facts |= {"opened_at": NOON, "guideline_before": 1}
        return CalibrationSession.objects.create(**facts | values)

    def calibration_item(self, **values):
        session = values.pop("session", None) or CalibrationSession.objects.first() or self.calibration()
        facts = {"study": self.study, "session": session, "pair": self.pair, "place": 1, "origin": "chosen"}
        return CalibrationItem.objects.create(**facts | values)

    def calibration_sitting(self, **values):
        item = CalibrationItem.objects.first() or self.calibration_item()
        facts = {"study": self.study, "item": item, "person": self.person, "left": "video_0"}
        return CalibrationSitting.objects.create(**facts | values)

    def calibration_answer(self, **values):
        answers = dict.fromkeys((*SUB_DIMENSION_KEYS, "helpfulness", "harmlessness"), "video_0")
        facts = {"sitting": self.calibration_sitting(), "submission_id": uuid.uuid4(), "guideline_version": 1}
        facts |= {"tags_video_0": [], "tags_video_1": []}
        return CalibrationAnswer.objects.create(**facts | answers | values)

    def review_answer(self, **values):
        item = self.frame_item()
        choices = dict.fromkeys((*SUB_DIMENSION_KEYS, "helpfulness", "harmlessness"), "video_0")
        facts = {"study": self.study, "lot": item.lot, "pair": item.assignment.pair, "reviewer": self.person}
        facts |= {"submission_id": uuid.uuid4(), "tags_video_0": [], "tags_video_1": [], "guideline_version": 1}
        return ReviewAnswer.objects.create(**facts | choices | values)

    def verdict(self, **values):
        review = values.pop("review", None) or self.review()
        facts = {"study": self.study, "review": review, "item": review.item, "annotation": review.item.first}
        facts |= {"row": "helpfulness", "ruling": "fine", "counts": False}
        return Verdict.objects.create(**facts | values)

    def second_opinion(self):
        review = self.review(kind="look")
        verdict = Verdict.objects.first() or self.verdict(review=review)
        return SecondOpinion.objects.create(study=self.study, verdict=verdict, review=review, counts=False)

    def second_blind(self, **values):
        item = self.frame_item()
        facts = {"study": self.study, "lot": item.lot, "pair": item.assignment.pair, "item": item}
        return SecondBlind.objects.create(
            **facts | {"first": values.pop("first", None) or self.review_answer()} | values
        )

    def second_blind_by_the_same(self):
        first = self.review_answer()
        return self.second_blind(first=first, second=first)

    def review_exposure(self, **values):
        facts = {"study": self.study, "person": self.person, "sitting": uuid.UUID(int=1), "day": "2026-01-01"}
        return ReviewExposure.objects.create(**facts | values)

    def suspension(self, **values):
        facts = {"study": self.study, "person": self.person, "why": "x", "what": "all", "until": 1}
        return Suspension.objects.create(**facts | {"asked_by": self.person} | values)

    def lifted(self, **values):
        """Return a suspension that was lifted and whose job is done, unless `values` say otherwise."""
        done = {"state": "done", "finished_at": NOON, "lifted_at": NOON, "lifted_by": self.person}
        return self.suspension(**done | {"lifted_because": "y"} | values)

    def suspended_answer(self, **values):
        suspension = Suspension.objects.first() or self.suspension()
        facts = {"study": self.study, "suspension": suspension, "assignment": self.assignment}
        return SuspendedAnswer.objects.create(**facts | values)

    def pause_rule(self, **values):
        facts = {"study": self.study, "figure": "too_fast", "threshold": "0.1", "changed_by": self.person}
        return PauseRule.objects.create(**facts | values)

    def judgement(self, **values):
        return factories.judgement(self.study, self.person, **values)

    def undone_judgement(self, **values):
        kind = "consensus_repeat"
        facts = {"study": self.study, "kind": kind}
        facts["judgement"] = values.pop("judgement", None) or self.judgement(figure=kind)
        facts["control"] = values.pop("control", None) or self.control()
        return UndoneJudgement.objects.create(**facts | values)

    def consent(self, **values):
        defaults = {"user": self.person, "document": "study:x", "version": 1, "text": "I agree"}
        return Consent.objects.create(**defaults | values)

    def label(self, **values):
        defaults = {"study": self.study, "question": "porn", "labeller": "a model", "value": True}
        return Label.objects.create(**defaults | values)

    def document_version(self, **values):
        return DocumentVersion.objects.create(**{"study": self.study, "kind": "guideline", "version": 7} | values)

    def document(self, **values):
        defaults = {"study": self.study, "kind": "guideline", "version": 7, "language": "en", "text": "Look twice."}
        DocumentVersion.objects.get_or_create(study=self.study, kind="guideline", version=7)
        return Document.objects.create(**defaults | values)

    def sent_form(self, **values):
        return SentForm.objects.create(**{"form": "people.numbered 1", "key": uuid.UUID(int=1)} | values)

    def setting_change(self, **values):
        return SettingChange.objects.create(**{"study": self.study, "name": "lease_s", "before": 60} | values)

    def state_change(self, **values):
        return StateChange.objects.create(**{"study": self.study, "step": "created"} | values)

    def hold_change(self, **values):
        facts = {"study": self.study, "pair": self.pair, "after": "Too dark", "changed_by": self.person}
        return HoldChange.objects.create(**facts | values)

    def second_look(self, **values):
        defaults = {"study": self.study, "first": values.pop("first", None) or self.annotation()}
        return SecondLook.objects.create(**defaults | values)

    def quarantine(self, **values):
        return Quarantine.objects.create(**{"asset": self.video.asset} | values)

    def released(self, **values):
        released = {"released_at": timezone.now(), "released_by": self.person, "reason": "Looked at."}
        return self.quarantine(**released | values)

    def report(self, **values):
        defaults = {"study": self.study, "pair": self.pair, "person": self.person}
        defaults["quarantine"] = values.pop("quarantine", None) or self.quarantine()
        return Report.objects.create(**defaults | values)

    def act(self, **values):
        defaults = {"act": "viewed", "officer": self.person}
        defaults["quarantine"] = values.pop("quarantine", None) or self.quarantine()
        return QuarantineAct.objects.create(**defaults | values)

    def reporter(self, **values):
        return Reporter.objects.create(**{"person": self.person} | values)

    def officer(self, **values):
        return Officer.objects.create(**{"person": self.person} | values)

    def release(self, **values):
        reporter, _ = Reporter.objects.get_or_create(person=self.person)
        facts = {"reporter": reporter, "asked_by": self.person, "decision": "None was right.", "until": 1}
        return ReporterRelease.objects.create(**facts | values)

    def referral(self, **values):
        defaults = {"to_whom": "A hotline", "made_at": NOON, "noted_by": self.person}
        defaults["quarantine"] = values.pop("quarantine", None) or self.quarantine()
        return Referral.objects.create(**defaults | values)

    def refused(self, **values):
        defaults = {"study_slug": "x", "sha256": factories.hex64("x"), "name": "x", "refused_by": "x", "reason": "x"}
        return RefusedFile.objects.create(**defaults | values)

    def exposure(self, **values):
        defaults = {"study": self.study, "person": self.person, "day": timezone.now().date()}
        return Exposure.objects.create(assignment=self.assignment, **defaults | values)

    def dose(self, **values):
        return Dose.objects.create(**{"person": self.person, "day": timezone.now().date()} | values)

    def rest(self, **values):
        defaults = {"why": "work", "ends_at": timezone.now() + timedelta(minutes=10)}
        return Break.objects.create(study=self.study, person=self.person, **defaults | values)

    def change(self, row, **values):
        """Write without save() and full_clean()."""
        assert type(row).objects.filter(pk=row.pk).update(**values) == 1


def twice(make):
    def break_it(w):
        make(w)
        make(w)

    return break_it
