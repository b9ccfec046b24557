"""An admin adds an endpoint, keeps its secret, and sees what a receiver responded."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests import factories
from tests.webhooks.receiver import receiving, status
from webhooks import deliveries
from webhooks.models import Delivery, Endpoint, Secret


def violations(page):
    return [found["id"] for found in Axe().run(page).response["violations"]]


@pytest.mark.long
def test_an_endpoint_from_its_address_to_the_response(open_page, study, settings):
    settings.WEBHOOK_PRIVATE_NETWORKS = ["127.0.0.0/8"]
    page = open_page(f"/studies/{study.slug}/webhooks/", factories.member(study, "admin"))
    page.get_by_label("Address").fill("https://10.0.0.1/hooks")
    page.get_by_label("A lot was accepted").check()
    page.get_by_role("button", name="Add endpoint").click()
    expect(page.get_by_text("Webhooks are not sent to this network.")).to_be_visible()
    expect(page.get_by_label("A lot was accepted")).to_be_checked()
    page.get_by_label("Address").fill("https://receiver.invalid/hooks")
    page.get_by_role("button", name="Add endpoint").click()
    expect(page.get_by_role("heading", name="The endpoint was added")).to_be_visible()
    expect(page.locator("[data-token]")).to_have_text(Secret.objects.get().text)
    assert violations(page) == []
    page.get_by_role("link", name="Show the endpoint").click()
    page.get_by_role("button", name="Send a test event").click()
    expect(page.get_by_role("status")).to_contain_text("is being sent")
    deliveries.run(Delivery.objects.get().pk)
    page.reload()
    expect(page.get_by_text("The host name of the address was not found.")).to_be_visible()
    with receiving() as receiver:
        receiver.respond(status(500, b"Out of order"))
        Endpoint.objects.update(address=receiver.address())
        Delivery.objects.update(wait_until=None)
        deliveries.run(Delivery.objects.get().pk)
    page.reload()
    expect(page.get_by_text("did not confirm the event")).to_be_visible()
    page.get_by_text("Response", exact=True).click()
    expect(page.get_by_text("Out of order")).to_be_visible()
    assert violations(page) == []
