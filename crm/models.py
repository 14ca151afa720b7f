"""The project's own tables, where Django looks for them."""

from crm.mail.models import SentMail

__all__ = ["SentMail"]
