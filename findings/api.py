"""API of findings: list them, run rules over all answers, follow a run, cancel it."""

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import SignedInView
from findings import lists, pages, runs
from findings.lists import STATES, FindingFilters
from findings.models import Finding, FindingsRun
from findings.permissions import findings_study, rules_study
from findings.rules import RULES, SEVERITIES
from studies.models import Study
from studies.pseudonyms import pseudonym

#: The most rows in a list.
MOST_LISTED = 200


class FindingShape(serializers.Serializer):
    id = serializers.IntegerField()
    rule = serializers.ChoiceField(choices=list(RULES))
    version = serializers.IntegerField(help_text="Version of the rule")
    severity = serializers.ChoiceField(choices=list(SEVERITIES))
    state = serializers.ChoiceField(choices=[name for name in STATES if name != lists.ALL])
    found_at = serializers.DateTimeField()
    pair_id = serializers.CharField()
    batch = serializers.IntegerField()
    author = serializers.CharField(help_text="Code of the annotator")
    round = serializers.IntegerField()
    made_invalid = serializers.BooleanField(help_text="Whether this finding made the answer invalid")
    evidence = serializers.DictField(help_text="The facts that the rule saw")


class FindingsShape(serializers.Serializer):
    findings = FindingShape(many=True)
    next = serializers.IntegerField(allow_null=True, help_text="`after` of the next page; null: this is the last page")


class FindingsQuery(serializers.Serializer):
    after = serializers.IntegerField(required=False, min_value=0, max_value=2**63 - 1, default=0)
    rule = serializers.ChoiceField(choices=list(RULES), required=False)
    severity = serializers.ChoiceField(choices=list(SEVERITIES), required=False)
    author = serializers.RegexField(r"^[0-9a-f]{4,16}$", required=False, help_text="Beginning of an author code")
    batch = serializers.IntegerField(required=False, min_value=1, max_value=2**31 - 1)
    state = serializers.ChoiceField(choices=list(STATES), required=False, help_text="Default: in_force")


class FindingsView(SignedInView):
    """`GET studies/{slug}/findings/`."""

    scopes = {"GET": "read"}
    query = {"GET": FindingsQuery}

    @extend_schema(operation_id="findings_list", responses={200: FindingsShape})
    def get(self, request: Request, slug: str) -> Response:
        """List the findings.

        They come in the order in which they were found.
        """
        study = findings_study(request, slug)
        asked = self.asked()
        after = asked.pop("after")
        if asked.get("state") == lists.IN_FORCE:  # the page leaves it empty
            del asked["state"]
        filters = FindingFilters(asked, study=study)
        filters.is_valid()  # the query's serializer has the same rules
        rows = lists.with_pairs(filters.narrow(lists.findings(study, self.person)).filter(pk__gt=after))
        found = list(rows.order_by("pk")[: MOST_LISTED + 1])
        page = found[:MOST_LISTED]
        return Response(
            {
                "findings": [finding_json(study, finding) for finding in page],
                "next": page[-1].pk if len(found) > len(page) else None,
            }
        )


def finding_json(study: Study, finding: Finding) -> dict[str, Any]:
    """Return a finding as the JSON of the API."""
    pair = finding.assignment.pair
    return {
        "id": finding.pk,
        "rule": finding.rule,
        "version": finding.version,
        "severity": finding.severity,
        "state": lists.state_of(finding),
        "found_at": finding.found_at,
        "pair_id": pair.public_id,
        "batch": pair.batch.number,
        "author": pseudonym(study, finding.person_id),
        "round": finding.assignment.round,
        "made_invalid": finding.marked,
        "evidence": finding.evidence,
    }


class FindingsRunSerializer(serializers.Serializer):
    """Which rules to run over all answers."""

    rules = serializers.ListField(
        child=serializers.ChoiceField(choices=list(RULES)),
        required=False,
        default=list,
        help_text="Empty: all that are on",
    )


class FindingsRunShape(serializers.Serializer):
    id = serializers.IntegerField()
    rules = serializers.ListField(child=serializers.ChoiceField(choices=list(RULES)))
    state = serializers.ChoiceField(choices=FindingsRun.State.choices)
    phase = serializers.ChoiceField(choices=FindingsRun.Phase.choices)
    done = serializers.IntegerField(help_text="Answers, people or prompts of the phase that are done")
    total = serializers.IntegerField(help_text="Answers, people or prompts of the phase")
    found = serializers.IntegerField(help_text="New findings")
    ended = serializers.IntegerField(help_text="Findings that ended")
    outcome = serializers.CharField(allow_blank=True, help_text="The outcome; empty while the run is open")
    created_at = serializers.DateTimeField()


class FindingsRunsShape(serializers.Serializer):
    runs = FindingsRunShape(many=True)


class FindingsRunsView(SignedInView):
    """`GET` and `POST studies/{slug}/findings/runs/`."""

    scopes = {"GET": "read", "POST": "manage"}
    refusals = {("POST", 409): ("refused", "no_rule", "rule_off")}

    @extend_schema(operation_id="findings_runs_list", responses={200: FindingsRunsShape})
    def get(self, request: Request, slug: str) -> Response:
        """List the runs of rules over all answers.

        The newest comes first.
        """
        study = rules_study(request, slug)
        newest = FindingsRun.objects.filter(study=study).order_by("-pk")[:MOST_LISTED]
        return Response({"runs": [run_json(job) for job in newest]})

    @extend_schema(operation_id="findings_runs_start", request=FindingsRunSerializer, responses={201: FindingsRunShape})
    def post(self, request: Request, slug: str) -> Response:
        """Run rules over all answers.

        New answers are checked without a run.

        A small run is done when the response arrives. A worker does a large one: follow it by its id.
        """
        study = rules_study(request, slug)
        body = FindingsRunSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        job = runs.run_rules(study, body.validated_data["rules"], actor=self.person)
        return Response(run_json(job), status=201)


class FindingsRunView(SignedInView):
    """`GET` and `DELETE studies/{slug}/findings/runs/{run_id}/`."""

    scopes = {"GET": "read", "DELETE": "manage"}

    @extend_schema(operation_id="findings_runs_read", responses={200: FindingsRunShape})
    def get(self, request: Request, slug: str, run_id: int) -> Response:
        """Read a run of rules.

        The response has its progress and its outcome.
        """
        return Response(run_json(self._run(request, slug, run_id)))

    @extend_schema(operation_id="findings_runs_cancel", responses={200: FindingsRunShape})
    def delete(self, request: Request, slug: str, run_id: int) -> Response:
        """Cancel a run of rules.

        What it has found is kept. Repeating this is harmless.
        """
        runs.cancel(self._run(request, slug, run_id), actor=self.person)
        return Response(run_json(self._run(request, slug, run_id)))

    def _run(self, request: Request, slug: str, run_id: int) -> FindingsRun:
        study = rules_study(request, slug)
        return get_object_or_404(FindingsRun.objects.select_related("study"), study=study, pk=run_id)


def run_json(job: FindingsRun) -> dict[str, Any]:
    """Return a run as the JSON of the API."""
    return {
        "id": job.pk,
        "rules": job.rules,
        "state": job.state,
        "phase": job.phase,
        "done": job.steps,
        "total": job.steps_total,
        "found": job.found,
        "ended": job.ended,
        "outcome": pages.outcome(job),
        "created_at": job.created_at,
    }
