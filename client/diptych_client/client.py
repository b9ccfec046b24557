"""What a program needs of the server: studies, consent, pairs and answers, reviews, and releases.

Bodies and responses are the dictionaries of the API, typed after its OpenAPI document in `diptych_client.api_types`.
`/api/` of the server describes each of them.
"""

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from diptych_client import credentials, pulling
from diptych_client.api_types import (
    OPERATIONS,
    AskedVideoRequest,
    CareRequest,
    ConsentShape,
    DecisionRequest,
    DeskShape,
    GuidelineShape,
    HarmEnum,
    LotShape,
    NewReleaseRequest,
    QualityShape,
    ReadShape,
    ReleaseDetailShape,
    ReleaseShape,
    ReviewKindEnum,
    ReviewShape,
    ReviewsShape,
    ReviewSubmitRequest,
    RunDetailShape,
    SkipRequest,
    StudyShape,
    SubmissionRequest,
    SubmittedShape,
    VersionShape,
    VideoScoresShape,
)
from diptych_client.connection import PATIENCE_S, Connection
from diptych_client.errors import ClientError

#: States of a release that a worker is still making.
OPEN = ("waiting", "running")
POLL_S = 1.0


class Client:
    """A server, in the name of the person whose token is used.

    Without a server and a token, they are those of the environment (`DIPTYCH_SERVER`, `DIPTYCH_TOKEN`), else those of
    `diptych sign-in`. Every method raises ClientError if the server refuses or cannot be reached. While the server is
    busy, a request is repeated for `patience_s` seconds. After a broken connection it is repeated where that is
    harmless.
    """

    def __init__(self, server: str = "", token: str = "", *, patience_s: float = PATIENCE_S) -> None:
        if not (server and token):
            server, token = credentials.chosen(server)
        self.connection = Connection(server, token, patience_s=patience_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self.connection.close()

    # --- Studies ----------------------------------------------------------------------------------------

    def studies(self, *, archived: bool = False) -> list[StudyShape]:
        """Return the studies in which you have a role. Scope of the token: read."""
        found: list[StudyShape] = self._call("studies_list", query={"archived": archived})["studies"]
        return found

    # --- Consent and answers: scope annotate -----------------------------------------------------------

    def consent(self, study: str) -> ConsentShape:
        """Return the terms of a study, and whether you have agreed to them."""
        return self._call("consent_read", slug=study)

    def agree(self, study: str, *, version: int, language: str, categories: Collection[HarmEnum]) -> ConsentShape:
        """Agree to the terms that you have read, and to seeing these harms."""
        body = {"version": version, "language": language, "categories": list(categories)}
        return self._call("consent_give", body, slug=study)

    def withdraw_consent(self, study: str) -> None:
        """Withdraw your consent. Your answers stay."""
        self._call("consent_withdraw", slug=study)

    def guideline(self, study: str) -> GuidelineShape:
        """Return the guideline in your language."""
        return self._call("studies_guideline_retrieve", slug=study)

    def read_guideline(self, study: str, version: int) -> ReadShape:
        """Say that you have read this version of the guideline. After a change, pairs are served only then."""
        return self._call("studies_guideline_read_create", {"version": version}, is_repeatable=True, slug=study)

    def lease(self, study: str) -> DeskShape:
        """Lease the current and the next pair. Until you answer, it returns the same two."""
        return self._call("studies_assignments_create", is_repeatable=True, slug=study)

    def submit(self, assignment_id: int, answers: SubmissionRequest) -> SubmittedShape:
        """Store the answers on a leased pair. Its `submission_id`, a UUID, makes a repetition harmless."""
        return self._call("assignments_submit_create", answers, is_repeatable=True, assignment_id=assignment_id)

    def skip(self, assignment_id: int, skip: SkipRequest) -> DeskShape:
        """Skip a pair for good, with a reason."""
        return self._call("assignments_skip_create", skip, assignment_id=assignment_id)

    def release_pair(self, assignment_id: int) -> None:
        """Give a leased pair back without an answer."""
        self._call("assignments_release_create", assignment_id=assignment_id)

    def report_exposure(self, assignment_id: int, care: CareRequest) -> None:
        """Say how much possibly harmful video was seen. It counts towards the daily limit."""
        self._call("assignments_care_create", {"care": care}, is_repeatable=True, assignment_id=assignment_id)

    # --- Lots and reviews: scopes read, manage and review ----------------------------------------------

    def lots(self, study: str) -> Iterator[LotShape]:
        """Yield the lots of a study, latest first."""
        return self._pages(lambda query: self._call("lots_list", query=query, slug=study), "lots")

    def make_lot(self, study: str, batches: Collection[int]) -> LotShape:
        """Put batches, by their numbers, together into a draft lot."""
        return self._call("lots_put_together", {"batches": list(batches)}, slug=study)

    def start_review(self, lot_id: int) -> LotShape:
        """Start the review of a draft lot. Its answers are frozen."""
        return self._call("lots_start", is_repeatable=True, lot_id=lot_id)

    def draw_spot_check(self, lot_id: int, *, without_rest: bool = False) -> LotShape:
        """End the secondary review of a lot, and draw the sample of its spot check."""
        return self._call("lots_draw", {"without_rest": without_rest}, is_repeatable=True, lot_id=lot_id)

    def lot_quality(self, lot_id: int) -> QualityShape:
        """Return the figures of a lot: the plan, the samples, and the rates."""
        return self._call("lots_quality", lot_id=lot_id)

    def decide(self, lot_id: int, decision: DecisionRequest) -> QualityShape:
        """Accept or return a lot, or reopen its decision."""
        return self._call("lots_decide", decision, lot_id=lot_id)

    def lease_review(self, lot_id: int, kind: ReviewKindEnum) -> ReviewsShape:
        """Lease the answers of the next pair that waits for a review of this kind."""
        return self._call("lots_reviews_create", {"kind": kind}, is_repeatable=True, lot_id=lot_id)

    def answer_review(self, review_id: int, answers: SubmissionRequest) -> ReviewShape:
        """Store your own answers on the pair of a blind review."""
        return self._call("reviews_answer_create", answers, is_repeatable=True, review_id=review_id)

    def submit_review(self, review_id: int, review: ReviewSubmitRequest) -> ReviewsShape:
        """Store your verdicts or opinions on the answers of a review, and lease the next one."""
        return self._call("reviews_submit_create", review, is_repeatable=True, review_id=review_id)

    def release_review(self, review_id: int) -> None:
        """Give a leased review back without verdicts."""
        self._call("reviews_release_create", is_repeatable=True, review_id=review_id)

    # --- Releases: scopes export and manage -------------------------------------------------------------

    def releases(self, study: str) -> Iterator[ReleaseShape]:
        """Yield the releases of a study, latest first."""
        return self._pages(lambda query: self._call("releases_list", query=query, slug=study), "releases")

    def release(self, release_id: int) -> ReleaseDetailShape:
        """Return a release with its files, its manifest and what was withdrawn."""
        return self._call("releases_read", release_id=release_id)

    def find_release(self, study: str, number: int | None = None) -> ReleaseDetailShape:
        """Return the release with this number, or the latest with files. Raise ClientError if there is none."""
        if number is None:
            number = self._call("releases_list", slug=study)["latest"]
            if number is None:
                sentence = f"The study {study} has no release that can be downloaded. Make one, or name its number."
                raise ClientError(sentence, "not_found")
        first = self._call("releases_list", query={"before": number + 1}, slug=study)["releases"][:1]
        if not first or first[0]["number"] != number:
            raise ClientError(f"The study {study} has no release {number}.", "not_found")
        return self.release(first[0]["id"])

    def make_release(self, study: str, wanted: NewReleaseRequest) -> ReleaseDetailShape:
        """Have a release made by a worker. `wait_for_release` waits until it is done."""
        return self._call("releases_make", wanted, slug=study)

    def wait_for_release(self, release_id: int, *, within_s: float = 3600) -> ReleaseDetailShape:
        """Return a release when it is done. Raise ClientError if it ends otherwise, or is not done in time."""
        until = time.monotonic() + within_s
        while (made := self.release(release_id))["state"] in OPEN and time.monotonic() < until:
            time.sleep(POLL_S)
        pulling.require_complete(made)
        return made

    def cancel_release(self, release_id: int) -> ReleaseDetailShape:
        """Cancel a release that is being made."""
        return self._call("releases_cancel", is_repeatable=True, release_id=release_id)

    def read_file(self, release_id: int, path: str) -> bytes:
        """Return a small file of a release, such as `card.md`."""

        def once() -> bytes:
            with self.connection.stream(f"releases/{release_id}/files/{quote(path)}", {}) as response:
                return response.read()

        return self.connection.repeat(once)

    def pull(
        self,
        study: str,
        number: int | None = None,
        folder: str | Path = "",
        *,
        advance: Callable[[int], object] = lambda _bytes: None,
    ) -> pulling.Pulled:
        """Download a release into a new folder, or continue an earlier download of it.

        Without a number it is the latest release, and without a folder it is `STUDY-NUMBER`. The folder appears when it
        is complete and every file has the SHA-256 that the manifest states. `advance` is called with numbers of bytes.

        Raises:
            ClientError: the release cannot be downloaded, or the folder has something else.
            OSError: the folder cannot be written.
        """
        release = self.find_release(study, number)
        target = Path(folder or f"{study}-{release['number']}")
        return pulling.pull(self.connection, release, target, advance=advance)

    # --- Models: scopes export and manage ----------------------------------------------------------------

    def models(self, study: str) -> Iterator[VersionShape]:
        """Yield the model versions of a study, latest first."""
        return self._pages(lambda query: self._call("models_list", query=query, slug=study), "versions")

    def scores(self, version_id: int, videos: Sequence[AskedVideoRequest]) -> list[VideoScoresShape]:
        """Return what a version said about up to 1,000 videos, in their order.

        A video is named by its published id, or by the SHA-256 of its original file with its prompt.
        """
        body = {"videos": list(videos)}
        found: list[VideoScoresShape] = self._call("models_scores", body, is_repeatable=True, version_id=version_id)[
            "videos"
        ]
        return found

    def score(self, version_id: int, videos: Sequence[str]) -> RunDetailShape:
        """Have a promoted version score videos, by their published ids. Return the run that a worker does."""
        return self._call("models_score", {"videos": list(videos)}, version_id=version_id)

    def run(self, run_id: int) -> RunDetailShape:
        """Return a training run, with its state."""
        return self._call("runs_read", run_id=run_id)

    # --- Requests ---------------------------------------------------------------------------------------

    def _call(
        self,
        operation: str,
        body: Any = None,
        *,
        query: dict[str, Any] | None = None,
        is_repeatable: bool = False,
        **of_path: Any,
    ) -> Any:
        """Send the request of an operation, and return the body of its response; None if it has none."""
        method, path = OPERATIONS[operation]
        path = path.format(**{name: quote(str(value), safe="") for name, value in of_path.items()})
        response = self.connection.request(method, path, body=body, query=query, is_repeatable=is_repeatable)
        return response.json() if response.content else None

    @staticmethod
    def _pages(page: Callable[[dict[str, Any]], Any], name: str) -> Iterator[Any]:
        """Yield the rows of all pages of a list."""
        query: dict[str, Any] = {}
        while True:
            found = page(query)
            yield from found[name]
            if found["next"] is None:
                return
            query = {"before": found["next"]}
