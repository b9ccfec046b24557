from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class StudiesConfig(AppConfig):
    name = "studies"

    def ready(self) -> None:
        from functools import partial

        from accounts.preferences import study_settings
        from accounts.tokens import scope_rules
        from studies import deletion
        from studies.deletion import Rows
        from studies.home import media_filters_of
        from studies.links import Link, Place, register
        from studies.models import (
            Document,
            DocumentVersion,
            Invitation,
            Membership,
            RoleNotice,
            SettingChange,
            StateChange,
        )
        from studies.permissions import ANY_ROLE, MAY_CONFIGURE, MAY_INVITE, usable_scopes

        scope_rules.append(usable_scopes)
        study_settings.append(media_filters_of)
        own = (Document, DocumentVersion, Invitation, RoleNotice, SettingChange, StateChange, Membership)
        deletion.parts["studies"] = partial(deletion.delete_rows, tables=[Rows(model) for model in own])
        register(
            Place.TABS,
            # Some people can edit the guideline. The others only read it.
            Link("guideline", _("Guideline"), "studies:edit_guideline", MAY_CONFIGURE, order=30),
            Link("guideline", _("Guideline"), "studies:guideline", ANY_ROLE - MAY_CONFIGURE, order=31),
            Link("people", _("People"), "studies:people", MAY_INVITE, order=50),
            Link("settings", _("Settings"), "studies:state", MAY_CONFIGURE, order=70),
        )
        register(Place.HOME, Link("guideline", _("Guideline"), "studies:guideline", ANY_ROLE, order=10, look="quiet"))
