"""Fixtures of the tests of webhooks."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests import factories
from tests.webhooks.receiver import Receiver, receiving
from webhooks import endpoints


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    """Return a receiver on 127.0.0.1, which this installation may reach."""
    settings.WEBHOOK_PRIVATE_NETWORKS = ["127.0.0.0/8"]
    with receiving() as running:
        yield running


@pytest.fixture
def admin(study: Any) -> Any:
    return factories.member(study, "admin")


@pytest.fixture
def endpoint(study: Any, admin: Any, receiver: Receiver) -> Any:
    """Return an endpoint that gets all events of lots. Its secret is in `.secret`."""
    events = ["lot.accepted", "lot.returned", "lot.reopened"]
    made, secret = endpoints.create(study, address=receiver.address(), events=events, actor=admin)
    made.refresh_from_db()
    made.secret = secret
    return made
