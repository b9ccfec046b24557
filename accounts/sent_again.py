"""Form views whose request the server may put off. js/accounts/sent_again.js then sends the form again."""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, JsonResponse

from diptych.try_again import TryAgain


class SentAgain:
    """A mixin for form views. If a request was put off, it shows the form again with status 429 or 503.

    The script asks for JSON and gets the address to open after success. It cannot follow a redirect without loading
    the page twice. Everything else is the same with and without the script.
    """

    #: Fields whose values are shown again. Never passwords.
    kept_fields: tuple[str, ...] = ()

    def dispatch(self, request: HttpRequest, *arguments: Any, **named: Any) -> HttpResponseBase:
        response: HttpResponseBase = super().dispatch(request, *arguments, **named)  # type: ignore[misc]
        if isinstance(response, HttpResponseRedirect) and not request.accepts("text/html"):
            reply = JsonResponse({"next": response.url})
            reply.cookies = response.cookies
            return reply
        return response

    def post(self, request: HttpRequest, *arguments: Any, **named: Any) -> HttpResponse:
        try:
            response: HttpResponse = super().post(request, *arguments, **named)  # type: ignore[misc]
        except TryAgain as reason:
            response = self.put_off(request, reason)
        return response

    def put_off(self, request: HttpRequest, reason: TryAgain) -> HttpResponse:
        """Show the form again with the reason, and say in `Retry-After` when to send it again."""
        view: Any = self
        options = {name: value for name, value in view.get_form_kwargs().items() if name not in {"data", "files"}}
        options["initial"] = options["initial"] | {name: request.POST.get(name, "")[:150] for name in self.kept_fields}
        context = view.get_context_data(form=view.get_form_class()(**options), put_off=reason)
        response: HttpResponse = view.render_to_response(context, status=reason.status)
        response["Retry-After"] = str(reason.retry_after_s)
        return response
