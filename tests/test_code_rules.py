"""No file breaks a rule of tests/code_rules.py but those named here, with the reason."""

import ast
from collections.abc import Mapping

import pytest

from crm.env import PROJECT_DIR
from tests import code_rules
from tests.code_rules import Rule, source_files

# Rule → file → why it may.
EXCEPTIONS: Mapping[Rule, Mapping[str, str]] = {
    code_rules.unscoped_team_rows: {
        "crm/demo/records.py": "inserts in bulk, with the team in each row",
        "records/admin/pages.py": "all teams, inside the door of staff",
        "accounts/sessions/admin_sessions.py": "its model is Django's session",
    },
    code_rules.every_field: {},
    code_rules.assembled_sql: {
        "crm/db/operations.py": "names of tables, written in migrations",
        "crm/db/audit.py": "names of tables and functions, written in migrations",
        "security/audit/sealer.py": "constants and placeholders",
        "security/audit/verifier.py": "constants and placeholders",
        "crm/db/tenancy.py": "as many placeholders as settings",
        "accounts/sessions/authentication.py": "constants and placeholders",
        "security/api_keys/authentication.py": "constants and placeholders",
        "benchmarks/records_data.py": "constants and placeholders",
    },
    code_rules.past_the_orm: {},
    code_rules.open_to_all: {
        "crm/api/views.py": "health, schema and docs; crm.api stands below security.access",
    },
    code_rules.own_environment: {
        "crm/env/reader.py": "the one reader",
        "crm/serving/run.py": "sets DJANGO_SETTINGS_MODULE",
        "crm/wsgi.py": "sets DJANGO_SETTINGS_MODULE",
        "manage.py": "sets DJANGO_SETTINGS_MODULE",
        "accounts/management/passwords.py": "CRM_PASSWORD is of one call, no setting",
        "scripts/check.py": "passes variables to children",
        "benchmarks/run.py": "passes variables to children",
    },
    code_rules.broad_except: {},
    code_rules.unescaped_markup: {},
}
SAMPLES: Mapping[Rule, tuple[list[str], list[str]]] = {
    code_rules.unscoped_team_rows: (
        ["Client.objects.all()", "Lead.objects.filter(pk=1).first()", "self.model.objects.get()"],
        ["Client.objects.for_team(1).filter(pk=2)", "records.lock_record(Lead.objects.present())"],
    ),
    code_rules.every_field: (
        ["fields = '__all__'", "class Meta:\n    exclude = ('team',)"],
        ["fields = ('id',)"],
    ),
    code_rules.assembled_sql: (
        [
            "f'SELECT {x} FROM y'",
            "'DELETE FROM x WHERE id = %s' % pk",
            "'SELECT 1 FROM ' + table",
            "'UPDATE {} SET a = 1'.format(t)",
        ],
        ["'SELECT %s'", "f'Select {x} from the list'", "f'{name} was updated'"],
    ),
    code_rules.past_the_orm: (["x.raw('SELECT 1')", "x.extra(where=[1])", "RawSQL('1', [])"], []),
    code_rules.open_to_all: (
        ["from rest_framework.permissions import AllowAny", "@csrf_exempt\ndef f(): ..."],
        ["Public"],
    ),
    code_rules.own_environment: (["os.environ['X']", "os.getenv('X')"], ["env.debug"]),
    code_rules.broad_except: (
        [
            "try: ...\nexcept Exception: ...",
            "try: ...\nexcept: ...",
            "try: ...\nexcept (KeyError, BaseException) as e: raise ValueError from e",
        ],
        ["try: ...\nexcept ValueError: ...", "try: ...\nexcept BaseException: raise"],
    ),
    code_rules.unescaped_markup: (
        ["from django.utils.safestring import mark_safe", "eval('1')"],
        ["format_html('{}', x)"],
    ),
}
every_rule = pytest.mark.parametrize("rule", list(EXCEPTIONS), ids=lambda rule: rule.__name__)


@every_rule
def test_no_file_breaks_the_rule(rule: Rule) -> None:
    broken: dict[str, list[int]] = {}
    for path in source_files():
        lines = sorted(set(rule(ast.parse(path.read_text(encoding="utf-8")))))
        if lines:
            broken[path.relative_to(PROJECT_DIR).as_posix()] = lines
    surprising = {name: lines for name, lines in broken.items() if name not in EXCEPTIONS[rule]}
    assert surprising == {}
    assert set(EXCEPTIONS[rule]) <= set(broken), "an exception is no longer needed"


@every_rule
def test_the_rule_finds_what_it_is_for_and_nothing_else(rule: Rule) -> None:
    bad, good = SAMPLES[rule]
    assert [sample for sample in bad if not list(rule(ast.parse(sample)))] == []
    assert [sample for sample in good if list(rule(ast.parse(sample)))] == []


def test_the_rules_read_the_whole_project() -> None:
    folders = {path.relative_to(PROJECT_DIR).parts[0] for path in source_files()}
    assert {"crm", "security", "accounts", "clients", "leads", "manage.py"} <= folders
