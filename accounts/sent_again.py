"""Form views whose request the server may put off: js/accounts/sent_again.js sends such a form again by itself."""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, JsonResponse

from diptych.try_again import TryAgain


class SentAgain:
    """A mixin for form views. It shows the form again with 429 or 503 where the request was put off.

    To the script, which asks for JSON, it names the address to go to after success: a redirect that the script followed
    would be fetched twice. Everything else is the same with and without the script.
    """

    #: Fields that are filled in again. Never passwords.
    kept_fields: tuple[str, ...] = ()

    def dispatch(self, request: HttpRequest, *arguments: Any, **named: Any) -> HttpResponseBase:
        response: HttpResponseBase = super().dispatch(request, *arguments, **named)  # type: ignore[misc]
        if isinstance(response, HttpResponseRedirect) and not request.accepts("text/html"):
            told = JsonResponse({"next": response.url})
            told.cookies = response.cookies
            return told
        return response

    def post(self, request: HttpRequest, *arguments: Any, **named: Any) -> HttpResponse:
        try:
            response: HttpResponse = super().post(request, *arguments, **named)  # type: ignore[misc]
        except TryAgain as reason:
            response = self.put_off(request, reason)
        return response

    def put_off(self, request: HttpRequest, reason: TryAgain) -> HttpResponse:
        """Show the form once more, with why, and say when to send it again."""
        view: Any = self
        options = {name: value for name, value in view.get_form_kwargs().items() if name not in {"data", "files"}}
        options["initial"] = options["initial"] | {name: request.POST.get(name, "")[:150] for name in self.kept_fields}
        context = view.get_context_data(form=view.get_form_class()(**options), put_off=reason)
        response: HttpResponse = view.render_to_response(context, status=reason.status)
        response["Retry-After"] = str(reason.retry_after_s)
        return response
