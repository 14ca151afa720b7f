"""`manage.py preview_mails FOLDER`."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.template.loader import render_to_string

from crm.mail import all_mail_kinds
from crm.mail.message import render


class Command(BaseCommand):
    """Write every kind of mail with made-up values, and a page that lists them."""

    help = "Write a preview of every mail into a folder."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        folder: Path = options["folder"]
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for kind in all_mail_kinds():
                mail = render(
                    kind.name, subject=kind.subject, to="a@example.com", context=kind.sample
                )
                (folder / f"{kind.name}.txt").write_text(str(mail.body), encoding="utf-8")
                html = str(mail.alternatives[0][0])
                (folder / f"{kind.name}.html").write_text(html, encoding="utf-8")
            page = render_to_string("mail/previews.html", {"kinds": all_mail_kinds()})
            (folder / "index.html").write_text(page, encoding="utf-8")
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}") from error
        self.stdout.write(f"{len(all_mail_kinds())} mails: {folder / 'index.html'}")
