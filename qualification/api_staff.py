"""Endpoints for those who run a study: trainings and tests, results, and decisions about people."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import SignedInView
from qualification import choosing, deciding, results, sets, standing
from qualification.models import PairSet, SetItem
from qualification.permissions import managed_set, person_of, sets_study
from qualification.serializers import (
    ExpectedCountsShape,
    ItemsSerializer,
    KindSerializer,
    PairSetsShape,
    PublishSerializer,
    QualificationDecisionSerializer,
    QualifyingPeopleShape,
    QualifyingPersonShape,
    WholeSetShape,
    expected_of,
)


def set_json(one: Any) -> dict[str, Any]:
    """Return a version as JSON. `one` comes from `sets.versions`."""
    names = ("id", "kind", "state", "pairs", "people", "published_at", "asked_again")
    return {name: getattr(one, name) for name in names} | {"version": one.number}


def whole_json(of: PairSet) -> dict[str, Any]:
    """Return a version with its pairs and expected answers."""
    shown = {item.pk for item in standing.items_for(of, None)}
    items = SetItem.objects.filter(set=of).select_related("pair").prefetch_related("expected").order_by("place")
    names = ("row", "accepted", "optional", "explanation")
    return set_json(sets.versions(of.study).get(pk=of.pk)) | {
        "items": [
            {
                "pair_id": item.pair.public_id,
                "place": item.place,
                "shown": item.pk in shown,
                "expected": [{name: getattr(one, name) for name in names} for one in item.expected.all()],
            }
            for item in items
        ],
        "lacking": sets.lacking(of) if of.state == PairSet.State.DRAFT else [],
    }


def person_json(row: results.PersonRow) -> dict[str, Any]:
    """Return where a person stands as JSON."""
    found, given = row.standing, row.standing.qualification
    return {
        "person": row.person.pk,
        "username": row.person.username,
        "state": found.stage,
        "attempts": len(found.attempts),
        "allowed": found.allowed,
        "share": row.share,
        "qualified_at": given.given_at if given else None,
        "how": given.how if given else None,
        "given_by": given.given_by.username if given and given.given_by else None,
    }


class SetsView(SignedInView):
    """`GET` and `POST studies/{slug}/qualification/sets/`."""

    scopes = {"GET": "manage", "POST": "manage"}

    @extend_schema(operation_id="qualification_sets_list", responses={200: PairSetsShape})
    def get(self, request: Request, slug: str) -> Response:
        """List the versions of the training and the test.

        The latest comes first.
        """
        return Response({"sets": [set_json(one) for one in sets.versions(sets_study(request, slug))]})

    @extend_schema(operation_id="qualification_sets_make", request=KindSerializer, responses={200: WholeSetShape})
    def post(self, request: Request, slug: str) -> Response:
        """Make the draft of the next training or test.

        If there is one already, it is returned. A new one has the pairs of the version in force.
        """
        study = sets_study(request, slug)
        reader = KindSerializer(data=request.data)
        reader.is_valid(raise_exception=True)
        made = sets.make_draft(study, reader.validated_data["kind"], actor=self.person)
        return Response(whole_json(made))


class SetView(SignedInView):
    """`GET`, `PUT` and `DELETE qualification-sets/{id}/`."""

    scopes = {"GET": "manage", "PUT": "manage", "DELETE": "manage"}
    refusals = {400: ("unknown_pair",), 409: ("published",)}

    @extend_schema(operation_id="qualification_sets_get", responses={200: WholeSetShape})
    def get(self, request: Request, set_id: int) -> Response:
        """Read a version of a training or test.

        The response has its pairs and expected answers.
        """
        return Response(whole_json(managed_set(request, set_id)))

    @extend_schema(operation_id="qualification_sets_write", request=ItemsSerializer, responses={200: WholeSetShape})
    def put(self, request: Request, set_id: int) -> Response:
        """Replace the pairs of a draft.

        The expected answers are replaced too.
        """
        draft = managed_set(request, set_id)
        reader = ItemsSerializer(data=request.data)
        reader.is_valid(raise_exception=True)
        given = reader.validated_data["items"]
        pairs = choosing.by_ids(draft.study, [one["pair_id"] for one in given])
        expected = {pair.pk: expected_of(one["expected"]) for pair, one in zip(pairs, given, strict=True)}
        sets.replace(draft, pairs, expected, actor=self.person)
        return Response(whole_json(draft))

    @extend_schema(operation_id="qualification_sets_discard", request=None, responses={204: None})
    def delete(self, request: Request, set_id: int) -> Response:
        """Delete the draft of a training or test."""
        sets.discard(managed_set(request, set_id), actor=self.person)
        return Response(status=204)


class PublishView(SignedInView):
    """`POST qualification-sets/{id}/publish/`."""

    scopes = {"POST": "manage"}
    refusals = {409: ("changed_meanwhile", "incomplete", "published")}

    @extend_schema(operation_id="qualification_sets_publish", request=PublishSerializer, responses={200: WholeSetShape})
    def post(self, request: Request, set_id: int) -> Response:
        """Publish a training or a test.

        People qualify with it from now on. It stays as it is.
        """
        draft = managed_set(request, set_id)
        reader = PublishSerializer(data=request.data)
        reader.is_valid(raise_exception=True)
        return Response(whole_json(sets.publish(draft, actor=self.person, **reader.validated_data)))


class PeopleView(SignedInView):
    """`GET studies/{slug}/qualification/people/`."""

    scopes = {"GET": "manage"}

    @extend_schema(operation_id="qualification_people", responses={200: QualifyingPeopleShape})
    def get(self, request: Request, slug: str) -> Response:
        """Show which annotators are qualified."""
        study = sets_study(request, slug)
        return Response({"people": [person_json(row) for row in results.people(study)]})


class DecideView(SignedInView):
    """`POST studies/{slug}/qualification/people/{id}/`."""

    scopes = {"POST": "manage"}
    refusals = {409: ("oneself", "qualified", "not_qualified", "not_needed")}

    @extend_schema(
        operation_id="qualification_decide",
        request=QualificationDecisionSerializer,
        responses={200: QualifyingPersonShape},
    )
    def post(self, request: Request, slug: str, person_id: int) -> Response:
        """Decide about a person's qualification.

        Waive the test, take their qualification back, or allow one more attempt.
        """
        study = sets_study(request, slug)
        person = person_of(study, person_id)
        reader = QualificationDecisionSerializer(data=request.data)
        reader.is_valid(raise_exception=True)
        deciding.ACTS[reader.validated_data["act"]](study, person, reader.validated_data["reason"], actor=self.person)
        return Response(person_json(results.person_row(study, person)))


class QuestionsView(SignedInView):
    """`GET studies/{slug}/qualification/questions/`."""

    scopes = {"GET": "manage"}

    @extend_schema(operation_id="qualification_questions", responses={200: ExpectedCountsShape})
    def get(self, request: Request, slug: str) -> Response:
        """Show which expected answers were missed most.

        Those of the versions in force are counted, the most missed first.
        """
        study = sets_study(request, slug)
        return Response(
            {
                "questions": [
                    {
                        "kind": line.set.kind,
                        "version": line.set.number,
                        "place": line.item.place,
                        "pair_id": line.item.pair.public_id,
                        "row": line.expected.row,
                        "answers": line.answers,
                        "right": line.right,
                    }
                    for line in results.questions(study)
                ]
            }
        )
