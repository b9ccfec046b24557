"""The guideline for the workspace: return its text, return what changed, and record that a person has read it."""

from django.utils.translation import get_language
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import SignedInView
from annotation import reading
from annotation.permissions import annotated_study
from studies.documents.changes import ADDED, CHANGED, REMOVED
from studies.documents.markdown import sections
from studies.documents.texts import LANGUAGES, text_of
from studies.models import Document
from studies.permissions import study_for

#: The highest number that the database column can store.
LAST_VERSION = 2**31 - 1


class LanguageSerializer(serializers.Serializer):
    language = serializers.ChoiceField(
        choices=list(LANGUAGES), required=False, help_text="Default: the language of the request"
    )


class WhichGuidelineSerializer(LanguageSerializer):
    version = serializers.IntegerField(
        min_value=1, max_value=LAST_VERSION, required=False, help_text="Default: the current version"
    )


class ReadSerializer(serializers.Serializer):
    version = serializers.IntegerField(min_value=1, max_value=LAST_VERSION)


class SectionShape(serializers.Serializer):
    key = serializers.CharField(help_text="The anchor: a question's key, `tags`, `tag-` and a harm key, or another")
    title = serializers.CharField()
    level = serializers.IntegerField(help_text="2 or 3; 1 for the text before the first heading")
    html = serializers.CharField(help_text="Sanitized HTML: safe to insert into a page")


class GuidelineShape(serializers.Serializer):
    version = serializers.IntegerField()
    language = serializers.ChoiceField(
        choices=list(LANGUAGES), help_text="Language of the text; differs from the request if it has no such text"
    )
    sections = SectionShape(many=True)


class ChangedSectionShape(SectionShape):
    change = serializers.ChoiceField(choices=[ADDED, REMOVED, CHANGED])


class ChangesShape(serializers.Serializer):
    version = serializers.IntegerField()
    since = serializers.IntegerField(
        allow_null=True, help_text="Version that you read last; null: none to compare with, so all sections are here"
    )
    language = serializers.ChoiceField(choices=list(LANGUAGES))
    sections = ChangedSectionShape(many=True, help_text="Changed sections, with `<ins>` and `<del>` in their HTML")


class ReadShape(serializers.Serializer):
    guideline_read = serializers.IntegerField()


class GuidelineView(SignedInView):
    """`GET studies/{slug}/guideline/`."""

    scopes = {"GET": "read"}
    query = {"GET": WhichGuidelineSerializer}

    @extend_schema(responses={200: GuidelineShape})
    def get(self, request: Request, slug: str) -> Response:
        """Read the guideline.

        It comes in sections, in the current version or in an earlier one.
        """
        study = study_for(request, slug)
        asked = {"language": present_language()} | self.asked()
        text = text_of(study, Document.Kind.GUIDELINE, asked["language"], asked.get("version"))
        return Response(
            {
                "version": text.version,
                "language": text.language,
                "sections": [
                    {"key": part.key, "title": part.title, "level": part.level, "html": str(part.html)}
                    for part in sections(text.text)
                ],
            }
        )


class GuidelineChangesView(SignedInView):
    """`GET studies/{slug}/guideline/changes/`."""

    scopes = {"GET": "annotate"}
    query = {"GET": LanguageSerializer}

    @extend_schema(responses={200: ChangesShape})
    def get(self, request: Request, slug: str) -> Response:
        """Show what changed in the guideline.

        The response has the sections that changed since the person last read it; none if nothing changed.
        """
        study = annotated_study(request, slug)
        unread = reading.unread_sections(self.person, study, self.asked().get("language", present_language()))
        return Response(
            {
                "version": unread.version,
                "since": unread.since,
                "language": unread.language,
                "sections": [
                    {
                        "key": part.key,
                        "title": part.title,
                        "level": part.level,
                        "change": part.kind,
                        "html": str(part.html),
                    }
                    for part in unread.sections
                ],
            }
        )


class GuidelineReadView(SignedInView):
    """`POST studies/{slug}/guideline/read/`."""

    scopes = {"POST": "annotate"}
    refusals = {409: ("not_in_force",)}

    @extend_schema(request=ReadSerializer, responses={200: ReadShape})
    def post(self, request: Request, slug: str) -> Response:
        """Confirm that the guideline was read.

        Responds 409 if another version is now in force.
        """
        study = annotated_study(request, slug)
        body = ReadSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        version = body.validated_data["version"]
        reading.mark_read(self.person, study, version)
        return Response({"guideline_read": version})


def present_language() -> str:
    """Return the request's language, or English if there are no documents in that language."""
    language = get_language() or LANGUAGES[0]
    return language if language in LANGUAGES else LANGUAGES[0]
