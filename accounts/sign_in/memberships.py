"""Which team a sign-in opens."""

from accounts.models import Membership
from security.identifiers import normalize_email


def default_membership(email: str) -> Membership | None:
    """Return the membership that a sign-in opens: the first of the user's active ones."""
    return (
        Membership.objects.filter(
            user__email=normalize_email(email), is_active=True, team__is_active=True
        )
        .select_related("team", "user")
        .order_by("created_at", "pk")
        .first()
    )
