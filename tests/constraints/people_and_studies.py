"""Attempts to break each constraint of people, studies and background jobs. `w` is the `World`."""

from datetime import timedelta

from django.utils import timezone

from accounts.models import AccessToken, Profile, ViewingPreference
from studies.models import Membership, RoleNotice
from tests import factories
from tests.constraints.world import NOON, twice


def expired_before_given(w):
    w.consent(withdrawn_at=timezone.now() - timedelta(days=1))


ATTEMPTS = {
    # --- accounts
    "profile_year_of_birth_is_plausible": lambda w: Profile.objects.create(user=w.person, year_of_birth=1700),
    "user_kept_day_is_whole": lambda w: w.change(w.person, kept_day=NOON.date()),
    "consent_given_once": twice(lambda w: w.consent()),
    "consent_withdrawn_after_given": expired_before_given,
    "consent_has_words": lambda w: w.consent(text=""),
    "access_token_has_scopes": lambda w: AccessToken.objects.create(user=w.person, scopes=[]),
    "viewing_media_filter_known": lambda w: ViewingPreference.objects.create(user=w.person, media_filter="sepia"),
    "access_token_expires": lambda w: AccessToken.objects.create(user=w.person, scopes=["read"], expiry=None),
    "sent_form_once": twice(lambda w: w.sent_form()),
    "sent_form_is_named": lambda w: w.sent_form(form=""),
    # --- studies
    "study_slug_form": lambda w: w.change(w.study, slug="Not A Slug"),
    "study_state_known": lambda w: w.change(w.study, state="lost"),
    "study_dimension_order_known": lambda w: w.change(w.study, dimension_order="sideways"),
    "study_overlap_range": lambda w: w.change(w.study, overlap=0),
    "study_lease_range": lambda w: w.change(w.study, lease_s=1),
    "study_media_window_range": lambda w: w.change(w.study, media_window_s=5),
    "study_tag_format_known": lambda w: w.change(w.study, tag_format="stars"),
    "study_media_filter_known": lambda w: w.change(w.study, media_filter="sepia"),
    "study_control_rate_range": lambda w: w.change(w.study, control_rate=0.6),
    "study_hold_after_skips_range": lambda w: w.change(w.study, hold_after_skips=0),
    "study_categories_known": lambda w: w.change(w.study, categories=["rude"]),
    "study_break_range": lambda w: w.change(w.study, break_s=7201),
    "study_sample_share_range": lambda w: w.change(w.study, sample_share=1.1),
    "study_sample_overlap_range": lambda w: w.change(w.study, sample_overlap=1),
    "study_test_share_range": lambda w: w.change(w.study, test_share=0.6),
    "document_version_once_a_language": twice(lambda w: w.document()),
    "document_version_once": twice(lambda w: w.document_version()),
    "document_version_kind_known": lambda w: w.document_version(kind="poem"),
    "document_version_from_one": lambda w: w.document_version(version=0),
    "document_version_categories_of_consent": lambda w: w.document_version(kind="consent"),
    "document_version_categories_known": lambda w: w.document_version(kind="consent", categories=["rude"]),
    "document_of_version": lambda w: w.document(version=8),
    "document_has_text": lambda w: w.document(text=""),
    "membership_once": twice(lambda w: Membership.objects.create(study=w.other, person=w.person, role="reviewer")),
    "membership_one_made_the_account": twice(lambda w: w.made_account()),
    "setting_change_last_only": twice(lambda w: w.setting_change()),
    "setting_change_is_named": lambda w: w.setting_change(name=""),
    "state_change_created_once": twice(lambda w: w.state_change()),
    "state_change_step_known": lambda w: w.state_change(step="lost"),
    "invitation_open_once": twice(lambda w: w.invitation()),
    "invitation_role_known": lambda w: w.invitation(role="king"),
    "invitation_state_known": lambda w: w.invitation(state="lost", ended_at=NOON),
    "invitation_ends_once": lambda w: w.invitation(state="accepted"),
    "role_notice_role_known": lambda w: RoleNotice.objects.create(
        study=w.study, recipient=w.person, person=w.person, role="king"
    ),
    "membership_role_known": lambda w: Membership.objects.create(study=w.study, person=w.person, role="king"),
    "study_archived_does_not_run": lambda w: factories.study(archived_at=NOON),
    "study_more_answers_range": lambda w: w.change(w.study, more_answers=11),
    "study_review_shares_range": lambda w: w.change(w.study, spot_share=1.1),
    "study_risks_range": lambda w: w.change(w.study, alpha=0),
    "study_good_lot_below_bad": lambda w: w.change(w.study, aql=0.2),
    "study_share_cap_range": lambda w: w.change(w.study, share_cap=0),
}
