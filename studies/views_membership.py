"""Pages for a person's own membership: invitations, and notices about roles."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts.models import User
from studies.invitations import State, decide
from studies.memberships import dismiss
from studies.models import Invitation

MESSAGES = {
    State.ACCEPTED: gettext_lazy("You have joined %(study)s as %(role)s."),
    State.DECLINED: gettext_lazy("You declined the invitation to %(study)s."),
    State.WITHDRAWN: gettext_lazy(
        "The invitation to %(study)s is no longer valid. If you want to take part, ask for a new one."
    ),
}


@require_POST
@never_cache
@login_required
def answer_invitation(request: HttpRequest, invitation_id: int) -> HttpResponse:
    """Accept or decline an invitation to the signed-in person. Invitations of other people give 404."""
    act = request.POST.get("act", "")
    if act not in {"accept", "decline"}:
        raise Http404(_("You can only accept or decline an invitation."))
    mine = Invitation.objects.select_related("study", "person", "invited_by").filter(person_id=request.user.pk)
    invitation = get_object_or_404(mine, pk=invitation_id)
    state = State(decide(invitation, accepts=act == "accept"))
    about = {"study": invitation.study.title, "role": invitation.get_role_display()}
    level = messages.ERROR if state == State.WITHDRAWN else messages.SUCCESS
    messages.add_message(request, level, MESSAGES[state] % about)
    return redirect("home")


@require_POST
@never_cache
@login_required
def dismiss_notice(request: HttpRequest, notice_id: int) -> HttpResponse:
    """Remove a notice from the signed-in person's home page. Repeating it is harmless."""
    person: User = request.user  # type: ignore[assignment]  # only signed-in people get here
    dismiss(person, notice_id)
    return redirect("home")
