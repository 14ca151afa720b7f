"""People who sign in."""

from typing import TYPE_CHECKING, Any

from axes.models import AccessAttempt
from django.contrib import admin, messages
from django.contrib.auth import admin as auth_admin
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, Subquery, Sum
from django.http import HttpRequest
from django.utils import timezone

from accounts.factors.second_factor import reset_second_factor
from accounts.guards.password_check import unlock_account
from accounts.mailbox.email_addresses import replace_address
from accounts.models import Lockout, User
from accounts.sessions.sign_out import end_sessions_by_staff
from crm.env import env
from security.admin.pages import StaffPage, is_superuser
from security.events.collector import record_event
from security.events.types import EventType
from staff.pages.memberships import MembershipInline
from staff.pages.sessions import end_sessions_of
from staff.pages.user_forms import NewUserForm, StaffSetPasswordForm, UserForm
from staff.sign_in.fresh_proof import FreshProofPage, ask_for_proof

if TYPE_CHECKING:
    UserAdmin = auth_admin.UserAdmin[User]
else:
    UserAdmin = auth_admin.UserAdmin

# What gives access, or takes it over. The rest may be changed with the permission.
SUPERUSER_FIELDS = ("email", "is_staff", "is_superuser", "user_permissions")
RIGHTS = frozenset({"is_active", "is_staff", "is_superuser", "user_permissions"})
# Nobody shuts the door behind which they stand.
OWN_RIGHTS = ("is_active", "is_staff", "is_superuser")


@admin.register(User)
class UserPage(FreshProofPage, StaffPage, UserAdmin):
    """Users. They are deactivated, not deleted: records and histories name them."""

    form = UserForm
    add_form = NewUserForm
    change_password_form = StaffSetPasswordForm
    change_form_template = "admin/accounts/user/change_form.html"
    secret_fields = ("password",)
    list_display = (
        "email",
        "first_name",
        "last_name",
        "is_active",
        "is_staff",
        "may_sign_in",
        "last_login",
    )
    list_filter = ("is_active", "is_staff", "is_superuser", "memberships__role")
    search_fields = ("email", "first_name", "last_name")
    ordering = ("email",)
    date_hierarchy = "date_joined"
    filter_horizontal = ("user_permissions",)
    readonly_fields = (
        "id",
        "last_login",
        "date_joined",
        "email_verified_at",
        "password_changed_at",
    )
    actions = ("end_all_sessions", "unlock", "deactivate", "reset_second_factor")
    fieldsets = (
        (None, {"fields": ("email", ("first_name", "last_name"), "is_active")}),
        ("Staff", {"fields": ("is_staff", "is_superuser", "user_permissions")}),
        (
            "Dates",
            {
                "fields": (
                    "last_login",
                    "email_verified_at",
                    "password_changed_at",
                    "date_joined",
                    "id",
                )
            },
        ),
    )
    add_fieldsets = (
        (
            None,
            {
                "classes": ("wide",),
                "fields": (
                    "email",
                    "first_name",
                    "last_name",
                    "usable_password",
                    "password1",
                    "password2",
                ),
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        since = timezone.now() - env.lockout_duration
        failures = (
            AccessAttempt.objects.filter(username=OuterRef("email"), attempt_time__gt=since)
            .values("username")
            .annotate(total=Sum("failures_since_start"))
            .values("total")
        )
        locks = Lockout.objects.filter(name=OuterRef("email"), locked_until__gt=timezone.now())
        return (
            super()
            .get_queryset(request)
            .annotate(failures=Subquery(failures), is_locked=Exists(locks))
        )

    @admin.display(boolean=True, description="may sign in")
    def may_sign_in(self, user: Any) -> bool:
        """Tell whether neither failures nor inactivity keep out the user on a new device."""
        is_locked = user.is_locked or (user.failures or 0) >= env.max_login_attempts
        return user.is_active and not is_locked

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return [] if obj is None else [MembershipInline]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = tuple(self.readonly_fields)
        if obj is None:
            return fields
        if not is_superuser(request):
            fields += SUPERUSER_FIELDS
        if obj.pk == request.user.pk:
            fields += OWN_RIGHTS
        return fields

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Staff without superuser's rights do not change each other."""
        is_ordinary = obj is None or not (obj.is_staff or obj.is_superuser)
        return (is_ordinary or is_superuser(request)) and super().has_change_permission(
            request, obj
        )

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> Any:
        """Set somebody's password: whoever may do that can be anybody."""
        if not is_superuser(request):
            raise PermissionDenied
        return ask_for_proof(request) or super().user_change_password(request, id, form_url)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            obj.email_verified_at = timezone.now()
            super().save_model(request, obj, form, change)
            return
        # Only what was changed here: a password that its owner changes meanwhile stays.
        obj.save(update_fields=[name for name in form.changed_data if name != "user_permissions"])
        if "email" in form.changed_data:
            replace_address(obj, old_email=form.initial["email"])
        if changed := sorted(RIGHTS.intersection(form.changed_data)):
            record_event(EventType.ROLE_CHANGED, user_id=obj.pk, changed=changed)
        if form.loses_access():
            end_sessions_by_staff(obj)

    @admin.action(description="End all sessions of selected users", permissions=["change"])
    def end_all_sessions(self, request: HttpRequest, queryset: Any) -> None:
        """End every session; tokens are refused with the next call."""
        end_sessions_of(self, request, self._changeable(request, queryset))

    @admin.action(description="Unlock selected users", permissions=["change"])
    def unlock(self, request: HttpRequest, queryset: Any) -> None:
        """Forget the failed sign-ins."""
        unlocked = [
            user for user in self._changeable(request, queryset) if unlock_account(user.email)
        ]
        for user in unlocked:
            self.log_change(request, user, "Unlocked.")
        self.message_user(request, f"Users unlocked: {len(unlocked)}.", messages.SUCCESS)

    @admin.action(description="Deactivate selected users", permissions=["change"])
    def deactivate(self, request: HttpRequest, queryset: Any) -> None:
        """Take access away, from the next request on."""
        users = list(self._changeable(request, queryset).exclude(pk=request.user.pk))
        for user in users:
            user.is_active = False
            user.save(update_fields=["is_active"])
            record_event(EventType.ROLE_CHANGED, user_id=user.pk, changed=["is_active"])
            end_sessions_by_staff(user)
            self.log_change(request, user, "Deactivated.")
        self.message_user(request, f"Users deactivated: {len(users)}.", messages.SUCCESS)

    @admin.action(
        description="Take away the second factor of selected users",
        permissions=["reset_second_factor"],
    )
    def reset_second_factor(self, request: HttpRequest, queryset: Any) -> Any:
        """Let people who lost it sign in with the password alone; all their sessions end."""
        if to_proof := ask_for_proof(request):
            return to_proof
        users = [
            user
            for user in queryset.exclude(pk=request.user.pk)
            if reset_second_factor(user_id=user.pk)
        ]
        for user in users:
            self.log_change(request, user, "Second factor taken away.")
        self.message_user(request, f"Second factors taken away: {len(users)}.", messages.SUCCESS)
        return None

    def has_reset_second_factor_permission(self, request: HttpRequest) -> bool:
        """Tell whether the member of staff may take factors away: it opens the way in."""
        return is_superuser(request)

    def _changeable(self, request: HttpRequest, queryset: Any) -> Any:
        """Keep the users whom this member of staff may change."""
        if is_superuser(request):
            return queryset
        return queryset.filter(is_staff=False, is_superuser=False)
