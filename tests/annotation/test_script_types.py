"""What scripts repeat from the server: the fields of API bodies (types/api.d.ts), and the modules of a page."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from rest_framework import serializers

from annotation import api_guideline, api_own_progress, api_reports, api_revisions, responses
from annotation import serializers as bodies
from diptych import openapi
from importing import api_uploads

SCRIPTS = Path(settings.BASE_DIR, "static/js")
DECLARED = Path(settings.BASE_DIR, "types/api.d.ts").read_text()
#: Types without a serializer: two dictionaries that the API accepts unchecked, and their members.
OF_THE_PAGE = {"Answers", "GuidelineReading", "Presentation", "Viewing", "WatchedVideo"}
#: Interfaces whose name is already that of another serializer, or that join two.
NAMED_OTHERWISE = {"ReportOutcome": api_reports.ReportedShape, "Section": api_guideline.ChangedSectionShape}


def interfaces() -> dict[str, set[str]]:
    """Return the fields of each interface, with those that it inherits."""
    found: dict[str, set[str]] = {}
    for name, base, body in re.findall(r"interface (\w+)(?: extends (\w+))? \{\n(.*?)\n  \}", DECLARED, re.S):
        found[name] = set(re.findall(r"^    (\w+)\??:", body, re.M)) | found.get(base, set())
    return found


def described(name: str) -> type[serializers.Serializer]:
    modules = (bodies, responses, api_guideline, api_reports, api_revisions, api_own_progress, api_uploads, openapi)
    candidates = [getattr(module, name + kind, None) for kind in ("Serializer", "Shape") for module in modules]
    return NAMED_OTHERWISE.get(name) or next(found for found in candidates if found)


@pytest.mark.long
@pytest.mark.parametrize("name", sorted(interfaces().keys() - OF_THE_PAGE))
def test_types_of_bodies_have_the_fields_of_the_api(name):
    assert interfaces()[name] == set(described(name)().get_fields())


def imports_of(module: Path) -> set[Path]:
    found = re.findall(r'^import\b[^"]*"(\.[^"]+)"', module.read_text(), re.M)
    return {(module.parent / name).resolve() for name in found}


def test_the_workspace_preloads_exactly_the_modules_that_it_imports():
    waiting, loaded = {SCRIPTS / "menu.js", SCRIPTS / "annotation/main.js"}, set()
    while waiting:
        module = waiting.pop()
        loaded.add(module)
        waiting |= imports_of(module) - loaded
    template = Path(settings.BASE_DIR, "templates/annotation/_modules.html").read_text()
    preloaded = {SCRIPTS / name for name in re.findall(r"'js/([^']+)'", template)}
    assert preloaded == loaded - {SCRIPTS / "menu.js", SCRIPTS / "annotation/main.js"}
