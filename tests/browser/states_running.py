"""Every state of a study’s settings, people, batches and guideline, in English and Chinese: `make screenshots`."""

from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from accounts.tokens import create_token
from annotation.reading import publish_guideline
from catalog.models import Provenance
from media.transcode import Renditions
from studies import configuration
from studies.documents.texts import shipped
from studies.invitations import offer
from studies.memberships import join
from tests import factories
from tests.browser.stage import Stage, gallery, picture, scene, taken

__all__ = ["gallery"]

pytestmark = pytest.mark.screenshots

#: The beginning of the guideline.
BEGINS = {"en": "Each pair is one prompt", "zh-hans": "每个视频对由一条提示词"}


# --- Studies and their settings -------------------------------------------------------------------------


@scene
def studies(stage: Stage) -> Any:
    for slug, title, state in (("night", "Night scenes", "paused"), ("pilot", "Pilot", "closed")):
        other = factories.study(slug=slug, title=title, state=state)
        for role in ("annotator", "reviewer") if slug == "night" else ("researcher",):
            join(other, stage.person, role)
    return stage.open_page("/?all=1", stage.person, **stage.options)


@scene
def new_study(stage: Stage) -> Any:
    return stage.open_page("/studies/new/", stage.person, **stage.options)


@scene
def new_study_refused(stage: Stage) -> Any:
    page = stage.open_page("/studies/new/", stage.person, **stage.options)
    page.locator("[name=slug]").fill("Everyday scenes!")
    page.locator("main .button.primary").click()
    expect(page.locator(".errorlist").first).to_be_visible()
    return page


@scene
def state(stage: Stage) -> Any:
    page = stage.page("settings/")
    for _ in range(2):
        page.locator("main .button.primary").click()
    return page


@scene
def settings_protocol(stage: Stage) -> Any:
    configuration.configure(
        stage.study, {"reopen_s": 6 * 3600}, made_from={"reopen_s": stage.study.reopen_s}, actor=stage.person
    )
    page = stage.page("settings/protocol/")
    page.locator("[name=allow_ties]").check()
    expect(page.locator("[data-makes-protocol]")).not_to_be_empty()
    return page


@scene
def settings_refused(stage: Stage) -> Any:
    page = stage.page("settings/serving/")
    page.locator("input[type=number]").first.fill("0")
    page.locator(".save .button").click()
    expect(page.locator(".setting.wrong").first).to_be_visible()
    return page


@scene
def settings_protection(stage: Stage) -> Any:
    return stage.page("settings/protection/")


@scene
def consent(stage: Stage) -> Any:
    return stage.page("settings/consent/")


@scene
def licences(stage: Stage) -> Any:
    stage.material()
    Provenance.objects.create(
        study=stage.study, kind="source", name="demo-prompts", licence="CC0-1.0", terms="Written for the demonstration."
    )
    page = stage.page("settings/licences/")
    page.locator(".origin summary").first.click()
    return page


@scene
def close(stage: Stage) -> Any:
    return stage.page("settings/close/")


# --- People and batches ---------------------------------------------------------------------------------


@scene
def people(stage: Stage) -> Any:
    stage.people()
    return stage.page("people/")


@scene
def person(stage: Stage) -> Any:
    stage.people()
    member = stage.study.memberships.filter(role="reviewer")[0]
    return stage.page(f"people/{member.person_id}/")


@scene
def invited(stage: Stage) -> Any:
    page = stage.page("people/")
    page.locator("#numbered_count").fill("4")
    page.locator("form:has(#numbered_count) .button").click()
    expect(page.locator(".secrets tbody tr")).to_have_count(4)
    return page


@scene
def invitations(stage: Stage) -> Any:
    """Return the home page of somebody who is invited, and who has a new role in another study."""
    kim = factories.member(stage.study, "reviewer", username="kim")
    offer(factories.study(slug="night", title="Night scenes"), kim, "annotator", actor=stage.person)
    join(stage.study, kim, "annotator", actor=stage.person, tell_person=True)
    return stage.open_page("/", kim, **stage.options)


@scene
def api_tokens(stage: Stage) -> Any:
    create_token(stage.person, scopes=["read"], name="laptop", lifetime=timedelta(days=5, hours=1))
    create_token(stage.person, scopes=["read", "export"], name="nightly download")
    return stage.open_page("/accounts/tokens/", stage.person, **stage.options)


@scene
def batches(stage: Stage) -> Any:
    stage.batches()
    return stage.page("batches/")


@scene
def batches_none(stage: Stage) -> Any:
    return stage.page("batches/")


@scene
def overlap(stage: Stage) -> Any:
    stage.batches()
    return stage.page("batches/pairs/?what=overlap&value=1&which=all&sample=all")


# --- The guideline --------------------------------------------------------------------------------------


#: The text that is typed into each field.
WORDS = {"en": "Look twice before you answer.", "zh-hans": "请看两遍再作答。"}


def editor(stage: Stage) -> Any:
    """Return the editor after something was typed into both texts."""
    page = stage.page("guideline/edit/")
    expect(page.locator("[data-showing]")).to_be_visible()
    for code, text in shipped("guideline").items():
        assert BEGINS[code] in text
        page.locator(f"#text-{code}").fill(text.replace(BEGINS[code], f"{WORDS[code]} {BEGINS[code]}"))
        expect(page.locator(f'[data-column="{code}"] [data-preview]')).to_contain_text(WORDS[code])
    expect(page.locator("[data-draft=kept]")).to_be_visible()
    page.evaluate("for (const text of document.querySelectorAll('textarea')) text.scrollTop = 0")
    return page


@scene
def guideline_editor(stage: Stage) -> Any:
    return editor(stage)


@scene
def guideline_differs(stage: Stage) -> Any:
    page = editor(stage)
    page.locator('[data-show="changes"]').click()
    expect(page.locator("[data-preview] ins").first).to_be_visible()
    return page


@scene
def guideline_faults(stage: Stage) -> Any:
    page = editor(stage)
    page.locator("#text-en").fill(shipped("guideline")["en"].replace("{#tag-hate}", ""))
    page.locator('button[value="review"]').click()
    expect(page.locator("[data-problems]")).to_be_visible()
    return page


@scene
def guideline_review(stage: Stage) -> Any:
    stage.people()
    page = editor(stage)
    page.locator('button[value="review"]').click()
    expect(page.locator('button[value="publish"]')).to_be_visible()
    return page


@scene
def guideline_overtaken(stage: Stage) -> Any:
    page = editor(stage)
    theirs = {
        code: text.replace(BEGINS[code], f"Theirs. {BEGINS[code]}") for code, text in shipped("guideline").items()
    }
    other = factories.member(stage.study, "admin", username="admin-2")
    publish_guideline(stage.study, texts=theirs, actor=other)
    page.locator('button[value="review"]').click()
    expect(page.locator(".overtaken")).to_be_visible()
    return page


@pytest.mark.parametrize(("name", "view", "language"), taken(__name__))
@pytest.mark.django_db(transaction=True)
def test_scene(name: str, view: str, language: str, open_page: Any, gallery: dict[str, list[Renditions]]) -> None:
    picture(name, view, language, open_page, gallery)
