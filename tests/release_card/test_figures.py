"""The figures of a release: small cases computed by hand, and larger ones against numpy."""

import numpy as np
import pytest

from annotation.protocol import HARM_KEYS
from release_card.figures import results, tables
from release_card.figures.sums import BUCKETS, PairFacts, PromptFacts, Sums, VideoFacts
from releases.items import QUESTIONS

ALL_ZERO = dict.fromkeys(QUESTIONS, (1, 0, 0))


def prompt(number, **values):
    given = {
        "text": "A red ball rolls",
        "prompt_type": "safety_critical",
        "source": "real_user",
        "language": "en",
        "part": "train",
        "cluster": f"cluster {number}",
        "labels": [],
    }
    return PromptFacts(**given | values)


def video(key, generator, tags=(), **values):
    given = {"version": "1", "refined_by": "", "is_refined": False}
    return VideoFacts(video_id=key, generator=generator, tags=tags, **given | values)


def figures_of(sums):
    return results.figures(sums, len(sums.generators))


def by_keys(rows, *names):
    return {tuple(row[name] for name in names): row for row in rows}


class TestGenerators:
    @pytest.fixture
    def found(self):
        """Return figures of two pairs of A and B, on two prompts, and one of two videos of A."""
        sums = Sums(["A", "B"])
        videos = [video("a", "A", ["violence"]), video("b", "B")]
        helpful = ALL_ZERO | {"helpfulness": (0, 1, 1), "instruction_following": (1, 1, 0)}
        sums.add(prompt(1, labels=["violence"]), videos, [PairFacts("a", "b", 2, helpful)], [[0] * 6, [2] * 6])
        exchanged = [PairFacts("b", "a", 1, ALL_ZERO)]
        sums.add(prompt(2, prompt_type="safety_neutral"), videos, exchanged, [[0] * 6])
        own = [video("c", "A"), video("d", "A")]
        sums.add(prompt(3), own, [PairFacts("c", "d", 1, ALL_ZERO)], [[0] * 6])
        return figures_of(sums)

    def test_a_tie_counts_a_half_and_pairs_count_alike(self, found):
        """A got ¼ of the first pair on helpfulness (one tie, one for B) and nothing of the second: 1/8 of both."""
        rates = by_keys(found["win_rates"], "question", "generator", "against")
        assert rates["helpfulness", "A", "B"]["value"] == 0.125
        assert rates["helpfulness", "B", "A"]["value"] == 0.875
        assert rates["helpfulness", "A", ""]["value"] == 0.125
        assert {row["n"] for row in found["win_rates"]} == {2}
        assert len(found["win_rates"]) == 2 * 2 * 6

    def test_harm_stands_beside_following_the_prompt(self, found):
        rows = by_keys(found["harm"], "generator", "category")
        whole = rows["A", "all"]
        assert (whole["harmful"]["value"], whole["harmful"]["n"]) == (0.5, 4)
        assert (whole["following"]["value"], whole["following"]["n"]) == (0.375, 2)
        assert rows["A", "violence"]["harmful"]["value"] == 1
        assert rows["B", "safety_critical"]["following"]["value"] == 0.25
        assert ("B", "crime") not in rows

    def test_only_pairs_of_two_generators_are_compared(self, found):
        assert by_keys(found["harm"], "generator", "category")["A", "all"]["following"]["n"] == 2

    def test_a_release_without_named_generators_compares_none(self):
        sums = Sums([])
        sums.add(prompt(1), [video("a", ""), video("b", "")], [PairFacts("a", "b", 1, ALL_ZERO)], [[0] * 6])
        found = figures_of(sums)
        assert (found["win_rates"], found["harm"], sums.pairs) == ([], [], 1)


class TestTension:
    def one(self, helpful, harmless, n=1, **values):
        sums = Sums([])
        counts = ALL_ZERO | {"helpfulness": helpful, "harmlessness": harmless}
        sums.add(prompt(1, **values), [video("a", ""), video("b", "")], [PairFacts("a", "b", n, counts)], [])
        return figures_of(sums)["tension"]

    def test_contradicting_preferences_are_tension(self):
        assert self.one((1, 0, 0), (0, 0, 1))["value"] == 1
        assert self.one((1, 0, 0), (1, 0, 0))["value"] == 0

    @pytest.mark.parametrize("helpful", [(0, 1, 0), (1, 1, 1), (1, 0, 1)])
    def test_an_undecided_preference_is_no_comparison(self, helpful):
        assert self.one(helpful, (sum(helpful), 0, 0), n=sum(helpful))["n"] == 0

    @pytest.mark.parametrize("values", [{"prompt_type": "safety_neutral"}, {"part": "eval"}])
    def test_other_prompts_are_left_out(self, values):
        assert self.one((1, 0, 0), (0, 0, 1), **values)["value"] == "no_overlap"


class TestTags:
    def test_shares_and_correlations_are_as_numpy_has_them(self):
        random = np.random.default_rng(7)
        labels = random.random((300, 12)) < 0.2
        tags = random.random((300, 12)) < 0.3
        labels[:, 4] = False
        sums = Sums([])
        for number in range(300):
            of_prompt = [HARM_KEYS[place] for place in np.flatnonzero(labels[number])]
            of_video = [HARM_KEYS[place] for place in np.flatnonzero(tags[number])]
            sums.add(prompt(number, labels=of_prompt), [video(f"{number}", "", of_video)], [], [])
        found = figures_of(sums)
        shares = found["tag_shares"]["tv_pairs"]
        assert list(shares["given"].values()) == tags.sum(axis=0).tolist()
        assert (shares["n"], shares["none"]) == (300, int((~tags.any(axis=1)).sum()))
        expected = np.corrcoef(tags.T.astype(float))
        for one, other, value in found["tag_correlations"]["tv_pairs"]["rows"]:
            assert value == pytest.approx(expected[HARM_KEYS.index(one), HARM_KEYS.index(other)], abs=1e-6)
        of_prompts = found["tag_correlations"]["prompts"]["rows"]
        assert {value for one, other, value in of_prompts if HARM_KEYS[4] in (one, other)} == {"all_alike"}
        assert len(of_prompts) == 66

    def test_unlabelled_prompts_unjudged_videos_and_the_eval_part_are_no_units(self):
        sums = Sums([])
        sums.add(prompt(1, labels=None), [video("a", "", None)], [], [])
        sums.add(prompt(2, part="eval"), [video("b", "", ["crime"])], [], [[0] * 6])
        found = figures_of(sums)
        assert found["tag_shares"]["prompts"]["n"] == found["tag_shares"]["tv_pairs"]["n"] == 0
        assert found["preference_correlations"]["n"] == 0
        assert (sums.tv_pairs, sums.answers) == (2, 1)


def test_correlations_of_questions_are_over_single_answers():
    answers = np.random.default_rng(5).choice([0, 2], (200, 6))
    answers[:150, 4] = answers[:150, 0]
    sums = Sums([])
    sums.add(prompt(1), [], [], answers.tolist())
    rows = {(one, other): value for one, other, value in figures_of(sums)["preference_correlations"]["rows"]}
    agreement = (answers[:, 4] == answers[:, 0]).mean()
    assert rows["helpfulness", "instruction_following"] == pytest.approx(2 * agreement - 1, abs=1e-6)


def test_intervals_follow_clusters_and_not_single_pairs():
    """Ten pairs of each cluster are won together, so the interval is as wide as for one pair a cluster."""
    widths = []
    for pairs in (1, 10):
        sums = Sums(["A", "B"])
        for number in range(100):
            counts = dict.fromkeys(QUESTIONS, (1, 0, 0) if number % 2 else (0, 0, 1))
            videos = [video("a", "A"), video("b", "B")]
            sums.add(prompt(number), videos, [PairFacts("a", "b", 1, counts)] * pairs, [])
        [rate] = [one for one in figures_of(sums)["win_rates"] if one["generator"] == "A" and one["against"] == ""][:1]
        widths.append(rate["interval"][1] - rate["interval"][0])
    assert widths[0] == pytest.approx(widths[1])
    assert 0.15 < widths[0] < 0.25


def test_memory_does_not_grow_with_prompts():
    sums = Sums(["A", "B"])
    for number in range(3 * BUCKETS):
        sums.add(prompt(number), [video("a", "A"), video("b", f"file {number}")], [], [])
    assert sums.wins.shape[0] == BUCKETS
    assert len(sums.by_generator) <= 1001
    assert sums.by_generator.total() == sums.tv_pairs == 6 * BUCKETS


@pytest.mark.parametrize("name", tables.TABLES)
def test_every_table_is_empty_or_whole_without_answers(name):
    table = tables.TABLES[name](figures_of(Sums([])))
    assert all(len(row) == len(table.columns) for row in table.rows)
    assert table.shown() is not None
