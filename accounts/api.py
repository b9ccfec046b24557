"""What every endpoint of the API shares."""

from rest_framework.exceptions import NotAuthenticated
from rest_framework.views import APIView

from accounts.models import User


class SignedInView(APIView):
    """An endpoint for somebody who is signed in, by session or token."""

    @property
    def person(self) -> User:
        """Who asks."""
        if not isinstance(self.request.user, User):
            raise NotAuthenticated
        return self.request.user
