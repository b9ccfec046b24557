"""Query parameters of the API. A view declares those that it knows, and all others are refused (decision 028)."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from diptych.refusals import BadInput

LONGEST_NAME = 40


class DeclaredParameters(APIView):
    """An endpoint that accepts only the query parameters in `query`. The OpenAPI document lists the same ones."""

    #: For each method, the serializer whose fields are its query parameters. A method that is missing has none.
    query: ClassVar[Mapping[str, type[Serializer]]] = {}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Raise BadInput for unknown query parameters, after authentication."""
        super().initial(request, *args, **kwargs)
        known = list(self.parameters_of(request.method or ""))
        unknown = [name for name in request.query_params if name not in known]
        if unknown:
            names = ", ".join(f"“{name[:LONGEST_NAME]}”" for name in unknown[:10])
            advice = _("This endpoint has no query parameters.")
            if known:
                advice = _("This endpoint knows: %(known)s.") % {"known": ", ".join(known)}
            sentence = _("Unknown query parameters: %(names)s. %(advice)s")
            raise BadInput(sentence % {"names": names, "advice": advice}, "unknown_parameter")

    def asked(self) -> dict[str, Any]:
        """Return the query parameters of this request, parsed by the declared serializer. Raises ValidationError."""
        method = self.request.method or ""
        serializer = self.query["GET" if method == "HEAD" else method](data=self.request.query_params)
        serializer.is_valid(raise_exception=True)
        asked: dict[str, Any] = serializer.validated_data
        return asked

    @classmethod
    def parameters_of(cls, method: str) -> Mapping[str, Any]:
        """Return the fields that describe the query parameters of a method. HEAD has those of GET."""
        serializer = cls.query.get("GET" if method == "HEAD" else method)
        return serializer().fields if serializer else {}
