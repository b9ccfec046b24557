"""Static files of the demo and of benchmarks are collected once, with those that are in no folder."""

from pathlib import Path

import pytest

from charts import bundle
from diptych.demo import collect_static


@pytest.mark.long
def test_files_that_are_made_are_collected_and_nothing_is_collected_twice(settings, tmp_path):
    settings.STATIC_ROOT = str(tmp_path)
    collect_static()
    made = tmp_path / bundle.PATH
    assert made.stat().st_size > 500_000
    made.unlink()
    collect_static()
    assert not made.exists(), "no source has changed, so nothing is collected again"
    (tmp_path / ".collected-from").unlink()
    collect_static()
    assert made.exists()
    assert Path(settings.STATIC_ROOT, "js/charts/charts.js").exists()
