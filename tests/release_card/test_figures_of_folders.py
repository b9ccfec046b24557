"""The figures of a release folder are those of the release, and a published dataset has figures too."""

import json

import pytest

from diptych_client import release_folder
from release_card.figures import folders, results
from releases import making
from tests.release_card.carded import answered_study, card_of

pytestmark = pytest.mark.django_db


def test_a_folder_has_the_figures_of_its_release(study, tmp_path):
    answered_study(study)
    release, numbers = card_of(study)
    assert making.rebuild(release, tmp_path) == []
    found = results.figures(*folders.sums_of(release_folder.Release.open(tmp_path)))
    of_release = numbers["figures"] | {"labellers": []}  # a folder is read without its labels
    assert json.loads(json.dumps(found)) == of_release
