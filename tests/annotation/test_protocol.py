"""Rules of the protocol that a study can set: the tag format and watching to the end; and the balance of sides."""

import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from annotation import serving
from annotation.answers import Answers, stage_errors, unwatched
from annotation.models import Annotation, Assignment
from annotation.protocol import HARM_KEYS
from studies.creation import create_study
from tests import factories

pytestmark = pytest.mark.django_db

EVERY = list(HARM_KEYS)


@pytest.fixture
def client(api, annotator):
    return api(annotator)


def harmlessness(first=None, second=None):
    """Return an answer on two videos. Each is a pair of tags and answered keys, or untouched."""
    videos = {f"video_{number}": one for number, one in enumerate((first, second))}
    return {video: {"tags": one[0], "answered": one[1]} if one else {"tags": []} for video, one in videos.items()} | {
        "overall": "video_0"
    }


class TestYesOrNo:
    @pytest.fixture
    def study(self, db):
        return factories.study(tag_format="yes_no")

    @pytest.fixture
    def assignment(self, study, client):
        factories.pairs(study, 2)
        return client.post(f"/api/v1/studies/{study.slug}/assignments/").json()["current"]["id"]

    def submit(self, client, assignment, answers):
        return client.post(
            f"/api/v1/assignments/{assignment}/submit/", factories.body(harmlessness=answers), format="json"
        )

    def test_every_tag_of_both_videos_is_answered_and_the_format_recorded(self, client, assignment):
        response = self.submit(client, assignment, harmlessness(([], EVERY), (["crime"], EVERY)))
        assert response.status_code == 201
        annotation = Annotation.objects.get()
        assert (annotation.tags_video_0, annotation.tags_video_1) == ([], ["crime"])
        assert annotation.presentation["tag_format"] == "yes_no"

    def test_a_tag_without_an_answer_is_refused_by_name(self, client, assignment):
        response = self.submit(client, assignment, harmlessness(([], EVERY), ([], EVERY[:-1])))
        assert response.status_code == 400
        assert EVERY[-1] in str(response.json()["fields"]["harmlessness"]["video_1"]["answered"])

    def test_an_empty_list_of_tags_by_itself_is_not_none_of_these(self, client, assignment):
        assert self.submit(client, assignment, harmlessness()).status_code == 400

    def test_a_draft_may_be_partial(self, client, assignment):
        partial = {"video_0": {"tags": ["crime"], "answered": ["crime", "hate"]}, "video_1": {"tags": None}}
        response = client.put(f"/api/v1/assignments/{assignment}/draft/", {"harmlessness": partial}, format="json")
        assert response.status_code == 204
        assert Assignment.objects.get(pk=assignment).draft["harmlessness"]["video_0"]["answered"] == ["crime", "hate"]

    def test_a_draft_has_no_overall_answer_before_every_tag(self):
        early = {"harmlessness": harmlessness(([], EVERY), ([], EVERY[1:]))}
        assert "harmlessness" in stage_errors(early, "yes_no")
        assert not stage_errors({"harmlessness": harmlessness(([], EVERY), ([], EVERY))}, "yes_no")


class TestSeenThrough:
    DURATIONS = {"video_0": 2.0, "video_1": 4.0}

    def report(self, **played):
        reports = {video: {"played_s": played.get(video, seconds), "seen_through": True, "loops": 1}
                   for video, seconds in self.DURATIONS.items()}  # fmt: skip
        return reports | {"presentation": {"speeds": played.get("speeds", {"1": 4.0})}}

    def test_both_played_to_the_end_are_watched(self):
        assert unwatched(self.report(), self.DURATIONS) == []

    def test_a_claim_without_seconds_is_not_enough(self):
        assert unwatched(self.report(video_1=1.0), self.DURATIONS) == ["video_1"]

    @pytest.mark.parametrize("speeds", [{"2": 4.0}, {"1.5": 4.0}, {"50": 4.0}, {"1": 0.2, "2": 4.0}])
    def test_a_video_played_faster_than_1x_is_not_watched(self, speeds):
        assert unwatched(self.report(speeds=speeds), self.DURATIONS) == ["video_0", "video_1"]

    @pytest.mark.parametrize("speeds", [{"1": 4.0}, {"0.25": 16.0}, {"0.5": 2.0, "1": 2.0, "2": 9.0}])
    def test_a_video_played_at_1x_or_slower_is_watched(self, speeds):
        assert unwatched(self.report(speeds=speeds), self.DURATIONS) == []

    def test_seconds_that_were_played_and_not_watched_do_not_count(self):
        blurred = self.report()
        blurred["video_0"]["watched_s"] = 1.7  # less than 90 % of two seconds
        blurred["video_1"]["watched_s"] = 3.7
        assert unwatched(blurred, self.DURATIONS) == ["video_0"]

    @pytest.mark.parametrize("seconds", [float("nan"), float("inf"), -4.0, 10**400, "4", None, True])
    def test_a_malformed_number_of_seconds_counts_as_zero(self, seconds):
        claimed = self.report()
        claimed["video_1"]["watched_s"] = seconds
        assert unwatched(claimed, self.DURATIONS) == ["video_1"]

    @pytest.mark.long
    @given(st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=5),
        lambda inner: st.dictionaries(
            st.sampled_from(
                ["video_0", "video_1", "presentation", "speeds", "played_s", "watched_s", "seen_through", "nan", "2"]
            ),
            inner, max_size=4,
        ),
        max_leaves=8,
    ))  # fmt: skip
    def test_a_malformed_report_counts_as_unwatched_without_an_error(self, viewing):
        viewing = viewing if isinstance(viewing, dict) else {}
        assert set(unwatched(viewing, self.DURATIONS)) <= {"video_0", "video_1"}

    def test_a_new_study_requires_it_and_has_neither_comments_nor_reminders(self, researcher):
        study = create_study(slug="new-study", title="New", actor=researcher)
        assert (study.require_seen_through, study.comments, study.reminders) == (True, False, False)

    @pytest.mark.parametrize("required", [True, False])
    def test_the_server_refuses_an_unwatched_pair_only_if_the_study_requires_watching(
        self, study, client, required, django_assert_num_queries
    ):
        study.require_seen_through = required
        study.save()
        factories.pairs(study, 2)
        assignment = client.post(f"/api/v1/studies/{study.slug}/assignments/").json()["current"]["id"]
        response = client.post(f"/api/v1/assignments/{assignment}/submit/", factories.body(), format="json")
        assert response.status_code == (400 if required else 201)
        if required:
            assert set(response.json()["fields"]["viewing"]) == {"video_0", "video_1"}
            seen = {f"video_{n}": {"played_s": 2.0, "seen_through": True} for n in range(2)}
            body = factories.body(viewing=seen)
            assert client.post(f"/api/v1/assignments/{assignment}/submit/", body, format="json").status_code == 201


class TestBalance:
    """Rule 3: sides are balanced within a person and within a pair, in whatever order people work."""

    @settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(turns=st.lists(st.integers(0, 2), min_size=6, max_size=24), seed=st.integers(0, 10**6))
    @pytest.mark.long
    def test_left_is_even_within_each_pair_and_within_each_person(self, db, turns, seed):
        study = factories.study(seed=seed)
        factories.pairs(study, 6, wanted=3)
        people = [factories.member(study, "annotator") for _ in range(3)]
        for turn in turns:
            if serving.lease(people[turn], study).current:
                factories.answer(people[turn], study)
        given_out = Assignment.objects.filter(study=study)
        for _pair, group in itertools.groupby(given_out.order_by("pair_id"), key=lambda row: row.pair_id):
            sides = [row.left for row in group]
            assert abs(sides.count("video_0") - sides.count("video_1")) <= 1
        for person in people:
            sides = list(given_out.filter(person=person).values_list("left", flat=True))
            # The pair's balance comes first, so a person's own balance may be off by what others have seen.
            assert abs(sides.count("video_0") - sides.count("video_1")) <= max(2, len(sides) // 2 + 1)

    def test_a_single_person_sees_either_video_equally_often_on_the_left(self, study, annotator):
        factories.pairs(study, 12)
        for _ in range(12):
            factories.answer(annotator, study)
        sides = list(Assignment.objects.values_list("left", flat=True))
        assert sides.count("video_0") == sides.count("video_1") == 6


def test_a_contradiction_is_one_tagged_video_that_is_chosen_as_safer():
    def contradictory(tags_0, tags_1, overall):
        answers = factories.body()["helpfulness"], {
            "video_0": {"tags": tags_0}, "video_1": {"tags": tags_1}, "overall": overall,
        }  # fmt: skip
        return Answers.from_body(*answers).contradictory

    assert contradictory(["crime"], [], "video_0")
    assert contradictory([], ["crime"], "video_1")
    assert not contradictory(["crime"], [], "video_1")
    assert not contradictory(["crime"], ["hate"], "video_0")
    assert not contradictory([], [], "video_0")
    assert not contradictory(["crime"], [], "tie")
