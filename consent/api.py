"""A person's own consent, for programs: read the terms, agree to them, withdraw."""

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import SignedInView
from consent import agreements
from consent.permissions import consenting_study
from diptych.refusals import BadInput, ChangedMeanwhile
from studies.documents.texts import text_of, versions
from studies.harms import HARM_KEYS, harms_of
from studies.models import Document, Study


class CategoryShape(serializers.Serializer):
    key = serializers.ChoiceField(choices=HARM_KEYS)
    label = serializers.CharField()  # type: ignore[assignment]  # no field's own
    covers = serializers.CharField(help_text="What counts as this kind of harm")


class FactShape(serializers.Serializer):
    key = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # no field's own
    value = serializers.CharField()


class ConsentShape(serializers.Serializer):
    version = serializers.IntegerField(help_text="The version in force")
    texts = serializers.DictField(child=serializers.CharField(), help_text="Markdown by language")
    named = FactShape(many=True, help_text="Limits, breaks and pay. They are part of the text")
    categories = CategoryShape(many=True, help_text="Harms that videos of the study may show")
    state = serializers.ChoiceField(
        choices=["first", "given", "changed", "withdrawn"],
        help_text="`first`: not agreed yet; `given`: in force; `changed`: agreed to earlier terms only",
    )
    agreed_version = serializers.IntegerField(allow_null=True, help_text="The last version that you agreed to")
    agreed_categories = serializers.ListField(
        child=serializers.CharField(), help_text="The harms that you agree to see; empty unless `given`"
    )


class AgreementSerializer(serializers.Serializer):
    version = serializers.IntegerField(help_text="The version that you read")
    language = serializers.CharField(max_length=20, help_text="The language in which you read it")
    categories = serializers.ListField(
        child=serializers.CharField(max_length=40),
        max_length=len(HARM_KEYS),
        help_text="Harms that you agree to see. If the list is empty, you get only "
        "pairs that are not known to show harm.",
    )


class ConsentView(SignedInView):
    """`GET`, `POST` and `DELETE studies/{slug}/consent/`."""

    scopes = {"GET": "annotate", "POST": "annotate", "DELETE": "annotate"}
    refusals = {("POST", 409): ("changed_meanwhile",)}

    @extend_schema(operation_id="consent_read", responses={200: ConsentShape})
    def get(self, request: Request, slug: str) -> Response:
        """Read the terms, and whether you agreed."""
        return Response(self._body(consenting_study(request, slug)))

    @extend_schema(operation_id="consent_give", request=AgreementSerializer, responses={200: ConsentShape})
    def post(self, request: Request, slug: str) -> Response:
        """Agree to the terms.

        You agree to the current terms and to seeing the harms that you name. This replaces your earlier
        agreement.
        """
        study = consenting_study(request, slug)
        body = AgreementSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        if given["version"] != study.consent_version:
            raise ChangedMeanwhile(
                _(
                    "Version %(version)s of the terms is now in force, so nothing was saved. Read that version, then "
                    "agree to it."
                )
                % {"version": study.consent_version}
            )
        if given["language"] not in texts_in_force(study):
            raise BadInput(
                _("There is no consent text in this language. Choose a language that `texts` lists."), field="language"
            )
        if unknown := sorted(set(given["categories"]) - set(study.categories)):
            about = {"names": ", ".join(unknown), "known": ", ".join(study.categories) or "—"}
            sentence = _("The study does not show these harms: %(names)s. It shows: %(known)s.")
            raise BadInput(sentence % about, field="categories")
        document = text_of(study, Document.Kind.CONSENT, given["language"])
        text = agreements.consent_text(study, document, given["language"], given["categories"])
        agreements.agree(self.person, study, categories=given["categories"], text=text, language=given["language"])
        return Response(self._body(study))

    @extend_schema(operation_id="consent_withdraw", responses={204: None})
    def delete(self, request: Request, slug: str) -> Response:
        """Withdraw your consent.

        Open pairs are released; submitted answers are kept. Repeating it is harmless.
        """
        agreements.withdraw(self.person, consenting_study(request, slug))
        return Response(status=204)

    def _body(self, study: Study) -> dict[str, object]:
        agreement = agreements.agreement(self.person, study)
        return {
            "version": study.consent_version,
            "texts": texts_in_force(study),
            "named": [{"key": fact.key, "label": fact.label, "value": fact.value} for fact in agreements.named(study)],
            "categories": [
                {"key": harm.key, "label": str(harm.label), "covers": str(harm.covers)}
                for harm in harms_of(study.categories)
            ],
            "state": agreement.state,
            "agreed_version": agreement.last.version if agreement.last else None,
            "agreed_categories": [box.harm.key for box in agreement.boxes if box.ticked],
        }


def texts_in_force(study: Study) -> dict[str, str]:
    """Return the text of the current version in each language."""
    present = versions(study, Document.Kind.CONSENT).filter(version=study.consent_version)
    return dict(present.values_list("language", "text"))
