"""Each constraint of the database refuses a row that breaks it.

The rows are written without any check in Python.
"""

import uuid
from datetime import UTC, datetime, timedelta
from functools import cached_property

import pgtrigger
import pytest
from django.apps import apps
from django.db import DataError, IntegrityError, ProgrammingError, connection, models, transaction
from django.utils import timezone

from accounts.models import AccessToken, AuditEvent, Consent, Profile, SentForm, ViewingPreference
from accounts.tokens import issue_token
from annotation import serving
from annotation.models import Annotation, Assignment, Break, Dose, Exposure, Seat, SecondLook, Standing
from annotation.protocol import HARM_KEYS, SUB_DIMENSION_KEYS
from answers.models import AnsweredSum
from calibration.models import CalibrationAnswer, CalibrationItem, CalibrationSession, CalibrationSitting
from catalog.models import Batch, HoldChange, Label, Pair, PairsChange, Prompt, Provenance, Video
from charts.models import ChartFile
from controls.models import Control, ControlResult, ControlsRun
from figures.models import StudyFigures
from findings.models import Finding, FindingsRun, StudyRules
from importing.models import Import, ReadFile, Upload
from media.models import Asset
from qc.models import (
    AskedForMore,
    AssignedReview,
    FrameItem,
    LotBatch,
    LotDecision,
    Reply,
    Review,
    ReviewAnswer,
    ReviewExposure,
    SecondBlind,
    SecondOpinion,
    Verdict,
)
from qualification.models import ExtraAttempt, TurnAnswer
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
from studies.models import (
    Document,
    DocumentVersion,
    Invitation,
    Membership,
    RoleNotice,
    SettingChange,
    StateChange,
    Study,
)
from suspensions.models import PauseJudgement, PauseRule, SuspendedAnswer, Suspension, UndoneJudgement
from tests import factories
from tests.layout import APPS
from tests.qualification import broken_rules
from tests.qualification.broken_rules import BROKEN_RULES
from tests.training import broken_rules as broken_training
from tests.training.broken_rules import BROKEN_TRAINING
from training.models import Artefact, ModelFamily
from webhooks.models import Event, Secret

pytestmark = pytest.mark.django_db

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


def itself(w, session):
    w.change(session, follows=session)


def expired_before_given(w):
    w.consent(withdrawn_at=timezone.now() - timedelta(days=1))


def annotation_of_revision_0(w):
    """Try this constraint on its own: another one, which is checked first, refuses the row too."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE annotation_annotation DROP CONSTRAINT annotation_later_revision_has_reason")
    w.annotation(revision=0)


def twice(make):
    def break_it(w):
        make(w)
        make(w)

    return break_it


ATTEMPTS = {
    # accounts
    "profile_year_of_birth_is_plausible": lambda w: Profile.objects.create(user=w.person, year_of_birth=1700),
    "user_kept_day_is_whole": lambda w: w.change(w.person, kept_day=NOON.date()),
    "consent_given_once": twice(lambda w: w.consent()),
    "consent_withdrawn_after_given": expired_before_given,
    "consent_has_words": lambda w: w.consent(text=""),
    "access_token_has_scopes": lambda w: AccessToken.objects.create(user=w.person, scopes=[]),
    "viewing_media_filter_known": lambda w: ViewingPreference.objects.create(user=w.person, media_filter="sepia"),
    "access_token_expires": lambda w: AccessToken.objects.create(user=w.person, scopes=["read"], expiry=None),
    "sent_form_once": twice(lambda w: w.sent_form()),
    "sent_form_is_named": lambda w: w.sent_form(form=""),
    # catalog
    "study_slug_form": lambda w: w.change(w.study, slug="Not A Slug"),
    "study_state_known": lambda w: w.change(w.study, state="lost"),
    "study_dimension_order_known": lambda w: w.change(w.study, dimension_order="sideways"),
    "study_overlap_range": lambda w: w.change(w.study, overlap=0),
    "study_lease_range": lambda w: w.change(w.study, lease_s=1),
    "study_media_window_range": lambda w: w.change(w.study, media_window_s=5),
    "study_tag_format_known": lambda w: w.change(w.study, tag_format="stars"),
    "study_media_filter_known": lambda w: w.change(w.study, media_filter="sepia"),
    "study_control_rate_range": lambda w: w.change(w.study, control_rate=0.6),
    "study_hold_after_skips_range": lambda w: w.change(w.study, hold_after_skips=0),
    "study_categories_known": lambda w: w.change(w.study, categories=["rude"]),
    "study_break_range": lambda w: w.change(w.study, break_s=7201),
    "study_sample_share_range": lambda w: w.change(w.study, sample_share=1.1),
    "study_sample_overlap_range": lambda w: w.change(w.study, sample_overlap=1),
    "study_test_share_range": lambda w: w.change(w.study, test_share=0.6),
    "provenance_once": twice(lambda w: w.provenance()),
    "provenance_kind_known": lambda w: w.provenance(kind="dream"),
    "provenance_has_name": lambda w: w.provenance(name=""),
    "import_public_id_form": lambda w: w.imported(public_id="ABC"),
    "import_source_known": lambda w: w.imported(source="post"),
    "import_state_known": lambda w: w.imported(state="lost", finished_at=NOON),
    "import_failed_has_reason": lambda w: w.imported(state="failed", finished_at=NOON),
    "import_running_has_heartbeat": lambda w: w.imported(state="running"),
    "import_waits_only_while_waiting": lambda w: w.imported(state="done", finished_at=NOON, wait_until=NOON),
    "import_finished_has_moment": lambda w: w.imported(state="done"),
    "import_upload_has_no_location": lambda w: w.imported(source="upload", location="/somewhere"),
    "import_collects_uploads": lambda w: w.imported(state="collecting"),
    "read_file_once": twice(lambda w: w.read_file(w.job)),
    "read_file_sha256_form": lambda w: w.read_file(w.imported(), sha256="abc"),
    "upload_path_once": twice(lambda w: w.upload(w.job)),
    "upload_public_id_form": lambda w: w.upload(w.imported(), public_id="ABC"),
    "upload_received_range": lambda w: w.upload(w.imported(), received=11),
    "document_version_once_a_language": twice(lambda w: w.document()),
    "document_version_once": twice(lambda w: w.document_version()),
    "document_version_kind_known": lambda w: w.document_version(kind="poem"),
    "document_version_from_one": lambda w: w.document_version(version=0),
    "document_version_categories_of_consent": lambda w: w.document_version(kind="consent"),
    "document_version_categories_known": lambda w: w.document_version(kind="consent", categories=["rude"]),
    "document_of_version": lambda w: w.document(version=8),
    "document_has_text": lambda w: w.document(text=""),
    "membership_once": twice(lambda w: Membership.objects.create(study=w.other, person=w.person, role="reviewer")),
    "membership_one_made_the_account": twice(lambda w: w.made_account()),
    "setting_change_last_only": twice(lambda w: w.setting_change()),
    "setting_change_is_named": lambda w: w.setting_change(name=""),
    "state_change_created_once": twice(lambda w: w.state_change()),
    "state_change_step_known": lambda w: w.state_change(step="lost"),
    "hold_change_holds_or_releases": lambda w: w.hold_change(before="Too dark"),
    "hold_change_pair_same_study": lambda w: w.hold_change(pair=w.foreign),
    "invitation_open_once": twice(lambda w: w.invitation()),
    "invitation_role_known": lambda w: w.invitation(role="king"),
    "invitation_state_known": lambda w: w.invitation(state="lost", ended_at=NOON),
    "invitation_ends_once": lambda w: w.invitation(state="accepted"),
    "role_notice_role_known": lambda w: RoleNotice.objects.create(
        study=w.study, recipient=w.person, person=w.person, role="king"
    ),
    "membership_role_known": lambda w: Membership.objects.create(study=w.study, person=w.person, role="king"),
    "asset_public_id_once": twice(lambda w: factories.asset(public_id="a" * 64)),
    "asset_sha256_once": twice(lambda w: factories.asset(sha256="a" * 64)),
    "asset_public_id_form": lambda w: factories.asset(public_id="../../etc/passwd"),
    "asset_sha256_form": lambda w: factories.asset(sha256="abc"),
    "asset_state_known": lambda w: factories.asset(state="lost", finished_at=NOON),
    "asset_failed_has_reason": lambda w: factories.asset(state="failed"),
    "asset_done_has_facts": lambda w: factories.asset(state="done", finished_at=NOON),
    "asset_running_has_heartbeat": lambda w: factories.asset(state="running"),
    "asset_waits_only_while_waiting": lambda w: factories.asset(wait_until=NOON),
    "asset_finished_has_moment": lambda w: factories.asset(finished_at=None),
    "prompt_public_id_in_study": twice(lambda w: factories.prompt(w.study, text="the same")),
    "prompt_source_id_in_study": twice(lambda w: factories.prompt(w.study, source_id="the same")),
    "prompt_public_id_form": lambda w: factories.prompt(w.study, public_id="ABC"),
    "prompt_has_text": lambda w: w.change(w.prompt, text=""),
    "prompt_type_known": lambda w: factories.prompt(w.study, prompt_type="odd"),
    "prompt_source_known": lambda w: factories.prompt(w.study, source="dream"),
    "prompt_set_known": lambda w: factories.prompt(w.study, set="other"),
    "prompt_split_known": lambda w: factories.prompt(w.study, split="both"),
    "prompt_eval_never_trains": lambda w: factories.prompt(w.study, set="eval", split="train"),
    "prompt_labels_known": lambda w: factories.prompt(w.study, labels=["rude"], labelled_by="a model"),
    "prompt_labels_have_labeller": lambda w: factories.prompt(w.study, labels=["porn"]),
    "video_public_id_in_study": twice(lambda w: factories.video(w.prompt, public_id=factories.hex64("the same"))),
    "video_source_id_in_study": twice(lambda w: factories.video(w.prompt, source_id="the same")),
    "video_public_id_form": lambda w: factories.video(w.prompt, public_id="1"),
    "video_refined_text_given": lambda w: factories.video(w.prompt, refined_by="a model"),
    "video_not_from_itself": lambda w: w.change(w.video, derived_from=w.video),
    "video_prompt_same_study": lambda w: factories.video(w.prompt, study=w.other),
    "video_origin_same_study": lambda w: factories.video(w.prompt, derived_from=w.foreign.video_0),
    "label_has_one_subject": lambda w: w.label(prompt=w.prompt, video=w.video),
    "label_has_labeller": lambda w: w.label(prompt=w.prompt, labeller=""),
    "label_has_value_or_is_refused": lambda w: w.label(prompt=w.prompt, refused=True),
    "label_choice_is_of_a_pair": lambda w: w.label(prompt=w.prompt, question="helpfulness", value="tie"),
    "label_once": twice(lambda w: w.label(video=w.video)),
    "label_prompt_same_study": lambda w: w.label(prompt=w.foreign.prompt),
    "label_video_same_study": lambda w: w.label(video=w.foreign.video_0),
    "label_pair_same_study": lambda w: w.label(pair=w.foreign),
    "batch_number_in_study": lambda w: Batch.objects.create(study=w.study, number=1),
    "batch_number_from_zero": lambda w: Batch.objects.create(study=w.study, number=-1),
    "batch_of_controls_stays_open": lambda w: Batch.objects.create(study=w.study, number=0, state="annotated"),
    "batch_state_known": lambda w: factories.batch(w.study, number=2, state="odd"),
    "reporterrelease_one_open": twice(lambda w: w.release()),
    "reporterrelease_has_decision": lambda w: w.release(decision=""),
    "reporterrelease_released_range": lambda w: w.release(released=1),
    "reporterrelease_state_known": lambda w: w.release(state="lost", finished_at=NOON),
    "reporterrelease_failed_has_reason": lambda w: w.release(state="failed", finished_at=NOON),
    "reporterrelease_running_has_heartbeat": lambda w: w.release(state="running"),
    "reporterrelease_waits_only_while_waiting": lambda w: w.release(state="done", finished_at=NOON, wait_until=NOON),
    "reporterrelease_finished_has_moment": lambda w: w.release(state="done"),
    "pairschange_one_open": twice(lambda w: w.pairs_change()),
    "pairschange_what_known": lambda w: w.pairs_change(what="colour"),
    "pairschange_hold_has_reason": lambda w: w.pairs_change(what="hold"),
    "removal_one_open": twice(lambda w: w.removal()),
    "removal_what_known": lambda w: w.removal(import_number=None),
    "removal_files_left_when_done": lambda w: w.removal(files_left=True),
    "removal_state_known": lambda w: w.removal(state="lost", finished_at=NOON),
    "removal_failed_has_reason": lambda w: w.removal(state="failed", finished_at=NOON),
    "removal_running_has_heartbeat": lambda w: w.removal(state="running"),
    "removal_waits_only_while_waiting": lambda w: w.removal(state="done", finished_at=NOON, wait_until=NOON),
    "removal_finished_has_moment": lambda w: w.removal(state="done"),
    "import_undone_was_done": lambda w: w.imported(state="waiting", undone_at=NOON),
    "study_archived_does_not_run": lambda w: factories.study(archived_at=NOON),
    "pairschange_state_known": lambda w: w.pairs_change(state="lost", finished_at=NOON),
    "pairschange_failed_has_reason": lambda w: w.pairs_change(state="failed", finished_at=NOON),
    "pairschange_running_has_heartbeat": lambda w: w.pairs_change(state="running"),
    "pairschange_waits_only_while_waiting": lambda w: w.pairs_change(state="done", finished_at=NOON, wait_until=NOON),
    "pairschange_finished_has_moment": lambda w: w.pairs_change(state="done"),
    "pairschange_reached_range": lambda w: w.pairs_change(reached=2),
    "pairschange_changed_range": lambda w: w.pairs_change(changed=1),
    "pair_public_id_in_study": lambda w: factories.pair(w.study, public_id=w.pair.public_id),
    "pair_public_id_form": lambda w: factories.pair(w.study, public_id="zz"),
    "pair_once_in_either_order": lambda w: factories.pair(
        w.study, prompt=w.prompt, video_0=w.pair.video_1, video_1=w.pair.video_0
    ),
    "pair_two_videos": lambda w: factories.pair(w.study, prompt=w.prompt, video_0=w.video, video_1=w.video),
    "pair_kind_known": lambda w: factories.pair(w.study, kind="odd", expected={}),
    "video_may_show_known": lambda w: w.change(w.video, may_show=["rude"]),
    "pair_may_show_known": lambda w: w.change(w.pair, may_show=["rude"]),
    "pair_priority_range": lambda w: w.change(w.pair, priority=-2_000_000_000),
    "pair_control_has_expected": lambda w: factories.pair(w.study, kind="control"),
    "pair_open_slots_range": lambda w: w.change(w.pair, open_slots=4),
    "pair_selection_probability_range": lambda w: factories.pair(w.study, selection_probability=1.5),
    "pair_batch_same_study": lambda w: factories.pair(w.study, batch=factories.batch(w.other)),
    "pair_prompt_same_study": lambda w: factories.pair(
        w.study,
        kind="control",
        expected={},
        prompt=w.foreign.prompt,
        video_0=w.video,
        video_1=factories.video(w.prompt),
    ),
    "pair_video_0_same_study": lambda w: factories.pair(
        w.study, kind="control", expected={}, video_0=w.foreign.video_0
    ),
    "pair_video_1_same_study": lambda w: factories.pair(
        w.study, kind="control", expected={}, video_1=w.foreign.video_1
    ),
    "pair_video_0_same_prompt": lambda w: factories.pair(w.study, prompt=w.other_prompt, video_0=w.video),
    "pair_video_1_same_prompt": lambda w: factories.pair(w.study, prompt=w.other_prompt, video_1=w.video),
    "pair_only_controls_repeat": lambda w: factories.pair(w.study, repeats=w.pair),
    "pair_only_for_repeats": lambda w: factories.pair(w.study, kind="control", expected={}, only_for=w.person),
    "pair_repeated_once_to_a_person": twice(lambda w: w.repeat(only_for=w.person)),
    "pair_repeated_once_to_others": twice(lambda w: w.repeat()),
    "pair_repeats_same_study": lambda w: w.repeat(repeats=w.foreign),
    "pair_held_before_in_quarantine_only": lambda w: w.change(w.pair, held_before="for a reason"),
    "quarantine_one_in_force": twice(lambda w: w.quarantine()),
    "quarantine_released_by_somebody_why": lambda w: w.released(reason=""),
    "quarantine_act_known": lambda w: w.act(act="forgotten"),
    "quarantine_act_of_officer_or_reporter": lambda w: w.act(officer=None),
    "quarantine_act_of_reporter_holds": lambda w: w.act(officer=None, reporter=w.reporter()),
    "quarantine_act_happens_once": lambda w: w.act(act="released", quarantine=w.act(act="released").quarantine),
    "quarantine_no_release_under_legal_hold": lambda w: w.released(legal_hold_since=timezone.now()),
    "report_once_a_pair": lambda w: w.report(quarantine=w.report().quarantine),
    "reporter_code_once": lambda w: w.change(w.reporter(), code=w.reporter(person=factories.person()).code),
    "reporter_code_form": lambda w: w.reporter(code="kim"),
    "officer_appointed_once_at_a_time": twice(lambda w: w.officer(until=timezone.now() + timedelta(days=1))),
    "officer_ends_after_beginning": lambda w: w.officer(from_at=NOON, until=NOON - timedelta(days=1)),
    "report_pair_same_study": lambda w: w.report(pair=w.foreign),
    "referral_noted_once": lambda w: w.referral(quarantine=w.referral().quarantine),
    "referral_names_whom": lambda w: w.referral(to_whom=""),
    "refused_file_once_a_study": twice(lambda w: w.refused()),
    "refused_file_sha256_form": lambda w: w.refused(sha256="abc"),
    # qualification
    **BROKEN_RULES,
    **BROKEN_TRAINING,
    # qc
    "study_rules_on_known": lambda w: StudyRules.objects.create(study=w.study, on=["odd"], invalidating=[]),
    "study_rules_notes_never_invalidate": lambda w: StudyRules.objects.create(
        study=w.study, on=["preference_cycle"], invalidating=["preference_cycle"]
    ),
    "study_rules_only_rules_that_are_on_invalidate": lambda w: StudyRules.objects.create(
        study=w.study, on=[], invalidating=["one_side"]
    ),
    "finding_one_open": twice(lambda w: w.finding()),
    "finding_rule_known": lambda w: w.finding(rule="odd"),
    "finding_severity_known": lambda w: w.finding(severity="odd"),
    "finding_notes_never_invalidate": lambda w: w.finding(rule="preference_cycle", severity="note", marked=True),
    "finding_dismissed_by_somebody_why": lambda w: w.finding(dismissed_at=NOON),
    "finding_assignment_same_study": lambda w: w.finding(assignment=w.foreign_answer()),
    "finding_annotation_same_study": lambda w: w.finding(annotation=w.foreign_answer().standing.current),
    "findingsrun_one_open": twice(lambda w: w.findings_run()),
    "findingsrun_rules_known": lambda w: w.findings_run(rules=[]),
    "findingsrun_phase_known": lambda w: w.findings_run(phase="odd"),
    "findingsrun_state_known": lambda w: w.findings_run(state="lost", finished_at=NOON),
    "findingsrun_failed_has_reason": lambda w: w.findings_run(state="failed", finished_at=NOON),
    "findingsrun_running_has_heartbeat": lambda w: w.findings_run(state="running"),
    "findingsrun_waits_only_while_waiting": lambda w: w.findings_run(state="done", finished_at=NOON, wait_until=NOON),
    "findingsrun_finished_has_moment": lambda w: w.findings_run(state="done"),
    "control_kind_known": lambda w: w.control(kind="odd"),
    "control_question_of_kind": lambda w: w.control(question=""),
    "control_source_video_of_kind": lambda w: w.control(source_video=w.video),
    "control_withdrawn_by_somebody_why": lambda w: w.control(withdrawn_at=NOON),
    "control_pair_same_study": lambda w: w.control(pair=w.foreign),
    "control_video_same_study": lambda w: w.control(kind="reencoded", question="", source_video=w.foreign.video_0),
    "control_result_assignment_same_study": lambda w: w.control_result(assignment=w.foreign_answer()),
    "control_result_control_same_study": lambda w: w.control_result(
        control=w.control(study=w.other, pair=w.foreign), assignment=w.assignment
    ),
    "controlsrun_one_open": twice(lambda w: w.controls_run()),
    "controlsrun_kind_known": lambda w: w.controls_run(kind="odd"),
    "controlsrun_not_more_than_asked": lambda w: w.controls_run(made=2),
    "controlsrun_state_known": lambda w: w.controls_run(state="lost", finished_at=NOON),
    "controlsrun_failed_has_reason": lambda w: w.controls_run(state="failed", finished_at=NOON),
    "controlsrun_running_has_heartbeat": lambda w: w.controls_run(state="running"),
    "controlsrun_waits_only_while_waiting": lambda w: w.controls_run(state="done", finished_at=NOON, wait_until=NOON),
    "controlsrun_finished_has_moment": lambda w: w.controls_run(state="done"),
    "studyfigures_one_open": twice(lambda w: w.figures()),
    "studyfigures_kind_known": lambda w: w.figures(kind="odd"),
    "studyfigures_done_has_result": lambda w: w.figures(state="done", finished_at=NOON),
    "studyfigures_state_known": lambda w: w.figures(state="lost", finished_at=NOON),
    "studyfigures_failed_has_reason": lambda w: w.figures(state="failed", finished_at=NOON),
    "studyfigures_running_has_heartbeat": lambda w: w.figures(state="running"),
    "studyfigures_waits_only_while_waiting": lambda w: w.figures(
        state="done", result={}, finished_at=NOON, wait_until=NOON
    ),
    "studyfigures_finished_has_moment": lambda w: w.figures(state="done", result={}),
    "chartfile_once": twice(lambda w: w.chart_file()),
    "chartfile_format_known": lambda w: w.chart_file(format="gif"),
    "chartfile_done_has_content": lambda w: w.chart_file(state="done", finished_at=NOON),
    "chartfile_state_known": lambda w: w.chart_file(state="lost", finished_at=NOON),
    "chartfile_failed_has_reason": lambda w: w.chart_file(state="failed", finished_at=NOON),
    "chartfile_running_has_heartbeat": lambda w: w.chart_file(state="running"),
    "chartfile_waits_only_while_waiting": lambda w: w.chart_file(
        state="done", content=b"x", finished_at=NOON, wait_until=NOON
    ),
    "chartfile_finished_has_moment": lambda w: w.chart_file(state="done", content=b"x"),
    # annotation
    "seat_once": lambda w: Seat.objects.create(
        study=w.study, person=w.person, question_order=list(SUB_DIMENSION_KEYS), tag_order=list(HARM_KEYS)
    ),
    "seat_excluded_known": lambda w: w.change(w.seat, excluded=["rude"]),
    "seat_controls_among_served": lambda w: w.change(w.seat, controls=10_000),
    "seat_orders_complete": lambda w: w.change(w.seat, question_order=["correctness"] * 4),
    "assignment_once_a_round": lambda w: w.change(copy_of(w.assignment, round=1, round_reason="returned"), round=0),
    "assignment_one_lease_a_place": lambda w: copy_of(w.assignment, state="leased", ended_at=None, round=2),
    "assignment_left_known": lambda w: w.change(w.assignment, left="tie"),
    "assignment_dimension_known": lambda w: w.change(w.assignment, dimension_first="beauty"),
    "assignment_state_known": lambda w: w.change(w.assignment, state="odd", ended_at=timezone.now()),
    "assignment_place_known": lambda w: w.change(w.assignment, place="third"),
    "assignment_ended_unless_leased": lambda w: w.change(w.assignment, state="released"),
    "assignment_skipped_with_reason": lambda w: w.change(
        w.assignment, state="skipped", ended_at=timezone.now(), skip_reason="bored"
    ),
    "assignment_note_of_technical_problem": lambda w: w.change(
        w.assignment, state="skipped", ended_at=timezone.now(), skip_reason="cannot_judge", skip_note="No sound."
    ),
    "assignment_later_round_has_reason": lambda w: w.change(w.assignment, round=1),
    "assignment_round_reason_known": lambda w: w.change(w.assignment, round=1, round_reason="a whim"),
    "assignment_asked_because_known": lambda w: w.change(w.assignment, asked_because="a whim"),
    "pair_open_slots_by_reason": lambda w: w.change(w.pair, replacement_open=3),
    "pair_more_asked_range": lambda w: w.change(w.pair, more_asked=11),
    "study_more_answers_range": lambda w: w.change(w.study, more_answers=11),
    "asked_for_more_number": lambda w: [w.asked_for_more() for _ in range(2)],
    "asked_for_more_range": lambda w: w.asked_for_more(number=0),
    "asked_for_more_because_known": lambda w: w.asked_for_more(because=["a whim"]),
    "asked_for_more_pair_same_study": lambda w: w.asked_for_more(pair=w.foreign),
    "assignment_one_offer_a_pair": lambda w: [
        copy_of(w.assignment, state="offered", ended_at=None, round=number) for number in (1, 2)
    ],
    "assignment_only_later_rounds_offered": lambda w: w.change(w.assignment, state="offered"),
    "assignment_lease_has_length": lambda w: w.change(w.assignment, expires_at=w.assignment.leased_at),
    "assignment_pair_same_study": lambda w: w.change(w.assignment, pair=w.foreign),
    "annotation_assignment_same_study": lambda w: w.annotation(study=w.other),
    "standing_assignment_same_study": lambda w: Standing.objects.create(
        study=w.other, assignment=w.assignment, current=w.annotation()
    ),
    "annotation_revision_once": twice(lambda w: w.annotation()),
    "annotation_revision_from_one": annotation_of_revision_0,
    "annotation_later_revision_has_reason": lambda w: w.annotation(revision=2),
    "annotation_correction_by_reviewer": lambda w: w.annotation(author_kind="corrector", revision=2, reason="reopened"),
    "annotation_author_kind_known": lambda w: w.annotation(author_kind="robot"),
    "annotation_choices_known": lambda w: w.annotation(correctness="left"),
    "annotation_tags_known": lambda w: w.annotation(tags_video_0=["rude"]),
    "second_look_annotation_same_study": lambda w: w.second_look(study=w.other),
    "answered_sum_once": lambda w: [w.answered_sum() for _ in range(2)],
    "answered_sum_before_its_end": lambda w: w.answered_sum(last_at=timezone.now()),
    "standing_invalid_has_reason": lambda w: Standing.objects.create(
        study=w.study, assignment=w.assignment, current=w.annotation(), validity="invalid"
    ),
    "standing_uncounted_has_reason": lambda w: Standing.objects.create(
        study=w.study, assignment=w.assignment, current=w.annotation(), counted=False
    ),
    "standing_current_of_assignment": lambda w: Standing.objects.create(
        study=w.study,
        assignment=copy_of(w.assignment, round=1, round_reason="returned"),
        current=w.annotation(),
    ),
    "exposure_not_negative": lambda w: w.exposure(revealed_s=-1),
    "exposure_once_a_day": lambda w: [w.exposure() for _ in range(2)],
    "exposure_lapses_within_expected": lambda w: w.exposure(expected_s=1, lapses_s=2),
    "dose_once_a_day": twice(lambda w: w.dose()),
    "dose_not_negative": lambda w: w.dose(seconds=-1),
    "release_number_in_study": lambda w: [w.data_release(state="cancelled", finished_at=NOON) for _ in range(2)],
    "release_number_from_one": lambda w: w.data_release(number=0),
    "release_has_licence": lambda w: w.data_release(licence=""),
    "release_one_open": lambda w: [w.data_release(number=number) for number in (1, 2)],
    "release_done_has_manifest": lambda w: w.data_release(state="done", finished_at=NOON),
    "release_state_known": lambda w: w.data_release(state="lost", finished_at=NOON),
    "release_failed_has_reason": lambda w: w.data_release(state="failed", finished_at=NOON),
    "release_running_has_heartbeat": lambda w: w.data_release(state="running"),
    "release_waits_only_while_waiting": lambda w: w.data_release(state="cancelled", finished_at=NOON, wait_until=NOON),
    "release_finished_has_moment": lambda w: w.data_release(state="cancelled"),
    "release_family_key_form": lambda w: ReleaseFamily.objects.create(study=w.study, key="short"),
    "release_family_same_study": lambda w: w.data_release(family=ReleaseFamily.objects.create(study=w.other)),
    "release_parent_same_family": lambda w: w.data_release(
        number=2, parent=w.data_release(state="cancelled", finished_at=NOON)
    ),
    "release_item_place": lambda w: [
        w.release_item(release=one) for one in [w.data_release()] * 2 if factories.pair(w.study)
    ],
    "release_item_once": lambda w: [
        w.release_item(release=one, answered=answered, place=place)
        for one, answered in [(w.data_release(), factories.answer(w.person, w.study))]
        for place in (1, 2)
    ],
    "release_item_place_from_one": lambda w: w.release_item(place=0),
    "release_item_part_known": lambda w: w.release_item(part="validation"),
    "release_item_is_data": lambda w: w.release_item(kind="control"),
    "release_item_release_same_study": lambda w: w.release_item(release=w.data_release(study=w.other)),
    "release_item_annotation_same_study": lambda w: w.release_item(answered=w.foreign_answer()),
    "release_prompt_place": lambda w: [
        w.release_prompt(release=one, prompt_id=key * 64) for one in [w.data_release()] for key in "ab"
    ],
    "release_prompt_once": lambda w: [
        w.release_prompt(release=one, place=place) for one in [w.data_release()] for place in (1, 2)
    ],
    "release_prompt_place_from_one": lambda w: w.release_prompt(place=0),
    "release_prompt_part_known": lambda w: w.release_prompt(part="validation"),
    "release_prompt_prompt_id_form": lambda w: w.release_prompt(prompt_id="x"),
    "release_prompt_release_same_study": lambda w: w.release_prompt(release=w.data_release(study=w.other)),
    "release_label_place": lambda w: [w.release_label(release=one) for one in [w.data_release()] * 2],
    "release_label_place_from_one": lambda w: w.release_label(place=0),
    "release_label_part_known": lambda w: w.release_label(part="validation"),
    "release_label_prompt_id_form": lambda w: w.release_label(prompt_id="x"),
    "release_label_one_subject": lambda w: w.release_label(video_id="1" * 64, pair_id="2" * 64),
    "release_label_has_value_or_is_refused": lambda w: w.release_label(refused=True),
    "release_label_release_same_study": lambda w: w.release_label(release=w.data_release(study=w.other)),
    "release_file_path": lambda w: [w.release_file(release=one) for one in [w.data_release()] * 2],
    "release_file_path_form": lambda w: w.release_file(path="../secret"),
    "release_file_sha256_form": lambda w: w.release_file(sha256="x"),
    "release_file_release_same_study": lambda w: w.release_file(release=w.data_release(study=w.other)),
    "release_video_place": lambda w: [w.release_video(release=one) for one in [w.data_release()] * 2],
    "release_video_once": lambda w: [
        w.release_video(release=one, video=video, place=place)
        for one, video in [(w.data_release(), factories.video(factories.prompt(w.study)))]
        for place in (1, 2)
    ],
    "release_video_place_from_one": lambda w: w.release_video(place=0),
    "release_video_part_known": lambda w: w.release_video(part="validation"),
    "release_video_frames": lambda w: w.release_video(frame_sizes=[1] * 7),
    "release_video_release_same_study": lambda w: w.release_video(release=w.data_release(study=w.other)),
    "release_video_video_same_study": lambda w: w.release_video(video=factories.video(factories.prompt(w.other))),
    "withdrawal_once": twice(lambda w: w.withdrawal()),
    "withdrawal_has_its_subject": lambda w: w.withdrawal(kind="video"),
    "withdrawal_has_reason": lambda w: w.withdrawal(reason=""),
    "withdrawal_assignment_same_study": lambda w: w.withdrawal(kind="answer", assignment=w.foreign_answer()),
    "withdrawal_video_same_study": lambda w: w.withdrawal(kind="video", video=w.foreign.video_0),
    "tombstone_once": lambda w: [
        w.tombstone(release=one, withdrawal=withdrawn)
        for one, withdrawn in [(w.data_release(), w.withdrawal())]
        for _twice in range(2)
    ],
    "tombstone_of_some_answers": lambda w: w.tombstone(answers=0),
    "tombstone_release_same_study": lambda w: w.tombstone(release=w.data_release(study=w.other)),
    "tombstone_withdrawal_same_study": lambda w: w.tombstone(withdrawal=w.withdrawal(study=w.other)),
    "lot_number_in_study": lambda w: [factories.lot(w.study, number=1) for _ in range(2)],
    "lot_number_from_one": lambda w: factories.lot(w.study, number=0),
    "lot_state_known": lambda w: factories.lot(w.study, state="lost"),
    "lot_later_attempt_has_previous": lambda w: factories.lot(w.study, attempt=2),
    "lot_previous_same_study": lambda w: factories.lot(w.study, attempt=2, previous=factories.lot(w.other)),
    "lot_started_unless_draft": lambda w: factories.lot(w.study, seed="0" * 32),
    "lot_shares_range": lambda w: factories.lot(w.study, state="in_review", ltpd=0),
    "lot_sample_drawn_whole": lambda w: factories.lot(w.study, state="in_review", size=1),
    "lot_decided_with_reason": lambda w: factories.lot(w.study, state="returned"),
    "lot_accepted_with_sample": lambda w: factories.lot(
        w.study, state="accepted", decided_at=NOON, decided_by=w.person, decision_reason="Good."
    ),
    "lot_batch_once": lambda w: factories.lot(w.study, w.pair.batch, w.pair.batch),
    "lot_batch_in_one_undecided_lot": lambda w: [factories.lot(w.study, w.pair.batch) for _ in range(2)],
    "lot_batch_lot_same_study": lambda w: LotBatch.objects.create(
        study=w.study, lot=factories.lot(w.other), batch=w.pair.batch
    ),
    "lot_batch_batch_same_study": lambda w: factories.lot(w.study, w.foreign.batch),
    "frame_item_place": lambda w: w.another_frame_item(place=1),
    "frame_item_once": lambda w: w.another_frame_item(assignment=w.frame_item().assignment),
    "frame_item_sample_place": lambda w: [
        w.change(item, sample_place=1, judged=item.current) for item in (w.frame_item(), w.another_frame_item())
    ],
    "frame_item_place_from_one": lambda w: w.another_frame_item(place=0),
    "frame_item_sample_place_range": lambda w: w.change(w.frame_item(), sample_place=1),
    "frame_item_lost_known": lambda w: w.change(w.frame_item(), lost="odd"),
    "frame_item_lot_same_study": lambda w: w.another_frame_item(lot=w.frame_item(w.other).lot),
    "frame_item_batch_of_lot": lambda w: w.another_frame_item(batch=factories.batch(w.study, number=9)),
    "frame_item_assignment_same_study": lambda w: w.another_frame_item(assignment=w.frame_item(w.other).assignment),
    "frame_item_first_same_study": lambda w: w.another_frame_item(first=w.frame_item(w.other).first),
    "frame_item_current_same_study": lambda w: w.another_frame_item(current=w.frame_item(w.other).first),
    "frame_item_judged_same_study": lambda w: w.another_frame_item(judged=w.frame_item(w.other).first),
    "lot_decision_outcome_known": lambda w: w.lot_decision(outcome="lost"),
    "lot_decision_has_reason": lambda w: w.lot_decision(reason=""),
    "lot_decision_return_asks_again": lambda w: w.lot_decision(outcome="returned"),
    "lot_decision_names_people": lambda w: w.lot_decision(outcome="returned", ask_again="people"),
    "lot_decision_lot_same_study": lambda w: w.lot_decision(lot=factories.lot(w.other)),
    "study_review_shares_range": lambda w: w.change(w.study, spot_share=1.1),
    "study_risks_range": lambda w: w.change(w.study, alpha=0),
    "study_good_lot_below_bad": lambda w: w.change(w.study, aql=0.2),
    "review_one_role_a_person": lambda w: [w.review(kind=kind) for kind in ("secondary", "confirm")],
    "review_one_person_a_role": lambda w: [
        w.review(reviewer=factories.person(), state="submitted", ended_at=NOON) for _ in range(2)
    ],
    "review_one_lease_a_role": lambda w: [w.review(reviewer=factories.person(), kind="confirm") for _ in range(2)],
    "review_item_same_study": lambda w: w.review(study=w.other, pair=w.foreign),
    "review_pair_same_study": lambda w: w.review(pair=w.foreign),
    "review_kind_known": lambda w: w.review(kind="odd"),
    "review_state_known": lambda w: w.review(state="submitted"),
    "review_skipped_with_reason": lambda w: w.review(state="skipped", ended_at=NOON),
    "review_left_known": lambda w: w.review(left="tie"),
    "review_lease_has_length": lambda w: w.review(leased_at=NOON, expires_at=NOON),
    "calibration_number_in_study": lambda w: [w.calibration(number=1) for _ in range(2)],
    "calibration_has_topic": lambda w: w.calibration(topic=""),
    "calibration_follows_another": lambda w: itself(w, w.calibration()),
    "calibration_follows_same_study": lambda w: w.calibration(follows=w.calibration(study=w.other)),
    "calibration_state_known": lambda w: w.calibration(state="draft"),
    "calibration_guideline_followed": lambda w: w.calibration(guideline_after=1),
    "calibration_item_once": lambda w: [w.calibration_item(place=place) for place in (1, 2)],
    "calibration_item_place": lambda w: [w.calibration_item(), w.calibration_item(pair=factories.pair(w.study))],
    "calibration_item_session_same_study": lambda w: w.calibration_item(session=w.calibration(study=w.other)),
    "calibration_item_pair_same_study": lambda w: w.calibration_item(pair=w.foreign),
    "calibration_item_origin_known": lambda w: w.calibration_item(origin="unclear"),
    "calibration_item_outcome_whole": lambda w: w.calibration_item(outcome="It is clear now."),
    "calibration_sitting_once": twice(lambda w: w.calibration_sitting()),
    "calibration_sitting_item_same_study": lambda w: w.calibration_sitting(study=w.other),
    "calibration_sitting_left_known": lambda w: w.calibration_sitting(left="tie"),
    "calibration_sitting_skipped_ended": lambda w: w.calibration_sitting(skip_reason="cannot_judge"),
    "calibrationanswer_choices_known": lambda w: w.calibration_answer(helpfulness="left"),
    "calibrationanswer_tags_known": lambda w: w.calibration_answer(tags_video_0=["odd"]),
    "assigned_review_once": lambda w: [w.assigned_review(), w.assigned_review(reviewer=factories.person())],
    "assigned_review_one_role_a_person": lambda w: [w.assigned_review(kind=kind) for kind in ("spot", "confirm")],
    "assigned_review_item_same_study": lambda w: w.assigned_review(study=w.other, lot=factories.lot(w.other)),
    "assigned_review_lot_same_study": lambda w: w.assigned_review(lot=factories.lot(w.other)),
    "assigned_review_kind_known": lambda w: w.assigned_review(kind="odd"),
    "assigned_review_has_length": lambda w: w.assigned_review(until=NOON),
    "review_answer_once": twice(lambda w: w.review_answer()),
    "review_answer_lot_same_study": lambda w: w.review_answer(lot=factories.lot(w.other)),
    "review_answer_pair_same_study": lambda w: w.review_answer(pair=w.foreign),
    "reviewanswer_choices_known": lambda w: w.review_answer(correctness="left"),
    "reviewanswer_tags_known": lambda w: w.review_answer(tags_video_0=["rude"]),
    "verdict_once_a_row": twice(lambda w: w.verdict(review=w.review(kind="look"))),
    "verdict_review_same_study": lambda w: w.verdict(study=w.other),
    "verdict_item_same_study": lambda w: w.verdict(item=w.frame_item(w.other)),
    "verdict_annotation_same_study": lambda w: w.verdict(annotation=w.frame_item(w.other).first),
    "verdict_words_known": lambda w: w.verdict(row="beauty"),
    "verdict_defect_has_reason_and_own_answer": lambda w: w.verdict(ruling="defect", own="video_1"),
    "verdict_only_tags_corrected": lambda w: w.verdict(ruling="corrected", own="video_1"),
    "verdict_waits_or_is_settled": lambda w: w.verdict(waits_for="confirm"),
    "verdict_counts_once_confirmed": lambda w: w.verdict(counts=True),
    "second_opinion_once": twice(lambda w: w.second_opinion()),
    "reply_has_text": lambda w: Reply.objects.create(study=w.study, item=w.frame_item(), text=""),
    "reply_closed_whole": lambda w: Reply.objects.create(study=w.study, item=w.frame_item(), text="x", closing="y"),
    "second_blind_once": lambda w: [
        w.second_blind(first=w.review_answer(reviewer=factories.person()), item=item)
        for item in (w.frame_item(), w.another_frame_item())
    ],
    "second_blind_item_same_study": lambda w: w.second_blind(item=w.frame_item(w.other)),
    "second_blind_pair_same_study": lambda w: w.second_blind(pair=w.foreign),
    "second_blind_is_another_answer": lambda w: w.second_blind_by_the_same(),
    "review_exposure_once_a_day": twice(lambda w: w.review_exposure()),
    "review_exposure_not_negative": lambda w: w.review_exposure(revealed_s=-1),
    "study_share_cap_range": lambda w: w.change(w.study, share_cap=0),
    "suspension_state_known": lambda w: w.suspension(state="lost", finished_at=NOON),
    "suspension_failed_has_reason": lambda w: w.suspension(state="failed", finished_at=NOON),
    "suspension_running_has_heartbeat": lambda w: w.suspension(state="running"),
    "suspension_waits_only_while_waiting": lambda w: w.suspension(state="done", finished_at=NOON, wait_until=NOON),
    "suspension_finished_has_moment": lambda w: w.suspension(state="done"),
    "suspension_one_open": lambda w: [w.suspension(person=factories.person()) for _ in range(2)],
    "suspension_one_in_force": lambda w: [w.suspension(state="done", finished_at=NOON) for _ in range(2)],
    "suspension_has_reason": lambda w: w.suspension(why=""),
    "suspension_names_what_it_returns": lambda w: w.suspension(what="since"),
    "suspension_lifted_whole": lambda w: w.lifted(lifted_because=""),
    "suspension_lot_same_study": lambda w: w.suspension(what="lot", lot=factories.lot(w.other)),
    "suspended_answer_once": twice(lambda w: w.suspended_answer()),
    "suspended_answer_outcome_known": lambda w: w.suspended_answer(outcome="lost"),
    "suspended_answer_suspension_same_study": lambda w: w.suspended_answer(
        suspension=w.suspension(study=w.other), study=w.study
    ),
    "suspended_answer_assignment_same_study": lambda w: w.suspended_answer(assignment=w.foreign_answer()),
    "pause_rule_once_a_figure": twice(lambda w: w.pause_rule()),
    "pause_rule_figure_known": lambda w: w.pause_rule(figure="beauty"),
    "pause_rule_threshold_range": lambda w: w.pause_rule(threshold=1),
    "pause_rule_least_known": lambda w: w.pause_rule(least=60),
    "pause_judgement_once_a_count": twice(lambda w: w.judgement()),
    "pause_judgement_at_these_counts_only": lambda w: w.judgement(items=51),
    "pause_judgement_interval_ordered": lambda w: w.judgement(low=0.5, high=0.4),
    "pause_one_in_force": lambda w: [
        factories.pause(w.study, w.person, judgement=w.judgement(items=items)) for items in (50, 100)
    ],
    "pause_ended_by_somebody_why": lambda w: factories.pause(w.study, w.person, ended_at=NOON),
    "undone_judgement_judgement_same_study": lambda w: w.undone_judgement(judgement=w.judgement()),
    "undone_judgement_control_same_study": lambda w: w.undone_judgement(
        control=w.control(kind="tag_gold", question="")
    ),
    "pause_judgement_same_study": lambda w: factories.pause(w.other, w.person, judgement=w.judgement()),
    "endpoint_address_once": twice(lambda w: factories.endpoint(w.study, address="https://example.org/")),
    "endpoint_has_events": lambda w: factories.endpoint(w.study, events=[]),
    "endpoint_off_with_reason": lambda w: factories.endpoint(w.study, off_at=NOON),
    "secret_one_present": lambda w: Secret.objects.create(endpoint=factories.endpoint(w.study), text="whsec_x"),
    "secret_has_prefix": lambda w: Secret.objects.create(
        endpoint=factories.endpoint(w.study), text="x", valid_until=NOON
    ),
    "event_has_type": lambda w: Event.objects.create(study=w.study, type="", data={}),
    "delivery_once_an_endpoint": lambda w: [factories.delivery(w.endpoint, event=w.event) for _ in range(2)],
    "delivery_problem_known": lambda w: factories.delivery(w.endpoint, problem="bored"),
    "delivery_endpoint_same_study": lambda w: factories.delivery(w.endpoint, endpoint=factories.endpoint(w.other)),
    "delivery_event_same_study": lambda w: factories.delivery(
        w.endpoint, event=Event.objects.create(study=w.other, type="lot.accepted", data={})
    ),
    "delivery_state_known": lambda w: factories.delivery(w.endpoint, state="lost", finished_at=NOON),
    "delivery_failed_has_reason": lambda w: factories.delivery(w.endpoint, state="failed", finished_at=NOON),
    "delivery_running_has_heartbeat": lambda w: factories.delivery(w.endpoint, state="running"),
    "delivery_waits_only_while_waiting": lambda w: factories.delivery(
        w.endpoint, state="done", finished_at=NOON, wait_until=NOON
    ),
    "delivery_finished_has_moment": lambda w: factories.delivery(w.endpoint, state="done"),
    "break_why_known": lambda w: w.rest(why="nap"),
    "break_has_length": lambda w: w.rest(ends_at=timezone.now() - timedelta(minutes=1)),
}

#: Unique together with the primary key, so never broken on their own: composite foreign keys point at them.
TARGETS = broken_training.TARGETS | {
    "release_family_study_id",
    "release_study_id",
    "release_family_id",
    "withdrawal_study_id",
    "endpoint_study_id",
    "event_study_id",
    "prompt_study_id",
    "video_study_id",
    "video_prompt_study_id",
    "batch_study_id",
    "pair_study_id",
    "lot_study_id",
    "control_study_id",
    "frame_item_study_id",
    "annotation_assignment_id",
    "annotation_study_id",
    "assignment_study_id",
    "review_study_id",
    "suspension_study_id",
    "pause_judgement_study_id",
    "pause_judgement_study_id_figure",
    "calibration_study_id",
    "calibration_item_study_id",
    "pair_set_study_kind_id",
    "pair_set_study_id",
    "set_item_set_id",
    "attempt_study_set_id",
    "attempt_study_person_id",
}


def copy_of(assignment, **values):
    """Return another assignment of the same pair and person, released unless `values` say otherwise."""
    values = {"state": "released", "ended_at": timezone.now(), "round_reason": "returned"} | values
    fields = (
        "study",
        "pair",
        "person",
        "left",
        "dimension_first",
        "expires_at",
        "protocol_version",
        "guideline_version",
    )
    return Assignment.objects.create(**{name: getattr(assignment, name) for name in fields} | values)


@pytest.fixture
def world(db):
    return World()


def declared():
    """Return the names of all constraints of all apps."""
    return {
        constraint.name
        for app in set(APPS) & set(apps.app_configs)
        for model in apps.get_app_config(app).get_models()
        for constraint in model._meta.constraints
    }


def test_every_constraint_has_an_attempt_to_break_it():
    assert declared() == set(ATTEMPTS) | TARGETS


@pytest.mark.parametrize("name", ATTEMPTS)
def test_the_database_refuses(world, name):
    with pytest.raises((IntegrityError, DataError)) as refused, transaction.atomic():
        ATTEMPTS[name](world)
    assert name in str(refused.value)


def test_a_real_pair_is_of_the_study_that_its_prompt_and_videos_are_of(world):
    """One foreign key checks this for prompt and videos: the pair can name no other study."""
    there = world.foreign
    with pytest.raises(IntegrityError, match=r"pair_video_._same_prompt"), transaction.atomic():
        factories.pair(world.study, prompt=there.prompt, video_0=there.video_0, video_1=factories.video(there.prompt))


@pytest.mark.parametrize(
    ("model", "field"),
    [
        (model, field)
        for model in (Asset, Annotation, AuditEvent, AccessToken, Study)
        for field in model._meta.fields
        if field.unique and not field.primary_key
    ],
    ids=str,
)
def test_unique_columns_are_unique_in_the_database(db, model, field):
    with connection.cursor() as cursor:
        constraints = connection.introspection.get_constraints(cursor, model._meta.db_table)
    assert any(found["unique"] and found["columns"] == [field.column] for found in constraints.values())


def audited(w):
    issue_token(w.person, scopes=["read"])
    AuditEvent.objects.create(action="test.made", subject="x", subject_id="1")


#: For each table: how to fill it, and a change that only its trigger refuses.
APPEND_ONLY = {
    Annotation: (lambda w: w.annotation(), {"helpfulness": "video_1"}),
    AuditEvent: (audited, {"action": "x"}),
    Document: (lambda w: w.document(), {"text": "x"}),
    DocumentVersion: (lambda w: w.document_version(), {"published_by": None}),
    HoldChange: (lambda w: w.hold_change(), {"after": "x"}),
    LotDecision: (lambda w: w.lot_decision(), {"reason": "y"}),
    PauseJudgement: (lambda w: w.judgement(), {"hits": 1}),
    UndoneJudgement: (lambda w: w.undone_judgement(), {"undone_at": NOON}),
    QuarantineAct: (lambda w: w.act(), {"reason": "x"}),
    ReleaseFile: (lambda w: w.release_file(), {"byte_size": 2}),
    ReleaseItem: (lambda w: w.release_item(), {"part": "test"}),
    ReleaseLabel: (lambda w: w.release_label(), {"part": "test"}),
    ReleasePrompt: (lambda w: w.release_prompt(), {"part": "test"}),
    Tombstone: (lambda w: w.tombstone(), {"answers": 2}),
    Withdrawal: (lambda w: w.withdrawal(), {"reason": "y"}),
    SecondLook: (lambda w: w.second_look(), {"looked_at": NOON}),
    StateChange: (lambda w: w.state_change(), {"step": "paused"}),
    TurnAnswer: (broken_rules.turn_answer, {"helpfulness": "video_1"}),
    ExtraAttempt: (broken_rules.extra, {"reason": "y"}),
    Artefact: (broken_training.artefact, {"byte_size": 2}),
    ModelFamily: (broken_training.family, {"backbone": "x"}),
}


@pytest.mark.parametrize("write", ["update", "delete", "truncate"])
@pytest.mark.parametrize("model", APPEND_ONLY)
def test_append_only_tables_refuse_every_other_write(world, model, write):
    make, changes = APPEND_ONLY[model]
    make(world)
    with pytest.raises(ProgrammingError, match=r"(?i)cannot (update|delete|truncate)"), transaction.atomic():
        if write == "update":
            model.objects.update(**changes)
        elif write == "delete":
            models.QuerySet(model)._raw_delete("default")
        else:
            with connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # no pending constraint of this test prevents it
                cursor.execute(f"TRUNCATE {model._meta.db_table} CASCADE")
    assert model.objects.exists()


def test_no_trigger_of_ours_is_missing_from_the_database(db):
    installed = [trigger.get_installation_status(model)[0] for model, trigger in pgtrigger.registered()]
    assert installed
    assert set(installed) == {"INSTALLED"}


def test_a_control_pair_may_join_videos_of_two_prompts_but_not_of_two_studies(world):
    control = factories.pair(
        world.study,
        kind="control",
        expected={"instruction_following": "video_0"},
        prompt=world.prompt,
        video_0=world.video,
        video_1=factories.video(world.other_prompt),
    )
    assert Pair.objects.get(pk=control.pk).real_prompt_id is None


def test_the_same_bytes_may_serve_two_studies_but_are_stored_once(world):
    asset = world.video.asset
    assert factories.video(world.foreign.prompt, asset=asset).asset_id == asset.pk
    with pytest.raises(IntegrityError), transaction.atomic():
        factories.asset(sha256=asset.sha256)


def test_rows_that_others_point_at_cannot_be_deleted(world):
    for row in (world.study, world.prompt, world.video, world.pair, world.person):
        with pytest.raises(models.ProtectedError), transaction.atomic():
            row.delete()
    assert Prompt.objects.filter(pk=world.prompt.pk).exists()
    assert Video.objects.filter(pk=world.video.pk).exists()
