"""The documented steps that hide videos which were reported after a backup was made."""

import pytest

from media.models import Asset
from tests import factories
from tests.documents import code
from tests.production import ROOT
from tests.safety.test_quarantine import pair_with

pytestmark = pytest.mark.django_db(transaction=True)

PAGE = ROOT / "docs" / "operators" / "illegal-material.md"


def test_videos_that_were_reported_after_the_backup_are_hidden_again(settings, tmp_path, capsys):
    settings.MEDIA_ROOT = tmp_path
    officer = factories.officer()
    assets = [factories.asset() for _ in range(7)]  # more than the reports of one person that hide files at once
    pairs = [pair_with(asset) for asset in assets]
    unused = "0" * 64
    program = code(PAGE, "python", "After you restore a backup")
    program = program.replace("OFFICER", officer.username)
    program = program.replace('"SHA256"', ", ".join(repr(one) for one in [*(asset.sha256 for asset in assets), unused]))
    exec(compile(program, str(PAGE), "exec"), {})
    exec(compile(program, str(PAGE), "exec"), {})
    assert Asset.objects.filter(pk__in=[asset.pk for asset in assets], quarantined_at=None).count() == 0
    for pair in pairs:
        pair.refresh_from_db()
        assert pair.held == "quarantined"
    assert f"{unused} is in no pair" in capsys.readouterr().out
