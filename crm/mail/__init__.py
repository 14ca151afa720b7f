"""Mail to people: every kind is declared once, queued as a job, sent as HTML and plain text."""

from crm.mail.kinds import MailKind, all_mail_kinds
from crm.mail.links import app_link

__all__ = ["MailKind", "all_mail_kinds", "app_link"]
