"""People, their consent, and the record of who changed what. Roles are per study and belong to `studies`."""

from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.functions import RandomUUID
from django.contrib.sessions.base_session import AbstractBaseSession
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _
from knox.models import AbstractAuthToken

from diptych.database.triggers import append_only

#: Number of days before the expiry of a token from which pages and responses warn.
WARNING_DAYS = 14


class User(AbstractUser):  # type: ignore[django-manager-missing]  # knox reaches it by a swapped model
    """A person who signs in. Memberships, not this table, say what the person may do."""

    locale = models.CharField(
        _("language"), max_length=10, blank=True, help_text=_("If empty, the browser's language is used.")
    )
    time_zone = models.CharField(_("time zone"), max_length=64, blank=True, help_text=_("If empty, UTC is used."))
    #: After a change of the time zone: the day that was running, the moment of the change, and when the day would have
    #: ended without the change (`accounts.days`).
    kept_day = models.DateField(null=True, editable=False)
    kept_from = models.DateTimeField(null=True, editable=False)
    kept_until = models.DateTimeField(null=True, editable=False)
    must_change_password = models.BooleanField(
        default=False, help_text=_("The person must replace a one-time password.")
    )

    class Meta(AbstractUser.Meta):
        constraints = [
            models.CheckConstraint(
                name="user_kept_day_is_whole",
                condition=Q(kept_day=None, kept_from=None, kept_until=None)
                | Q(kept_day__isnull=False, kept_from__isnull=False, kept_until__gt=F("kept_from")),
            ),
        ]

    def check_password(self, raw_password: str | None) -> bool:
        """Return whether the password is right. Replace an outdated or cheap hash of it with the preferred one.

        Unlike Django's own method, the replacement is conditional: if somebody resets the password at the same time,
        the new password stays.
        """
        stored = self.password

        def upgrade(raw: str) -> None:
            hashed = make_password(raw)
            if User.objects.filter(pk=self.pk, password=stored).update(password=hashed):
                self.password = hashed

        return check_password(raw_password, stored, upgrade)


class Session(AbstractBaseSession):
    """A browser session. The person has a column of its own, so that one query reads both."""

    person = models.ForeignKey(User, on_delete=models.CASCADE, null=True, related_name="sessions")

    @classmethod
    def get_session_store_class(cls) -> type:
        store: type = import_module(settings.SESSION_ENGINE).SessionStore  # which imports this model
        return store


class Profile(models.Model):
    """Demographics of a person. All fields are optional, and no code that serves or reviews pairs reads them."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True, related_name="profile")
    year_of_birth = models.PositiveSmallIntegerField(null=True, blank=True)
    gender = models.CharField(max_length=40, blank=True)
    country = models.CharField(max_length=2, blank=True, help_text="ISO 3166-1 alpha-2")
    first_language = models.CharField(max_length=35, blank=True, help_text="BCP 47")
    education = models.CharField(max_length=80, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="profile_year_of_birth_is_plausible",
                condition=Q(year_of_birth__isnull=True) | Q(year_of_birth__range=(1900, 2100)),
            ),
        ]

    def __str__(self) -> str:
        return f"profile of {self.user_id}"


class ViewingPreference(models.Model):
    """How a person wants to see possibly harmful content. Empty fields use the setting of the study."""

    class MediaFilter(models.TextChoices):
        STUDY = "", _("as each study sets it")
        NONE = "none", _("as they are")
        BLUR = "blur", _("blurred until revealed")
        GREYSCALE = "greyscale", _("in greyscale until revealed")

    user = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True, related_name="viewing_preference")
    media_filter = models.CharField(max_length=9, choices=MediaFilter.choices, blank=True, default=MediaFilter.STUDY)
    name_categories = models.BooleanField(
        default=False,
        help_text=_("Before a pair is revealed, name the harms that it may show."),
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="viewing_media_filter_known",
                condition=Q(media_filter__in=["", "none", "blur", "greyscale"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.media_filter or 'study'}"


class Consent(models.Model):
    """One person's agreement to one version of one text, with the exact words, until withdrawn."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="consents")
    document = models.CharField(max_length=120, help_text="The text that was agreed to, such as “study:demo”")
    version = models.PositiveIntegerField()
    text = models.TextField(help_text="The text as it was shown")
    categories = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    given_at = models.DateTimeField(db_default=Now())
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="consent_given_once",
                fields=["user", "document", "version"],
                condition=Q(withdrawn_at__isnull=True),
            ),
            models.CheckConstraint(
                name="consent_withdrawn_after_given",
                condition=Q(withdrawn_at__isnull=True) | Q(withdrawn_at__gte=F("given_at")),
            ),
            models.CheckConstraint(name="consent_has_words", condition=~Q(text="")),
        ]

    def __str__(self) -> str:
        return f"{self.document} v{self.version} by {self.user_id}"


class AccessToken(AbstractAuthToken):
    """An API token: a hash, with scopes and an expiry."""

    #: The name of the token that a new account gets. Pages show it in the language of the reader.
    MADE_WITH_ACCOUNT = gettext_noop("created with the account")

    public_id = models.UUIDField(
        unique=True, db_default=RandomUUID(), editable=False, help_text="Identifies the token on pages and in commands"
    )
    name = models.CharField(max_length=80, blank=True)
    scopes = ArrayField(models.CharField(max_length=20))
    last_used_on = models.DateField(null=True, editable=False, help_text="The last day of use, in UTC")

    class Meta:
        constraints = [
            models.CheckConstraint(name="access_token_has_scopes", condition=~Q(scopes=[])),
            models.CheckConstraint(name="access_token_expires", condition=Q(expiry__isnull=False)),
        ]

    @property
    def shown_name(self) -> str:
        """Return the name as pages show it."""
        return gettext(self.name) if self.name == self.MADE_WITH_ACCOUNT else self.name

    @property
    def is_expired(self) -> bool:
        return self.expiry < timezone.now()

    @property
    def ends_soon(self) -> bool:
        """Return whether the token still works, but for less than `WARNING_DAYS` days."""
        return 0 <= self.days_left < WARNING_DAYS

    @property
    def days_left(self) -> int:
        """Return the number of whole days until the token expires."""
        return (self.expiry - timezone.now()).days


class SentForm(models.Model):
    """A form that was sent and takes effect only once. Its page carries a random key, which identifies it."""

    form = models.CharField(max_length=80, help_text="Kind and subject of the form, such as “people.numbered 3”")
    key = models.UUIDField()
    sent_by = models.ForeignKey(
        User, null=True, on_delete=models.PROTECT, related_name="+", help_text="Null: a command"
    )
    sent_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(name="sent_form_once", fields=["form", "key"]),
            models.CheckConstraint(name="sent_form_is_named", condition=~Q(form="")),
        ]

    def __str__(self) -> str:
        return f"{self.form} ({self.key})"


class AuditEvent(models.Model):
    """One audit row: who did what to which row, with the values before and after. A trigger makes the table
    append-only.

    No code of the product reads it. Facts that the product needs later have tables of their own.
    """

    at = models.DateTimeField(db_default=Now())
    actor = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+", help_text="Null: the system")
    action = models.CharField(max_length=60, help_text="app.verb, such as “annotation.submitted”")
    subject = models.CharField(max_length=60, help_text="The table of the row")
    subject_id = models.CharField(max_length=64)
    study_slug = models.CharField(max_length=60, blank=True)
    before: "models.JSONField[Any, Any]" = models.JSONField(null=True, encoder=DjangoJSONEncoder)
    after: "models.JSONField[Any, Any]" = models.JSONField(null=True, encoder=DjangoJSONEncoder)
    address = models.GenericIPAddressField(null=True)

    class Meta:
        indexes = [models.Index(name="audit_by_subject", fields=["subject", "subject_id"])]
        triggers = append_only("audit")

    def __str__(self) -> str:
        return f"{self.action} {self.subject} {self.subject_id}"
