from django.apps import AppConfig


class SafetyConfig(AppConfig):
    name = "safety"

    def ready(self) -> None:
        from functools import partial

        from accounts import menu
        from catalog.library.listing import hidden_assets
        from media.signals import files_left_behind
        from safety.models import Officer
        from safety.officer_notices import home_duty, menu_links
        from safety.officers import no_officer
        from safety.permissions import is_officer
        from safety.quarantine import move_left_files, reported_assets
        from studies import deletion
        from studies.deletion import Rows
        from studies.home import duties
        from studies.notices import setting_notices
        from studies.permissions import guarded_people

        files_left_behind.connect(move_left_files, dispatch_uid="safety.move_left_files")
        hidden_assets.append(reported_assets)
        deletion.parts["safety"] = partial(deletion.delete_rows, tables=[Rows(Officer)])
        setting_notices.append(no_officer)
        guarded_people.append(is_officer)
        menu.links.append(menu_links)
        duties.append(home_duty)
