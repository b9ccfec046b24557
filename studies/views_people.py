"""Pages about the people of a study: roles, invitations, new accounts and passwords.

Passwords and tokens are only in the response to the request that made them. They are in no session and at no address
that can be opened again.
"""

import uuid
from typing import TYPE_CHECKING, Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.models import AccessToken, User
from diptych.database.natural import Natural
from diptych.refusals import Refused
from studies import members
from studies.forms import InviteForm, NumberedForm, with_roles
from studies.invitations import open_of, withdraw
from studies.models import Invitation, Membership, Study
from studies.models.memberships import Role
from studies.models.studies import HasRoles
from studies.people import Added, Outcome, add_numbered
from studies.people_panels import panels_of
from studies.permissions import (
    MAY_INVITE,
    MAY_SEE_TOKENS,
    allows,
    grantable,
    may_reset_password,
    require_grant,
    study_for,
)

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

    Theirs = WithAnnotations[Study, HasRoles]

PEOPLE_A_PAGE = 50


@require_safe
@never_cache
@login_required
def people(request: HttpRequest, slug: str) -> HttpResponse:
    """List the people of the study with their roles, and show the forms that add more."""
    return listed(request, study_for(request, slug, roles=MAY_INVITE))


def listed(request: HttpRequest, study: "Theirs", status: int = 200, **forms: Any) -> HttpResponse:
    """Return the list of people, with submitted forms if there are any."""
    may_grant = grantable(study.roles)
    search, role = request.GET.get("q", "").strip(), request.GET.get("role", "")
    role = role if role in Role.values else ""
    page = Paginator(members.members(study, search=search, role=role), PEOPLE_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "study": study,
        "page": page,
        "rows": [{"person": one, "roles": labels(one.roles)} for one in page.object_list],
        "search": search,
        "role": role,
        "roles": Role.choices,
        "invitations": [{"row": row, "may_withdraw": row.role in may_grant} for row in open_of(study)],
        "panels": panels_of(study),
        "sees_tokens": allows(study, MAY_SEE_TOKENS),
        "invite_form": with_roles(InviteForm, may_grant)(auto_id="invite_%s"),
        "numbered_form": with_roles(NumberedForm, may_grant)(auto_id="numbered_%s", initial={"once": uuid.uuid4()}),
    }
    return render(request, "studies/people.html", context | forms, status=status)


def labels(roles: list[str]) -> list[str]:
    """Return the labels of these roles, in the usual order of roles."""
    return [str(role.label) for role in Role if role in roles]


@require_POST
@never_cache
@login_required
def invite(request: HttpRequest, slug: str) -> HttpResponse:
    """Add people by name, and show the passwords and tokens of new accounts."""
    study = study_for(request, slug, roles=MAY_INVITE)
    form = with_roles(InviteForm, grantable(study.roles))(request.POST, auto_id="invite_%s")
    if not form.is_valid():
        return listed(request, study, status=400, invite_form=form)
    try:
        added = members.invite(
            study, form.cleaned_data["names"], form.cleaned_data["role"], actor=cast(User, request.user)
        )
    except Refused as trouble:
        form.add_error("names", str(trouble))
        return listed(request, study, status=400, invite_form=form)
    return show_added(request, study, added)


@require_POST
@never_cache
@login_required
def numbered(request: HttpRequest, slug: str) -> HttpResponse:
    """Add new people with numbered names, and show their passwords and tokens."""
    study = study_for(request, slug, roles=MAY_INVITE)
    form = with_roles(NumberedForm, grantable(study.roles))(request.POST, auto_id="numbered_%s")
    if not form.is_valid():
        return listed(request, study, status=400, numbered_form=form)
    try:
        values = form.cleaned_data
        added = add_numbered(
            study,
            role=values["role"],
            count=values["count"],
            prefix=values["name"],
            once=values["once"],
            actor=cast(User, request.user),
        )
    except Refused as trouble:
        form.add_error(None, str(trouble))
        return listed(request, study, status=400, numbered_form=form)
    return show_added(request, study, added)


def show_added(request: HttpRequest, study: "Theirs", added: list[Added]) -> HttpResponse:
    """Return the only page with passwords and tokens of new people. It also has the result for each other name."""
    by_outcome = {outcome.value: [one for one in added if one.outcome == outcome] for outcome in Outcome}
    context = {"study": study, "role": Role(added[0].role).label} | by_outcome
    return render(request, "studies/people_added.html", context)


@require_POST
@never_cache
@login_required
def withdraw_invitation(request: HttpRequest, slug: str, invitation_id: int) -> HttpResponse:
    """Withdraw an invitation. The person must be able to grant its role."""
    study = study_for(request, slug, roles=MAY_INVITE)
    offered = Invitation.objects.select_related("study", "person").filter(study=study)
    invitation = get_object_or_404(offered, pk=invitation_id)
    require_grant(study, invitation.role)
    if withdraw(invitation, actor=cast(User, request.user)):
        messages.success(request, _("The invitation of %(name)s was withdrawn.") % {"name": invitation.person.username})
    else:
        messages.error(request, _("This invitation was already accepted, declined or withdrawn. Nothing was changed."))
    return redirect("studies:people", slug=slug)


@require_safe
@never_cache
@login_required
def tokens(request: HttpRequest, slug: str) -> HttpResponse:
    """List the API tokens of the people of the study, without the texts of the tokens."""
    study = study_for(request, slug, roles=MAY_SEE_TOKENS)
    rows = AccessToken.objects.filter(user__in=members.members(study).values("pk")).select_related("user")
    page = Paginator(rows.order_by(Natural("user__username"), "user_id", "expiry"), PEOPLE_A_PAGE).get_page(
        request.GET.get("page")
    )
    return render(request, "studies/tokens.html", {"study": study, "page": page, "tokens": page.object_list})


def member(study: Study, person_id: int) -> User:
    """Return a person of the study, with `.roles`. Raises Http404."""
    return cast(User, get_object_or_404(members.members(study), pk=person_id))


@require_safe
@never_cache
@login_required
def person(request: HttpRequest, slug: str, person_id: int) -> HttpResponse:
    """Show one person's roles in the study, and who granted them."""
    study = study_for(request, slug, roles=MAY_INVITE)
    whom = member(study, person_id)
    may_grant = grantable(study.roles)
    memberships = Membership.objects.filter(study=study, person=whom).select_related("granted_by")
    held = {membership.role: membership for membership in memberships}
    rows = [
        {
            "role": role,
            "membership": held.get(role),
            "may_change": role in may_grant,
            "not_by_oneself": role == Role.WELLBEING_CONTACT and whom.pk == request.user.pk and role not in held,
        }
        for role in Role
    ]
    context = {
        "study": study,
        "whom": whom,
        "rows": rows,
        "may_reset": may_reset_password(cast(User, request.user), whom),
        "is_self": whom.pk == request.user.pk,
    }
    return render(request, "studies/person.html", context)


@require_POST
@never_cache
@login_required
def roles(request: HttpRequest, slug: str, person_id: int) -> HttpResponse:
    """Grant or revoke a role. People must confirm that they give up their own access."""
    study = study_for(request, slug, roles=MAY_INVITE)
    whom = member(study, person_id)
    actor = cast(User, request.user)
    role, act = request.POST.get("role", ""), request.POST.get("act", "")
    if role not in Role.values or act not in {"grant", "revoke"}:
        raise Http404(_("There is no such role."))
    require_grant(study, role)
    said = {"name": whom.username, "role": Role(role).label}
    if act == "grant":
        try:
            members.grant(study, whom, role, actor=actor)
        except Refused as refusal:
            messages.error(request, str(refusal))
            return redirect("studies:people", slug=slug)
        messages.success(request, _("Granted to %(name)s: %(role)s.") % said)
        return redirect("studies:person", slug=slug, person_id=person_id)
    left = set(study.roles) - {role}
    if whom == actor and left.isdisjoint(MAY_INVITE) and "sure" not in request.POST:
        context = {"study": study, "whom": whom, "role": Role(role), "stays": bool(left)}
        return render(request, "studies/confirm_revoke.html", context)
    try:
        members.revoke(study, whom, role, actor=actor)
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("studies:person", slug=slug, person_id=person_id)
    messages.success(request, _("Revoked from %(name)s: %(role)s.") % said)
    if whom == actor and left.isdisjoint(MAY_INVITE):
        return redirect("home")
    if not Membership.objects.filter(study=study, person=whom).exists():
        return redirect("studies:people", slug=slug)
    return redirect("studies:person", slug=slug, person_id=person_id)


@require_POST
@never_cache
@login_required
def reset_password(request: HttpRequest, slug: str, person_id: int) -> HttpResponse:
    """Replace a forgotten password with a one-time password, and show it."""
    study = study_for(request, slug, roles=MAY_INVITE)
    whom = member(study, person_id)
    password = members.new_one_time_password(whom, actor=cast(User, request.user))
    context = {"study": study, "whom": whom, "password": password}
    return render(request, "studies/password.html", context)
