"""The sizes of the example suffice: in 19 of 20 seeds the version trained on release 2 is promoted."""

import json

import pytest

pytest.importorskip("torch")

from tests.demo import example_release
from training import promotion

pytestmark = pytest.mark.long

SEEDS, NEEDED = 20, 19


def predictions(out):
    import pyarrow.parquet as pq

    rows = pq.read_table(out / "predictions.parquet").to_pylist()
    return [promotion.Choice(*(row[name] for name in promotion.Choice.__slots__)) for row in rows]


def test_the_second_release_trains_a_version_above_chance(tmp_path):
    from training.learn import reward

    pictures = example_release.frames(tmp_path)
    found = {}
    for seed in range(1, SEEDS + 1):
        folder = example_release.write(tmp_path / f"release-{seed}", seed, 2, pictures)
        out = tmp_path / f"run-{seed}"
        options = ["--release", str(folder), "--out", str(out), "--cache", str(tmp_path / "cache"), "--seeds", "3"]
        assert reward.main([*options, "--targets", "helpfulness", "harmlessness"]) == 0
        compared = promotion.compare(promotion.choice_values(predictions(out), None), 1)
        metrics = json.loads((out / "metrics.json").read_text())
        [agreement] = [one for one in metrics if (one["target"], one["figure"]) == ("helpfulness", "agreement")]
        found[seed] = (compared.verdict, compared.clusters, round(agreement["value"], 3), compared.low, compared.high)
    print(json.dumps(found, indent=1))
    promoted = sum(verdict == promotion.Verdict.BETTER for verdict, *_more in found.values())
    assert promoted >= NEEDED, found
