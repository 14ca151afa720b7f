"""The calls that staff's browsers make in the admin."""

from typing import Any

from django.test import Client
from django.urls import reverse

from accounts.tests.factories import PASSWORD

Answer = Any  # Django gives its test response no public type.
ADMIN_COOKIE = "__Host-adminSession"


def sign_in_to_admin(
    browser: Client, email: str = "staff@example.com", password: str = PASSWORD
) -> Answer:
    """Send the sign-in form."""
    return browser.post(reverse("admin:login"), {"username": email, "password": password})


def is_signed_in(browser: Client) -> bool:
    """Tell whether the browser gets the admin's first page."""
    return bool(browser.get(reverse("admin:index")).status_code == 200)


def page(name: str, *args: object) -> str:
    """Return the address of an admin page: `page("accounts_user_change", user.pk)`."""
    return reverse(f"admin:{name}", args=args)


def run_action(browser: Client, list_name: str, action: str, *objects: Any, **extra: str) -> Answer:
    """Send an action of a list on some of its objects."""
    selected = [str(item.pk) for item in objects]
    body = {"action": action, "_selected_action": selected, **extra}
    return browser.post(page(f"{list_name}_changelist"), body)


def text_of(answer: Answer) -> str:
    """Return the page as text."""
    return str(answer.content.decode())


def initial_of(answer: Answer) -> dict[str, Any]:
    """Return what a browser would send back from the form and the inlines of a page."""
    forms = [answer.context["adminform"].form]
    for inline in answer.context["inline_admin_formsets"]:
        forms += [inline.formset.management_form, *inline.formset.forms]
    sent: dict[str, Any] = {}
    for form in forms:
        for field in form:
            sent |= _sent_by(field)
    return sent


def _sent_by(field: Any) -> dict[str, Any]:
    value = field.value()
    widget = field.field.widget
    if hasattr(widget, "widgets"):
        parts = value if isinstance(value, list) else widget.decompress(value)
        return {f"{field.html_name}_{i}": part or "" for i, part in enumerate(parts)}
    if isinstance(value, list):
        value = [getattr(item, "pk", item) for item in value]
    return {} if value is None or value is False else {field.html_name: value}
