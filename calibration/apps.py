"""The app `calibration` adds its tab to the registries of the apps below it."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CalibrationConfig(AppConfig):
    name = "calibration"

    def ready(self) -> None:
        from calibration.deletion import delete_sessions, reasons_to_keep
        from removal import work as removal
        from studies import deletion
        from studies import permissions as may
        from studies.links import Link, Place, register

        address = "calibration:calibrations"
        link = Link("calibrations", _("Calibration"), address, may.MAY_CALIBRATE, order=18, within="quality")
        register(Place.TABS, link)
        deletion.parts["calibration"] = delete_sessions
        removal.kept_by |= reasons_to_keep()
