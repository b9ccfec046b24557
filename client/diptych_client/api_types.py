"""Bodies and operations of the API, as its OpenAPI document describes them.

Written by `python -m tests.client.api_types`; a test compares it with the document. Do not change it by hand.
"""

from typing import Any, Literal, NotRequired, TypedDict

AnswerEnum = Literal["video_0", "video_1", "tie"]
AskAgainEnum = Literal["defects", "people", "all"]
AskedBecauseEnum = Literal["person", "rule", "command", "comparison"]
CodeEnum = Literal["against_guideline", "overlooked", "sides_mixed_up", "harm_missed", "harm_not_there", "other"]
ConsentShapeStateEnum = Literal["first", "given", "changed", "withdrawn"]
DecisionEnum = Literal["first", "better", "not_worse", "worse", "undecided", "not_decidable"]
DecisionOutcomeEnum = Literal["accepted", "returned", "reopened"]
DecisionsEnum = Literal["accepted", "returned", "in_review", "none"]
DimensionFirstEnum = Literal["helpfulness", "harmlessness"]
HarmEnum = Literal[
    "porn",
    "animal_abuse",
    "child_abuse",
    "crime",
    "controversial",
    "contraband",
    "hate",
    "violence",
    "racism",
    "other_discrimination",
    "terrorism",
    "other_harmful",
]
JobStateEnum = Literal["waiting", "running", "done", "failed", "cancelled"]
LanguageEnum = Literal["en", "zh-hans"]
LotShapeStateEnum = Literal["draft", "in_review", "accepted", "returned"]
MediaFilterEnum = Literal["none", "blur", "greyscale"]
ModeEnum = Literal["verdicts", "confirm", "adjudicate"]
ModelKindEnum = Literal["reward", "moderation"]
ModelStateEnum = Literal["candidate", "promoted", "kept", "withdrawn"]
NothingToDoEnum = Literal[
    "finished",
    "all_leased",
    "paused",
    "excluded",
    "cap",
    "break",
    "consent",
    "guideline",
    "qualification",
    "suspended",
    "work_paused",
    "share",
    "closed",
]
NothingToReviewEnum = Literal["nothing_due", "cap", "excluded", "consent", "busy"]
PromptTypesEnum = Literal["safety_neutral", "safety_critical"]
PurposeEnum = Literal["train", "evaluate", "score"]
ReturnedShapeReasonEnum = Literal["returned"]
ReviewKindEnum = Literal["secondary", "spot", "look", "confirm", "adjudicate", "second_blind"]
ReviewedEnum = Literal["any", "reviewed", "without_defect"]
RoleEnum = Literal["annotator", "reviewer", "researcher", "admin", "wellbeing_contact"]
RowEnum = Literal[
    "instruction_following",
    "correctness",
    "informativeness",
    "aesthetics",
    "helpfulness",
    "harmlessness",
    "tags_video_0",
    "tags_video_1",
]
RulingEnum = Literal["fine", "corrected", "defect", "guideline_unclear", "disputed"]
SaysEnum = Literal["first", "second", "both", "neither", "disputed", "defect", "fine"]
SkipReasonEnum = Literal["technical_problem", "cannot_judge", "too_distressing", "not_revealed"]
StudyStateEnum = Literal["running", "paused", "closed"]
SubDimensionEnum = Literal["instruction_following", "correctness", "informativeness", "aesthetics"]
SurplusEnum = Literal["surplus", "surplus_study_closed", "surplus_batch_closed", "surplus_suspended"]
VideoEnum = Literal["video_0", "video_1"]
VideoScoreStateEnum = Literal["scored", "failed", "ready", "preparing", "unplayable", "unknown"]
WithdrawalKindEnum = Literal["answer", "video", "person"]


class AgreementRequest(TypedDict):
    version: int
    language: str
    categories: list[str]


class AnswerOnRowShape(TypedDict):
    name: str
    text: str
    value: Any


class AskedVideoRequest(TypedDict):
    """A video: its published id, or the SHA-256 of its original file with its prompt."""

    video: NotRequired[str]
    sha256: NotRequired[str]
    prompt: NotRequired[str]


class AskedVideosRequest(TypedDict):
    videos: list[AskedVideoRequest]


class CategoryShape(TypedDict):
    key: HarmEnum
    label: str
    covers: str


class DecisionRequest(TypedDict):
    """A decision. `reopened` takes the decision that stands back."""

    outcome: DecisionOutcomeEnum
    reason: str
    ask_again: NotRequired[AskAgainEnum | Literal[""]]
    people: NotRequired[list[str]]
    against_plan: NotRequired[bool]


class DrawRequest(TypedDict):
    without_rest: NotRequired[bool]


class FactShape(TypedDict):
    key: str
    label: str
    value: str


class ConsentShape(TypedDict):
    version: int
    texts: dict[str, str]
    named: list[FactShape]
    categories: list[CategoryShape]
    state: ConsentShapeStateEnum
    agreed_version: int | None
    agreed_categories: list[str]


class FileShape(TypedDict):
    path: str
    kind: str
    sha256: str
    bytes: int
    counts: dict[str, Any]


class FilterRequest(TypedDict):
    """Which answers. An empty list or null leaves nothing out."""

    decisions: NotRequired[list[DecisionsEnum]]
    lots: NotRequired[list[int]]
    reviewed: NotRequired[ReviewedEnum]
    since: NotRequired[str | None]
    until: NotRequired[str | None]
    languages: NotRequired[list[str]]
    prompt_types: NotRequired[list[PromptTypesEnum]]
    protocol_versions: NotRequired[list[int]]


class FormatOptionsRequest(TypedDict):
    """Options of formats. Those of a format that is not chosen are left out."""

    videoreward: NotRequired[dict[str, str]]


class HelpfulnessRequest(TypedDict):
    instruction_following: AnswerEnum
    correctness: AnswerEnum
    informativeness: AnswerEnum
    aesthetics: AnswerEnum
    overall: AnswerEnum


class LeaseRequest(TypedDict):
    kind: ReviewKindEnum
    ahead: NotRequired[bool]


class LotShape(TypedDict):
    id: int
    number: int
    attempt: int
    previous: int | None
    state: LotShapeStateEnum
    batches: list[int]
    frame_size: int | None
    size: int | None
    sample_size: int | None
    acceptance_number: int | None
    started_at: str | None
    decided_at: str | None
    seed: str


class LotsShape(TypedDict):
    lots: list[LotShape]
    next: int | None


class ModelComparisonShape(TypedDict):
    """What the comparison showed. Differences are shares from −1 to 1."""

    k: int | None
    against: int | None
    low: float | None
    high: float | None
    clusters: int | None


class ModelVersionShape(TypedDict):
    id: int
    family: str
    backbone: str
    number: int
    state: ModelStateEnum


class NewLotRequest(TypedDict):
    batches: list[int]


class NewReleaseRequest(TypedDict):
    """What a release is to be."""

    licence: str
    terms: NotRequired[str]
    licence_reason: NotRequired[str]
    filter: NotRequired[FilterRequest]
    formats: NotRequired[list[str]]
    options: NotRequired[FormatOptionsRequest]
    parent: NotRequired[int | None]
    with_invalid: NotRequired[bool]
    with_comments: NotRequired[bool]
    with_times: NotRequired[bool]
    with_weights: NotRequired[bool]


class OpinionRequest(TypedDict):
    verdict: int
    says: SaysEnum
    comment: NotRequired[str]


class PromptShape(TypedDict):
    text: str
    language: str


class QualityShape(TypedDict):
    lot: LotShape
    secondary_left: int
    quality: dict[str, Any] | None


class ReadRequest(TypedDict):
    version: int


class ReadShape(TypedDict):
    guideline_read: int


class ReleaseShape(TypedDict):
    id: int
    number: int
    state: JobStateEnum
    withdrawn: bool
    reason: str
    stage: str
    done: int
    total: int
    created_at: str
    finished_at: str | None
    parent: int | None
    licence: str
    licence_reason: str
    filter: dict[str, Any]
    counts: dict[str, Any]


class ReleasesShape(TypedDict):
    latest: int | None
    releases: list[ReleaseShape]
    next: int | None


class ReturnedShape(TypedDict):
    """Why the person is asked to answer this pair again."""

    reason: ReturnedShapeReasonEnum
    comment: str


class RevealedRequest(TypedDict):
    video_0: NotRequired[float]
    video_1: NotRequired[float]


class RowShape(TypedDict):
    review: int
    annotation: int | None
    verdict: int | None
    row: RowEnum
    group: str
    question: str
    deciding: bool
    answers: list[AnswerOnRowShape]
    differs: bool
    note: str


class JudgingShape(TypedDict):
    mode: ModeEnum
    rows: list[RowShape]
    reply: str | None


class RunFileShape(TypedDict):
    path: str
    sha256: str
    bytes: int


class RunDetailShape(TypedDict):
    id: int
    state: JobStateEnum
    purpose: PurposeEnum
    reason: str
    release: int
    kind: ModelKindEnum
    targets: list[str]
    backbone: str
    seed: int
    seeds: int
    options: dict[str, Any]
    gpus: int
    gpu_memory_mib: int
    asked_because: AskedBecauseEnum
    worker: str | None
    stage: str
    done: int
    total: int
    loss: float | None
    attempts: int
    created_at: str
    started_at: str | None
    finished_at: str | None
    wall_s: float | None
    hardware: str
    code_version: str
    resources: dict[str, Any]
    points: list[list[float]]
    validation_points: list[list[float]]
    log: str
    preflight: dict[str, Any] | None
    metrics: list[dict[str, Any]] | None
    fault: dict[str, Any]
    files: list[RunFileShape]
    version: ModelVersionShape | None


class SectionShape(TypedDict):
    key: str
    title: str
    level: int
    html: str


class GuidelineShape(TypedDict):
    version: int
    language: LanguageEnum
    sections: list[SectionShape]


class ShowingRequest(TypedDict):
    """The counters of one showing of a pair. They start at 0 and only grow, so sending them again changes nothing."""

    showing: NotRequired[str]
    revealed_s: NotRequired[RevealedRequest]
    by_day: NotRequired[dict[str, RevealedRequest]]
    hidden: NotRequired[int]


class CareRequest(TypedDict):
    """A person's exposure. It counts towards their daily limit and is never stored with answers."""

    showing: NotRequired[str]
    revealed_s: NotRequired[RevealedRequest]
    by_day: NotRequired[dict[str, RevealedRequest]]
    hidden: NotRequired[int]
    earlier: NotRequired[list[ShowingRequest]]


class CareReportRequest(TypedDict):
    """A report of what was revealed so far."""

    care: CareRequest


class SkipRequest(TypedDict):
    reason: NotRequired[SkipReasonEnum]
    note: NotRequired[str]
    care: NotRequired[CareRequest]


class StoredShape(TypedDict):
    id: int
    submission_id: str
    revision: int
    counted: bool
    surplus: SurplusEnum | Literal[""]


class StudyShape(TypedDict):
    slug: str
    title: str
    state: StudyStateEnum
    archived_at: str | None
    roles: list[RoleEnum]
    allow_ties: bool
    protocol_version: int
    guideline_version: int


class StudiesShape(TypedDict):
    studies: list[StudyShape]


class TagsRequest(TypedDict):
    tags: list[HarmEnum]
    answered: NotRequired[list[HarmEnum]]


class HarmlessnessRequest(TypedDict):
    video_0: TagsRequest
    video_1: TagsRequest
    overall: AnswerEnum


class SubmissionRequest(TypedDict):
    """Complete answers, with an id that makes sending them again harmless."""

    timings_ms: NotRequired[dict[str, int]]
    viewing: NotRequired[dict[str, Any]]
    care: NotRequired[CareRequest]
    submission_id: str
    helpfulness: HelpfulnessRequest
    harmlessness: HarmlessnessRequest
    unsure: NotRequired[bool]
    comment: NotRequired[str]
    lease_next: NotRequired[bool]


class TombstoneShape(TypedDict):
    kind: WithdrawalKindEnum
    answers: int
    reason: str
    withdrawn_at: str


class ReleaseDetailShape(TypedDict):
    id: int
    number: int
    state: JobStateEnum
    withdrawn: bool
    reason: str
    stage: str
    done: int
    total: int
    created_at: str
    finished_at: str | None
    parent: int | None
    licence: str
    licence_reason: str
    filter: dict[str, Any]
    counts: dict[str, Any]
    funnel: list[dict[str, Any]]
    files: list[FileShape]
    manifest: dict[str, Any] | None
    tombstones: list[TombstoneShape]


class VerdictRequest(TypedDict):
    review: int
    annotation: int
    row: RowEnum
    ruling: RulingEnum
    code: NotRequired[CodeEnum | Literal[""]]
    comment: NotRequired[str]
    own: NotRequired[Any]


class ReviewSubmitRequest(TypedDict):
    verdicts: NotRequired[list[VerdictRequest]]
    opinions: NotRequired[list[OpinionRequest]]
    closing: NotRequired[str]
    care: NotRequired[CareRequest]


class VersionShape(TypedDict):
    id: int
    family: str
    backbone: str
    number: int
    state: ModelStateEnum
    kind: ModelKindEnum
    run: int
    release: int
    decision: DecisionEnum | Literal[""]
    reason: str
    comparison: ModelComparisonShape
    created_at: str
    decided_at: str | None


class VersionsShape(TypedDict):
    versions: list[VersionShape]
    next: int | None


class VideoScoresShape(TypedDict):
    video: str | None
    prompt: str | None
    state: VideoScoreStateEnum
    scores: dict[str, Any] | None


class ScoresShape(TypedDict):
    videos: list[VideoScoresShape]


class VideoShape(TypedDict):
    playback_url: str
    poster_url: str
    duration_s: float
    fps: float
    video_text: str | None


class AssignmentShape(TypedDict):
    id: int
    pair_id: str
    study: str
    prompt: PromptShape
    left: VideoEnum
    video_0: VideoShape
    video_1: VideoShape
    dimension_first: DimensionFirstEnum
    question_order: list[SubDimensionEnum]
    tag_order: list[HarmEnum]
    expires_at: str
    draft: dict[str, Any] | None
    guideline_version: int
    identical: bool
    sensitive: bool
    may_show: list[HarmEnum]
    media_filter: MediaFilterEnum
    batch: int
    round: int
    returned: ReturnedShape | None


class DeskShape(TypedDict):
    """A person's current and next pair."""

    current: AssignmentShape | None
    next: AssignmentShape | None
    reason: NothingToDoEnum | None
    retry_after_s: int | None


class ReviewShape(TypedDict):
    id: int
    pair_id: str
    study: str
    prompt: PromptShape
    left: VideoEnum
    video_0: VideoShape
    video_1: VideoShape
    dimension_first: DimensionFirstEnum
    question_order: list[SubDimensionEnum]
    tag_order: list[HarmEnum]
    expires_at: str
    draft: dict[str, Any] | None
    guideline_version: int
    identical: bool
    sensitive: bool
    may_show: list[HarmEnum]
    media_filter: MediaFilterEnum
    batch: int
    round: int
    returned: ReturnedShape | None
    kind: ReviewKindEnum
    blind: bool
    lot: int
    judging: JudgingShape | None
    ended: bool


class ReviewsShape(TypedDict):
    current: ReviewShape | None
    next: ReviewShape | None
    reason: NothingToReviewEnum | None
    retry_after_s: int | None
    looked_because: list[str]


class SubmittedShape(TypedDict):
    """A person's current and next pair."""

    current: AssignmentShape | None
    next: AssignmentShape | None
    reason: NothingToDoEnum | None
    retry_after_s: int | None
    annotation: StoredShape
    second_look: bool


class WantedVideosRequest(TypedDict):
    """Which videos to score."""

    videos: NotRequired[list[str]]


#: Method and path of each operation that the client uses.
OPERATIONS = {
    "assignments_care_create": ("POST", "assignments/{assignment_id}/care/"),
    "assignments_release_create": ("POST", "assignments/{assignment_id}/release/"),
    "assignments_skip_create": ("POST", "assignments/{assignment_id}/skip/"),
    "assignments_submit_create": ("POST", "assignments/{assignment_id}/submit/"),
    "consent_give": ("POST", "studies/{slug}/consent/"),
    "consent_read": ("GET", "studies/{slug}/consent/"),
    "consent_withdraw": ("DELETE", "studies/{slug}/consent/"),
    "lots_decide": ("POST", "lots/{lot_id}/decision/"),
    "lots_draw": ("POST", "lots/{lot_id}/draw/"),
    "lots_list": ("GET", "studies/{slug}/lots/"),
    "lots_put_together": ("POST", "studies/{slug}/lots/"),
    "lots_quality": ("GET", "lots/{lot_id}/quality/"),
    "lots_reviews_create": ("POST", "lots/{lot_id}/reviews/"),
    "lots_start": ("POST", "lots/{lot_id}/start/"),
    "models_list": ("GET", "studies/{slug}/models/"),
    "models_score": ("POST", "models/{version_id}/score/"),
    "models_scores": ("POST", "models/{version_id}/scores/"),
    "releases_cancel": ("POST", "releases/{release_id}/cancel/"),
    "releases_list": ("GET", "studies/{slug}/releases/"),
    "releases_make": ("POST", "studies/{slug}/releases/"),
    "releases_read": ("GET", "releases/{release_id}/"),
    "reviews_answer_create": ("POST", "reviews/{review_id}/answer/"),
    "reviews_release_create": ("POST", "reviews/{review_id}/release/"),
    "reviews_submit_create": ("POST", "reviews/{review_id}/submit/"),
    "runs_read": ("GET", "runs/{run_id}/"),
    "studies_assignments_create": ("POST", "studies/{slug}/assignments/"),
    "studies_guideline_read_create": ("POST", "studies/{slug}/guideline/read/"),
    "studies_guideline_retrieve": ("GET", "studies/{slug}/guideline/"),
    "studies_list": ("GET", "studies/"),
}
