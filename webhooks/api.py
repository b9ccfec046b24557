"""API of webhooks: endpoints with their secrets, deliveries, sending again and the test event."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import SignedInView
from accounts.models import User
from webhooks import deliveries, endpoints, event_types, switching
from webhooks.models import LONGEST_ADDRESS, LONGEST_TYPE, Delivery, Endpoint
from webhooks.permissions import delivery_of, endpoint_of, webhooks_study

MOST_LISTED = 100
LAST_KEY = 2**63 - 1


class NewEndpointSerializer(serializers.Serializer):
    """Where events are sent, and which ones."""

    address = serializers.CharField(max_length=LONGEST_ADDRESS)
    events = serializers.ListField(
        child=serializers.CharField(max_length=LONGEST_TYPE), max_length=100, help_text="Types, such as lot.accepted"
    )


class ChangedEndpointSerializer(NewEndpointSerializer):
    """What changes. Fields that are left out stay as they are."""

    address = serializers.CharField(max_length=LONGEST_ADDRESS, required=False)
    events = serializers.ListField(child=serializers.CharField(max_length=LONGEST_TYPE), max_length=100, required=False)
    on = serializers.BooleanField(required=False, help_text="false: nothing is sent, and what waits is cancelled")


class EndpointShape(serializers.Serializer):
    id = serializers.IntegerField()
    address = serializers.CharField()
    events = serializers.ListField(child=serializers.CharField())
    on = serializers.BooleanField(help_text="Whether events are sent to it")
    off_because = serializers.ChoiceField(choices=Endpoint.Off.choices, allow_blank=True, help_text="Empty: it is on")
    off_at = serializers.DateTimeField(allow_null=True)
    failing_since = serializers.DateTimeField(
        allow_null=True, help_text="First failed attempt since the last delivery that succeeded"
    )
    created_at = serializers.DateTimeField()
    old_secrets_until = serializers.DateTimeField(allow_null=True, help_text="Until when earlier secrets sign too")


class NewEndpointShape(EndpointShape):
    secret = serializers.CharField(help_text="Shown only here. It begins with whsec_")


class EventTypeShape(serializers.Serializer):
    type = serializers.CharField()
    name = serializers.CharField(help_text="For people")
    example = serializers.DictField(help_text="An example of `data`")


class EndpointsShape(serializers.Serializer):
    types = EventTypeShape(many=True, help_text="The events that an endpoint can get")
    endpoints = EndpointShape(many=True)


class NewSecretShape(serializers.Serializer):
    secret = serializers.CharField(help_text="Shown only here. It begins with whsec_")
    old_secrets_until = serializers.DateTimeField(help_text="Until then the earlier secret signs too")


class AttemptShape(serializers.Serializer):
    """One attempt of a delivery."""

    tried_at = serializers.DateTimeField()
    took_ms = serializers.IntegerField(allow_null=True)
    problem = serializers.ChoiceField(
        choices=Delivery.Problem.choices, allow_blank=True, help_text="Empty: the attempt succeeded"
    )
    response_status = serializers.IntegerField(allow_null=True, help_text="null: there was no response")
    excerpt = serializers.CharField(allow_blank=True, help_text="Beginning of the response")


class DeliveryShape(serializers.Serializer):
    id = serializers.IntegerField()
    webhook_id = serializers.CharField(help_text="The same in each attempt, so that receivers know a repetition")
    type = serializers.CharField()
    occurred_at = serializers.DateTimeField()
    data = serializers.DictField()  # type: ignore[assignment]  # the name of a property of serializers
    state = serializers.ChoiceField(choices=Delivery.State.choices)
    tries = serializers.IntegerField(help_text="Attempts so far")
    tried_at = serializers.DateTimeField(allow_null=True, help_text="The last attempt")
    next_at = serializers.DateTimeField(allow_null=True, help_text="When the next attempt is due at the earliest")
    took_ms = serializers.IntegerField(allow_null=True)
    problem = serializers.ChoiceField(
        choices=Delivery.Problem.choices, allow_blank=True, help_text="Empty: the last attempt succeeded, or none began"
    )
    response_status = serializers.IntegerField(allow_null=True)
    excerpt = serializers.CharField(allow_blank=True, help_text="Beginning of the response")
    earlier = AttemptShape(many=True, help_text="Up to 10 attempts before the last one, the latest first")


class DeliveriesShape(serializers.Serializer):
    deliveries = DeliveryShape(many=True)
    next = serializers.IntegerField(allow_null=True, help_text="`before` of the next page; null: this is the last page")


class DeliveriesQuery(serializers.Serializer):
    before = serializers.IntegerField(required=False, min_value=1, max_value=LAST_KEY)


def endpoint_json(endpoint: Endpoint) -> dict[str, Any]:
    """Return an endpoint as the JSON of the API."""
    names = ("address", "events", "off_because", "off_at", "failing_since", "created_at")
    return {
        "id": endpoint.pk,
        "on": endpoint.is_on,
        "old_secrets_until": endpoints.old_secrets_until(endpoint),
        **{name: getattr(endpoint, name) for name in names},
    }


def delivery_json(delivery: Delivery) -> dict[str, Any]:
    """Return a delivery as the JSON of the API."""
    names = ("state", "tries", "tried_at", "took_ms", "problem", "response_status", "excerpt")
    event = delivery.event
    return {
        "id": delivery.pk,
        "webhook_id": event.message_id,
        "type": event.type,
        "occurred_at": event.occurred_at,
        "data": event.data,
        "next_at": delivery.wait_until,
        "earlier": [one._asdict() for one in delivery.earlier_attempts],
        **{name: getattr(delivery, name) for name in names},
    }


class EndpointsView(SignedInView):
    """`GET` and `POST studies/{slug}/webhooks/`."""

    scopes = {"GET": "manage", "POST": "manage"}
    refusals = {("POST", 409): ("address_exists", "too_many")}

    @extend_schema(operation_id="webhooks_list", responses={200: EndpointsShape})
    def get(self, request: Request, slug: str) -> Response:
        """List the webhook endpoints of a study.

        The response also lists the types of events that an endpoint can get.
        """
        study = webhooks_study(request, slug)
        known = event_types.choices().values()
        return Response(
            {
                "types": [{"type": one.key, "name": one.label, "example": one.example} for one in known],
                "endpoints": [endpoint_json(row) for row in Endpoint.objects.filter(study=study).order_by("pk")],
            }
        )

    @extend_schema(operation_id="webhooks_create", request=NewEndpointSerializer, responses={201: NewEndpointShape})
    def post(self, request: Request, slug: str) -> Response:
        """Create a webhook endpoint.

        Keep the secret of the response: it is not shown again.
        """
        study = webhooks_study(request, slug)
        body = NewEndpointSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        endpoint, secret = endpoints.create(study, actor=self.person, **body.validated_data)
        return Response(endpoint_json(endpoint_of(request, endpoint.pk)) | {"secret": secret}, status=201)


class EndpointView(SignedInView):
    """`GET`, `PATCH` and `DELETE webhooks/{id}/`."""

    scopes = {"GET": "manage", "PATCH": "manage", "DELETE": "manage"}
    refusals = {("PATCH", 409): ("address_exists", "deleted")}

    @extend_schema(operation_id="webhooks_read", responses={200: EndpointShape})
    def get(self, request: Request, endpoint_id: int) -> Response:
        """Read a webhook endpoint."""
        return Response(endpoint_json(endpoint_of(request, endpoint_id)))

    @extend_schema(operation_id="webhooks_change", request=ChangedEndpointSerializer, responses={200: EndpointShape})
    def patch(self, request: Request, endpoint_id: int) -> Response:
        """Change a webhook endpoint, or turn it on or off."""
        endpoint = endpoint_of(request, endpoint_id)
        body = ChangedEndpointSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        given = dict(body.validated_data)
        on = given.pop("on", None)
        if given:
            endpoints.change(endpoint, actor=self.person, **given)
        if on is not None:
            switch(endpoint, on=on, actor=self.person)
        return Response(endpoint_json(endpoint_of(request, endpoint_id)))

    @extend_schema(operation_id="webhooks_delete", responses={204: None})
    def delete(self, request: Request, endpoint_id: int) -> Response:
        """Delete a webhook endpoint.

        Its secrets and its list of deliveries are deleted with it.
        """
        endpoints.delete(endpoint_of(request, endpoint_id), actor=self.person)
        return Response(status=204)


def switch(endpoint: Endpoint, *, on: bool, actor: User) -> None:
    """Turn an endpoint on or off."""
    if on:
        switching.turn_on(endpoint, actor=actor)
    else:
        switching.turn_off(endpoint, Endpoint.Off.BY_ADMIN, actor=actor)


class SecretView(SignedInView):
    """`POST webhooks/{id}/secret/`."""

    scopes = {"POST": "manage"}
    refusals = {409: ("too_many", "deleted")}

    @extend_schema(operation_id="webhooks_replace_secret", request=None, responses={200: NewSecretShape})
    def post(self, request: Request, endpoint_id: int) -> Response:
        """Replace the secret of a webhook endpoint.

        For 24 hours each event is signed with the new and with the earlier secret.
        """
        endpoint = endpoint_of(request, endpoint_id)
        secret = endpoints.replace_secret(endpoint, actor=self.person)
        return Response({"secret": secret, "old_secrets_until": endpoints.old_secrets_until(endpoint)})


class OldSecretsView(SignedInView):
    """`DELETE webhooks/{id}/old-secrets/`."""

    scopes = {"DELETE": "manage"}
    refusals = {409: ("deleted",)}

    @extend_schema(operation_id="webhooks_end_old_secrets", responses={204: None})
    def delete(self, request: Request, endpoint_id: int) -> Response:
        """End the earlier secrets of a webhook endpoint now."""
        endpoints.end_old_secrets(endpoint_of(request, endpoint_id), actor=self.person)
        return Response(status=204)


class TestView(SignedInView):
    """`POST webhooks/{id}/test/`."""

    scopes = {"POST": "manage"}
    refusals = {409: ("endpoint_off",)}

    @extend_schema(operation_id="webhooks_test", request=None, responses={202: DeliveryShape})
    def post(self, request: Request, endpoint_id: int) -> Response:
        """Send a test event to a webhook endpoint.

        If a test event waits already, no second one is sent.
        """
        delivery = deliveries.send_test(endpoint_of(request, endpoint_id), actor=self.person)
        return Response(delivery_json(delivery_of(request, delivery.pk)), status=202)


class DeliveriesView(SignedInView):
    """`GET webhooks/{id}/deliveries/`."""

    scopes = {"GET": "manage"}
    query = {"GET": DeliveriesQuery}

    @extend_schema(operation_id="webhooks_deliveries", responses={200: DeliveriesShape})
    def get(self, request: Request, endpoint_id: int) -> Response:
        """List what was sent to a webhook endpoint, the latest first."""
        endpoint = endpoint_of(request, endpoint_id)
        found = Delivery.objects.filter(endpoint=endpoint).select_related("event").order_by("-pk")
        if before := self.asked().get("before"):
            found = found.filter(pk__lt=before)
        rows = list(found[: MOST_LISTED + 1])
        page = rows[:MOST_LISTED]
        after = page[-1].pk if len(rows) > len(page) else None
        return Response({"deliveries": [delivery_json(row) for row in page], "next": after})


class SendAgainView(SignedInView):
    """`POST webhooks/deliveries/{id}/again/`."""

    scopes = {"POST": "manage"}
    refusals = {409: ("endpoint_off",)}

    @extend_schema(operation_id="webhooks_send_again", request=None, responses={202: DeliveryShape})
    def post(self, request: Request, delivery_id: int) -> Response:
        """Send an event to its webhook endpoint again.

        It has the same `webhook-id`. Repeating the request while the event waits changes nothing.
        """
        deliveries.send_again(delivery_of(request, delivery_id), actor=self.person)
        return Response(delivery_json(delivery_of(request, delivery_id)), status=202)
