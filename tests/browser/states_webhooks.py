"""Every state of *Webhooks* in the settings of a study, in English and Chinese: `make screenshots`."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from media.transcode import Renditions
from tests import factories
from tests.browser.stage import Stage, gallery, picture, scene, taken
from webhooks.models import Delivery, Endpoint

__all__ = ["gallery"]

pytestmark = pytest.mark.screenshots


def endpoint(stage: Stage, **values: Any) -> Endpoint:
    return factories.endpoint(stage.study, created_by=stage.person, **values)


@scene
def webhooks_none(stage: Stage) -> Any:
    return stage.page("webhooks/")


@scene
def webhooks(stage: Stage) -> Any:
    long_ago = timezone.now() - timedelta(days=2)
    endpoint(stage, address="https://lab.example.org/diptych/lots")
    endpoint(stage, address="https://lab.example.org/releases?of=" + "a-long-name-" * 9, failing_since=long_ago)
    endpoint(stage, address="https://old.example.org/", off_at=long_ago, off_because=Endpoint.Off.GONE)
    return stage.page("webhooks/")


@scene
def webhook_refused(stage: Stage) -> Any:
    page = stage.page("webhooks/")
    page.locator("#id_address").fill("https://10.0.0.1/hooks")
    page.locator("main form button.primary").click()
    return page


@scene
def webhook(stage: Stage) -> Any:
    now = timezone.now()
    told = endpoint(stage, address="https://lab.example.org/diptych/lots", failing_since=now - timedelta(hours=5))
    ended = {"finished_at": now, "tried_at": now, "tries": 1}
    factories.delivery(told, state="done", response_status=204, took_ms=84, **ended)
    answered = {"response_status": 500, "took_ms": 1203, "excerpt": "<h1>Out of order</h1>\nTry again later."}
    earlier = [
        {"tried_at": (now - timedelta(minutes=back)).isoformat(), "took_ms": took_ms, "problem": problem}
        | {"response_status": status, "excerpt": excerpt}
        for back, took_ms, problem, status, excerpt in (
            (6, 15_000, Delivery.Problem.TOO_SLOW, None, ""),
            (1, 310, Delivery.Problem.STATUS, 502, "<h1>Bad gateway</h1>"),
        )
    ]
    factories.delivery(told, tries=3, tried_at=now, wait_until=now + timedelta(hours=2), earlier=earlier, **answered)
    factories.delivery(told, state="cancelled", finished_at=now)
    factories.delivery(told, problem=Delivery.Problem.TOO_SLOW, took_ms=15_000, **ended | {"tries": 11}, state="failed")
    return stage.page(f"webhooks/{told.pk}/")


@scene
def webhook_empty(stage: Stage) -> Any:
    return stage.page(f"webhooks/{endpoint(stage).pk}/")


@scene
def webhook_secret(stage: Stage) -> Any:
    page = stage.page(f"webhooks/{endpoint(stage).pk}/")
    page.locator("form[action*=secret] button").first.click()
    return page


@scene
def webhook_deleted(stage: Stage) -> Any:
    return stage.page(f"webhooks/{endpoint(stage).pk}/delete/")


@pytest.mark.parametrize(("name", "view", "language"), taken(__name__))
@pytest.mark.django_db(transaction=True)
def test_scene(name: str, view: str, language: str, open_page: Any, gallery: dict[str, list[Renditions]]) -> None:
    picture(name, view, language, open_page, gallery)
