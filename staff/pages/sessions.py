"""Sign-ins of people through the API."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import RevokeReason, Session, User
from accounts.models.session import is_over
from accounts.sessions.sign_out import end_session, end_sessions_by_staff
from security.admin.pages import ReadOnlyPage, is_superuser


class LiveFilter(admin.SimpleListFilter):
    """Sessions that still give access, and those that do not."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("live", "Live"), ("over", "Over")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        live = Session.objects.live()
        if self.value() == "live":
            return queryset.filter(pk__in=live.values("pk"))
        if self.value() == "over":
            return queryset.exclude(pk__in=live.values("pk"))
        return queryset


@admin.register(Session)
class SessionPage(ReadOnlyPage):
    """Look at sessions and end them. No token is stored, so none is shown."""

    list_display = (
        "user",
        "team",
        "device_name",
        "ip_address",
        "created_at",
        "last_seen_at",
        "is_live",
        "revoke_reason",
    )
    list_filter = (LiveFilter, "revoke_reason", "team")
    list_select_related = ("user", "team")
    search_fields = ("user__email", "team__name", "ip_address", "device_name")
    date_hierarchy = "created_at"
    actions = ("end_selected", "end_all_of_users")
    fields = (
        "user",
        "team",
        "device_name",
        "ip_address",
        "user_agent",
        "created_at",
        "last_seen_at",
        "expires_at",
        "generation",
        "rotated_at",
        "revoked_at",
        "revoke_reason",
    )

    @admin.display(boolean=True, description="live")
    def is_live(self, session: Session) -> bool:
        """Tell whether the session gives access."""
        return not is_over(
            revoked_at=session.revoked_at,
            expires_at=session.expires_at,
            last_seen_at=session.last_seen_at,
            now=timezone.now(),
        )

    @admin.action(description="End selected sessions", permissions=["end"])
    def end_selected(self, request: HttpRequest, queryset: Any) -> None:
        """End sessions; their tokens are refused with the next call."""
        open_sessions = _endable(request, queryset).filter(revoked_at=None).order_by("pk")
        ended = [
            session
            for session in open_sessions
            if end_session(session_id=session.pk, reason=RevokeReason.ENDED_BY_STAFF)
        ]
        for session in ended:
            self.log_change(request, session, "Ended.")
        self.message_user(request, f"Sessions ended: {len(ended)}.", messages.SUCCESS)

    @admin.action(description="End all sessions of the users of these", permissions=["end"])
    def end_all_of_users(self, request: HttpRequest, queryset: Any) -> None:
        """End every session of every user who has a selected one."""
        sessions = _endable(request, queryset)
        users = User.objects.filter(sessions__in=sessions).distinct().order_by("pk")
        end_sessions_of(self, request, users)

    def has_end_permission(self, request: HttpRequest) -> bool:
        """Tell whether the member of staff may end sessions."""
        return bool(request.user.has_perm("accounts.change_session"))


def _endable(request: HttpRequest, sessions: Any) -> Any:
    """Keep sessions that are not of staff, unless a superuser asks."""
    if is_superuser(request):
        return sessions
    return sessions.filter(user__is_staff=False, user__is_superuser=False)


def end_sessions_of(page: Any, request: HttpRequest, users: Any) -> None:
    """End all sessions of some users but the one that asks, and say how many there were."""
    count = 0
    for user in users:
        count += end_sessions_by_staff(user, kept_admin_session=request.session.session_key)
        page.log_change(request, user, "All sessions ended.")
    page.message_user(request, f"Sessions ended: {count}.", messages.SUCCESS)
