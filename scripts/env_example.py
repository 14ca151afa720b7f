"""Write `.env.example` from what crm/env/reader.py declares: `python -m scripts.env_example`."""

from crm.env import PROJECT_DIR, declared_variables

PATH = PROJECT_DIR / ".env.example"
HEAD = """\
# Every setting of the system. Copy this file to `.env` beside manage.py and change what you need; a
# variable of the process wins over the file. What stands behind a variable here is its default.
# Durations are 30s, 15m, 12h or 7d; rates are COUNT/PERIOD such as 100/15m; lists are separated by
# commas. A value that cannot be read stops the start with one line that says why.
"""


def example_text() -> str:
    """Return the whole file: each group, and each variable with its line and its default."""
    lines, shown_group = [HEAD], ""
    for name, group, help_text, default in declared_variables():
        if group != shown_group:
            lines.append(f"\n# {group.upper()}\n")
            shown_group = group
        lines.append(f"# {help_text}\n# {name}={default or ''}\n")
    return "".join(lines)


def main() -> None:
    """Write the file."""
    PATH.write_text(example_text(), encoding="utf-8")


if __name__ == "__main__":
    main()
