"""Write an event, and one delivery for each endpoint that gets it, in the transaction of what happened.

So an event is never lost, and none is sent about something that was rolled back.
"""

import json
from collections.abc import Mapping
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection

from jobs import engine
from studies.models import Study
from webhooks.event_types import choices
from webhooks.policy import POLICY

#: FOR KEY SHARE: an endpoint can be changed meanwhile, but not deleted.
RECORD = """
WITH chosen AS MATERIALIZED (
    SELECT id FROM webhooks_endpoint
     WHERE study_id = %(study)s AND off_at IS NULL AND %(type)s = ANY(events) FOR KEY SHARE),
event AS (
    INSERT INTO webhooks_event (study_id, public_id, type, data)
    SELECT %(study)s, gen_random_uuid(), %(type)s, %(data)s::jsonb WHERE EXISTS (SELECT FROM chosen)
    RETURNING id)
INSERT INTO webhooks_delivery (study_id, endpoint_id, event_id)
SELECT %(study)s, chosen.id, event.id FROM chosen CROSS JOIN event
RETURNING id
"""


def record(study: Study, key: str, data: Mapping[str, Any]) -> None:
    """Write that an event of type `key` happened. Call it inside the transaction of what happened.

    Nothing is written if no endpoint gets events of this type. `data` must have the keys of the example of its type;
    the study's slug is added. Raise ValueError if the type is not registered, or if a key differs.
    """
    expected = choices()[key].example if key in choices() else None
    values = {"study": study.slug} | dict(data)
    if expected is None or values.keys() != expected.keys():
        raise ValueError(f"Register the type of event {key!r} with an example of its data, and give the same keys.")
    text = json.dumps(values, cls=DjangoJSONEncoder)
    with connection.cursor() as cursor:
        cursor.execute(RECORD, {"study": study.pk, "type": key, "data": text})
        deliveries = [row[0] for row in cursor.fetchall()]
    if deliveries:
        engine.announce(POLICY, *deliveries)
