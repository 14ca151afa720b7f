"""What a new password has to be, wherever it is set (ASVS v5.0.0-6.2)."""

import dataclasses
from typing import Any

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import Membership, PasswordHistory, User
from accounts.passwords import policy
from accounts.passwords.changes import replace_password, set_password
from accounts.passwords.policy import password_problems
from accounts.team.teams import create_user
from accounts.tests.conftest import ChangeEnv
from accounts.tests.factories import PASSWORD, make_user
from crm.api.errors import WeakPassword
from crm.env import env
from staff.tests.admin_calls import page

COMMON = "This is among the passwords that are guessed first."
PERSONAL = "Leave out your name, your email address, your team and CRM."
UPPER, LOWER = "Use an upper-case letter.", "Use a lower-case letter."
DIGIT, SPECIAL = "Use a digit.", "Use a character that is no letter and no digit."
SHORT, LONG = "Use at least 12 characters.", "Use at most 128 characters."
REUSED = "This is one of your last 5 passwords."
# 128 characters of many kinds.
LONG_PHRASE = ("many words that nobody has in this order, and 7 more " * 3)[:128]


def problems_of(password: str, team: str = "Harbor Realty") -> list[str]:
    newcomer = User(email="ann.kowalski@quayside.example", first_name="Ann", last_name="Kowalski")
    return password_problems(password, user=newcomer, team=team)


@pytest.mark.parametrize(
    ("password", "problems"),
    [
        ("Sturdy-Plum-9", []),
        ("Sturdy-Plu9", [SHORT]),
        ("sturdy-plum-9", [UPPER]),
        ("STURDY-PLUM-9", [LOWER]),
        ("Sturdy-Plum-x", [DIGIT]),
        ("SturdyPlum99", [SPECIAL]),
        ("sturdyplumxx", [UPPER, DIGIT, SPECIAL]),
        ("sturdyplumsong", [UPPER, DIGIT, SPECIAL]),
        ("sturdyplumsongs", []),
        ("a passphrase of small letters.", []),
        ("zorply", [SHORT, UPPER, DIGIT, SPECIAL]),
        (LONG_PHRASE, []),
        (LONG_PHRASE + "x", [LONG]),
        (LONG_PHRASE[:64], []),
    ],
)
def test_by_default_classes_count_up_to_fourteen_characters(
    password: str, problems: list[str]
) -> None:
    assert problems_of(password) == problems


def test_every_code_point_and_every_blank_is_a_character() -> None:
    assert problems_of("  Plum-9 x  ") == []
    assert problems_of(" Plum-9 x  ") == [SHORT]
    assert problems_of("\U0001f40e\U0001f50b\U0001f9f7\u262f\u2622" * 3) == []
    # One character that becomes eighteen when normalised is one to who guesses.
    assert SHORT in problems_of("\ufdfa")
    assert problems_of("\ud800" * 15) == ["Use characters that can be written in UTF-8."]


@pytest.mark.parametrize(
    "password",
    [
        "Password1234!",
        "P@$$w0rd!2026",
        "\uff30\uff41\uff53\uff53\uff57\uff4f\uff52\uff44\uff11\uff12\uff13\uff14!",
        "passwordpassword",
        "Qwertyuiop123!",
        "qwertyuiopasdfghjkl",
        "1Qaz2Wsx3Edc!",
        "123456789012345",
        "aaaaaaaaaaaaaaaa",
        "abcabcabcabcabc",
        "!!Administrator1!!",
    ],
)
def test_common_passwords_are_refused_whole_repeated_and_decorated(password: str) -> None:
    assert problems_of(password) == [COMMON]


@pytest.mark.parametrize(
    "password",
    [
        "Ann-Kowalski-1987",
        "ann.kowalski@quayside.example",
        "kowalski kowalski 12",
        "Harbor-Realty-2026",
        "the harborrealty office",
        "Quayside-2026-Ann",
        "my own crm account",
        "KowalskiPassword1!",
    ],
)
def test_what_is_known_of_the_user_makes_no_password(password: str) -> None:
    assert problems_of(password) == [PERSONAL]


def test_a_passphrase_may_hold_a_word_that_is_also_a_name() -> None:
    assert problems_of("the quayside is a cannot of worms") == []
    assert problems_of("harbor lights at four in the morning") == []


def test_names_of_ones_teams_are_known(alice: Membership) -> None:
    assert password_problems("Harbor-Realty-2026!", user=alice.user) == [PERSONAL]
    assert problems_of("Harbor-Realty-2026!", team="") == []


@pytest.mark.parametrize(
    ("values", "password", "problems"),
    [
        ({"password_policy": "classes"}, "sturdyplumsongs", [UPPER, DIGIT, SPECIAL]),
        ({"password_policy": "classes", "require_special": False}, "Sturdyplumsongs1", []),
        ({"password_policy": "classes", "min_password_length": 8}, "Plum-9 x", []),
        ({"require_uppercase": False, "require_digit": False}, "sturdy-plums", []),
        ({"require_lowercase": False, "require_special": False}, "STURDYPLUM12", []),
        ({"min_password_length": 20}, "sturdyplumsongs", ["Use at least 20 characters."]),
        ({"password_policy": "nist"}, "sturdyplumsongs", []),
        ({"password_policy": "nist"}, "sturdyplumsong", ["Use at least 15 characters."]),
        ({"password_policy": "nist", "min_password_length": 8}, "sturdyplum", []),
        ({"password_policy": "nist"}, "passwordpassword", [COMMON]),
    ],
)
def test_the_policy_is_what_the_environment_says(
    change_env: ChangeEnv, values: dict[str, Any], password: str, problems: list[str]
) -> None:
    change_env(policy, **values)
    assert problems_of(password) == problems


def test_the_defaults_are_those_of_the_contract() -> None:
    assert (env.password_policy, policy.shortest_length(), policy.MAX_LENGTH) == ("tiered", 12, 128)
    required = (env.require_uppercase, env.require_lowercase, env.require_digit)
    assert (*required, env.require_special) == (True, True, True, True)
    assert not env.password_breach_check


def test_none_of_the_last_five_comes_back(db: None) -> None:
    user = create_user(email="new@example.com", password="sturdy plum song 0")
    for number in range(1, 6):
        set_password(user, f"sturdy plum song {number}")
    found = {n: password_problems(f"sturdy plum song {n}", user=user) for n in range(7)}
    assert found == {0: [], 1: [REUSED], 2: [REUSED], 3: [REUSED], 4: [REUSED], 5: [REUSED], 6: []}
    assert PasswordHistory.objects.count() == 4


def test_an_old_password_is_known_in_every_form_and_after_none(db: None) -> None:
    user = create_user(email="new@example.com", password="caf\u00e9 of the sturdy plum")
    set_password(user, None)
    set_password(user, "sturdy plum song")
    assert password_problems("cafe\u0301 of the sturdy plum", user=user) == [REUSED]
    assert PasswordHistory.objects.count() == 1


def test_a_password_from_before_the_rules_goes_on_working(alice: Membership) -> None:
    alice.user.set_password("short")
    assert alice.user.check_password("short")
    assert SHORT in password_problems("short", user=alice.user)


def test_all_problems_come_in_one_answer(db: None) -> None:
    with pytest.raises(WeakPassword) as refusal:
        create_user(email="new@example.com", password="zorply")
    assert refusal.value.details == {"password": [SHORT, UPPER, DIGIT, SPECIAL]}


def test_the_admin_holds_the_policy(as_staff: Client, alice: Membership) -> None:
    address = page("auth_user_password_change", alice.user_id)
    for refused, problem in ((PASSWORD, REUSED), ("Alice-Alice-9!", PERSONAL)):
        form = {"password1": refused, "password2": refused, "usable_password": "true"}
        answer = as_staff.post(address, {**form, "set-password": "1"})
        assert problem in answer.content.decode()
    new_user = {"email": "ann@example.com", "usable_password": "true"}
    form = {**new_user, "password1": "zorply", "password2": "zorply"}
    shown = as_staff.post(page("accounts_user_add"), form).content.decode()
    assert all(problem in shown for problem in (SHORT, UPPER, DIGIT, SPECIAL))
    team = {"name": "Quay West", "admin_email": "ann@example.com"}
    form = {**team, "admin_password": "Quay-West-2026!"}
    assert PERSONAL in as_staff.post(page("accounts_team_add"), form).content.decode()


def test_commands_hold_the_policy(alice: Membership, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRM_PASSWORD", "Quay-West-2026!")
    with pytest.raises(CommandError, match=PERSONAL):
        call_command("create_team", "Quay West", admin_email="ann@example.com")
    monkeypatch.setenv("CRM_PASSWORD", "Alice-Alice-9!")
    with pytest.raises(CommandError, match=PERSONAL):
        call_command("changepassword", "alice@example.com")
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "zorply")
    with pytest.raises(CommandError, match=f"{SHORT}; {UPPER}"):
        call_command("createsuperuser", interactive=False, email="root@example.com")
    assert not User.objects.filter(email__in=["ann@example.com", "root@example.com"]).exists()


def test_a_superuser_cannot_get_round_it(db: None) -> None:
    with pytest.raises(ValidationError):
        User.objects.create_superuser("root@example.com", "password1234")
    assert User.objects.create_superuser("root@example.com", PASSWORD).email_verified_at


def test_django_asks_the_same_policy() -> None:
    with pytest.raises(ValidationError) as refusal:
        validate_password("zorply", User(email="ann@example.com"))
    assert refusal.value.messages == [SHORT, UPPER, DIGIT, SPECIAL]


def test_a_change_on_the_shell_ends_sessions(
    alice: Membership, as_alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRM_PASSWORD", "Sturdy-Plum-9")
    call_command("changepassword", " ALICE@example.com")
    assert as_alice.get("/v1/auth/me").status_code == 401
    assert User.objects.get(pk=alice.user_id).check_password("Sturdy-Plum-9")
    with pytest.raises(CommandError, match="Nobody"):
        call_command("changepassword", "nobody@example.com")


def test_a_new_password_notes_its_time(db: None) -> None:
    user = make_user("ann@example.com")
    before = user.password_changed_at
    replace_password(user=user, password="Sturdy-Plum-9")
    user.refresh_from_db()
    assert user.password_changed_at > before


def test_the_policies_are_three() -> None:
    fields = {field.name: field for field in dataclasses.fields(env)}
    parse = fields["password_policy"].metadata["parser"]
    assert [parse(word) for word in ("Classes", "tiered", "NIST")] == ["classes", "tiered", "nist"]
    with pytest.raises(ValueError, match="none of"):
        parse("strict")
    for wrong in ("7", "65", "x", "-12"):
        with pytest.raises(ValueError, match="between 8 and 64"):
            fields["min_password_length"].metadata["parser"](wrong)
