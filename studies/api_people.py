"""The API of people: list and add them, grant and revoke roles, withdraw invitations."""

from typing import Any, cast

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import SignedInView
from accounts.models import User
from studies import members
from studies.forms import MOST_ADDED
from studies.invitations import open_of, withdraw
from studies.models import Invitation
from studies.models.memberships import Role
from studies.people import Outcome, add_numbered
from studies.permissions import MAY_INVITE, require_grant, study_for

#: The most people in one response.
PEOPLE_A_PAGE = 200


class PersonShape(serializers.Serializer):
    name = serializers.CharField(help_text="The username")
    roles = serializers.ListField(child=serializers.ChoiceField(choices=Role.choices))
    since = serializers.DateTimeField(help_text="When they got the first of their current roles")


class InvitationShape(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField()
    role = serializers.ChoiceField(choices=Role.choices)
    invited_at = serializers.DateTimeField()


class PeopleShape(serializers.Serializer):
    people = PersonShape(many=True)
    next = serializers.CharField(allow_null=True, help_text="`after` of the next page; null: this is the last")
    invitations = InvitationShape(many=True, help_text="All open invitations")


class PeopleQuery(serializers.Serializer):
    q = serializers.CharField(required=False, max_length=150, help_text="A part of the username")
    role = serializers.ChoiceField(choices=Role.choices, required=False)
    after = serializers.CharField(required=False, max_length=150, help_text="`next` of the page before")


class NewPeopleSerializer(serializers.Serializer):
    """People to add: either `names`, or a `count` of new people with numbered names."""

    role = serializers.ChoiceField(choices=Role.choices)
    names = serializers.ListField(
        child=serializers.CharField(max_length=150), required=False, min_length=1, max_length=MOST_ADDED
    )
    count = serializers.IntegerField(required=False, min_value=1, max_value=MOST_ADDED)
    prefix = serializers.CharField(required=False, max_length=60, default="", allow_blank=True)
    once = serializers.UUIDField(
        required=False, help_text="With `count`: a second request with the same value adds nobody"
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("names" in attrs) == ("count" in attrs):
            raise serializers.ValidationError({"names": [_("Send either names or a count, but not both.")]})
        return attrs


class AddedShape(serializers.Serializer):
    """The result for one person. Only this response has the password and the token of a new account."""

    username = serializers.CharField()
    outcome = serializers.ChoiceField(choices=[outcome.value for outcome in Outcome])
    password = serializers.CharField(allow_null=True, help_text="For the first sign-in only")
    token = serializers.CharField(allow_null=True)
    role = serializers.ChoiceField(choices=Role.choices)
    study = serializers.CharField()
    expires = serializers.DateTimeField(allow_null=True, help_text="Expiry of the token")


class AllAddedShape(serializers.Serializer):
    added = AddedShape(many=True)


class PeopleView(SignedInView):
    """`GET` and `POST studies/{slug}/people/`."""

    scopes = {"GET": "manage", "POST": "manage"}
    query = {"GET": PeopleQuery}
    refusals = {("POST", 409): ("refused",)}

    @extend_schema(operation_id="people_list", responses={200: PeopleShape})
    def get(self, request: Request, slug: str) -> Response:
        """List the people of a study.

        They come by name, with the open invitations.
        """
        study = study_for(request, slug, roles=MAY_INVITE)
        asked = self.asked()
        found = members.members(study, search=asked.get("q", ""), role=asked.get("role", ""))
        rows = list(found.filter(username__gt=asked.get("after", ""))[: PEOPLE_A_PAGE + 1])
        page = rows[:PEOPLE_A_PAGE]
        return Response(
            {
                "people": [{"name": one.username, "roles": one.roles, "since": one.since} for one in page],
                "next": page[-1].username if len(rows) > len(page) else None,
                "invitations": [
                    {"id": row.pk, "name": row.person.username, "role": row.role, "invited_at": row.created_at}
                    for row in open_of(study)
                ],
            }
        )

    @extend_schema(operation_id="people_add", request=NewPeopleSerializer, responses={201: AllAddedShape})
    def post(self, request: Request, slug: str) -> Response:
        """Add people to a study.

        People who have an account are invited. For others an account is made.

        Passwords and tokens of new accounts are only in this response and cannot be read again.
        """
        study = study_for(request, slug, roles=MAY_INVITE)
        body = NewPeopleSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        wanted = body.validated_data
        role = wanted["role"]
        require_grant(study, role)
        if "names" in wanted:
            added = members.invite(study, list(dict.fromkeys(wanted["names"])), role, actor=self.person)
        else:
            numbers = {"count": wanted["count"], "prefix": wanted["prefix"], "once": wanted.get("once")}
            added = add_numbered(study, role=role, actor=self.person, **numbers)
        return Response({"added": [one.as_json() for one in added]}, status=201)


class RoleView(SignedInView):
    """`PUT` and `DELETE studies/{slug}/people/{name}/roles/{role}/`."""

    scopes = {"PUT": "manage", "DELETE": "manage"}
    refusals = {409: ("refused",)}

    @extend_schema(operation_id="role_grant", request=None, responses={204: None})
    def put(self, request: Request, slug: str, name: str, role: str) -> Response:
        """Give a person a role.

        Repeating it is harmless.
        """
        study = study_for(request, slug, roles=MAY_INVITE)
        members.grant(study, self._member(study, name), self._role(study, role), actor=self.person)
        return Response(status=204)

    @extend_schema(operation_id="role_revoke", responses={204: None})
    def delete(self, request: Request, slug: str, name: str, role: str) -> Response:
        """Take a role from a person.

        An annotator's open pairs are released. Submitted answers are kept.
        """
        study = study_for(request, slug, roles=MAY_INVITE)
        members.revoke(study, self._member(study, name), self._role(study, role), actor=self.person)
        return Response(status=204)

    def _member(self, study: Any, name: str) -> User:
        return cast(User, get_object_or_404(members.members(study), username=name))

    def _role(self, study: Any, role: str) -> str:
        if role not in Role.values:
            raise Http404(_("There is no such role."))
        require_grant(study, role)
        return role


class InvitationView(SignedInView):
    """`DELETE studies/{slug}/invitations/{invitation_id}/`."""

    scopes = {"DELETE": "manage"}

    @extend_schema(operation_id="invitation_withdraw", responses={204: None})
    def delete(self, request: Request, slug: str, invitation_id: int) -> Response:
        """Withdraw an invitation.

        An invitation that has ended stays as it is.
        """
        study = study_for(request, slug, roles=MAY_INVITE)
        offered = Invitation.objects.select_related("study", "person").filter(study=study)
        invitation = get_object_or_404(offered, pk=invitation_id)
        require_grant(study, invitation.role)
        withdraw(invitation, actor=self.person)
        return Response(status=204)
