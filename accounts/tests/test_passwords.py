"""How passwords are kept, and hashes that another system made."""

import bcrypt
import pytest
from django.core.exceptions import ValidationError

from accounts.models import Membership, User
from accounts.team.teams import create_team, create_user
from accounts.tests.calls import code_of, sign_in
from accounts.tests.factories import PASSWORD, make_user
from conftest import ApiClient
from crm.api.errors import ValidationFailed, WeakPassword

ARGON2ID = "argon2$argon2id$v=19$m=19456,t=4,p=1$"


def bcrypt_hash(password: str, prefix: str = "$2b$") -> str:
    """Return a hash as another system stores it; 4 rounds keep the test short."""
    made = bcrypt.hashpw(password.encode()[:72], bcrypt.gensalt(4)).decode()
    return prefix + made[4:]


def import_user(member: Membership, stored: str) -> User:
    User.objects.filter(pk=member.user_id).update(password=stored)
    return User.objects.get(pk=member.user_id)


@pytest.mark.usefixtures("real_hashes")
def test_new_password_is_hashed_with_argon2id(db: None) -> None:
    user = User.objects.create_user("new@example.com", PASSWORD)
    assert user.password.startswith(ARGON2ID)


@pytest.mark.usefixtures("real_hashes")
@pytest.mark.parametrize("form", ["", "bcrypt$"])
@pytest.mark.parametrize("prefix", ["$2a$", "$2b$", "$2y$"])
def test_imported_hash_opens_once_and_is_then_argon2id(
    alice: Membership, as_stranger: ApiClient, prefix: str, form: str
) -> None:
    import_user(alice, form + bcrypt_hash("her old password", prefix))
    assert sign_in(as_stranger, password="her old password").status_code == 200
    user = User.objects.get(pk=alice.user_id)
    assert user.password.startswith(ARGON2ID)
    assert sign_in(as_stranger, password="her old password").status_code == 200


def test_a_hash_that_is_replaced_late_brings_no_old_password_back(alice: Membership) -> None:
    judged = import_user(alice, bcrypt_hash("her old password"))
    newer = User.objects.get(pk=alice.user_id)
    newer.set_password("her newest password")
    newer.save()
    assert judged.check_password("her old password")
    assert User.objects.get(pk=alice.user_id).password == newer.password


@pytest.mark.parametrize("form", ["", "bcrypt$"])
def test_wrong_password_leaves_an_imported_hash_alone(
    alice: Membership, as_stranger: ApiClient, form: str
) -> None:
    stored = import_user(alice, form + bcrypt_hash("her old password")).password
    assert code_of(sign_in(as_stranger, password="her old passwort"))[0] == 401
    assert User.objects.get(pk=alice.user_id).password == stored


def test_imported_hash_of_a_long_password_opens_and_the_whole_counts_from_then_on(
    alice: Membership, as_stranger: ApiClient
) -> None:
    password = "long " * 20
    import_user(alice, bcrypt_hash(password))
    assert sign_in(as_stranger, password=password).status_code == 200
    assert code_of(sign_in(as_stranger, password=password[:72]))[0] == 401


def test_imported_hash_cut_inside_a_character_opens(
    alice: Membership, as_stranger: ApiClient
) -> None:
    password = "x" * 71 + "\u00e9\u00e9"
    import_user(alice, bcrypt_hash_bytes(password.encode()[:72]))
    assert sign_in(as_stranger, password=password).status_code == 200


def bcrypt_hash_bytes(password: bytes) -> str:
    return bcrypt.hashpw(password, bcrypt.gensalt(4)).decode()


def test_imported_hash_knows_the_password_as_it_was_typed(
    alice: Membership, as_stranger: ApiClient
) -> None:
    import_user(alice, bcrypt_hash("\ufb01sh \u00bd and chips"))
    assert sign_in(as_stranger, password="\ufb01sh \u00bd and chips").status_code == 200
    assert sign_in(as_stranger, password="fish 1\u20442 and chips").status_code == 200


@pytest.mark.parametrize(
    "stored", ["$2b$", "bcrypt$", "bcrypt$$2b$99$x", "$2b$04$short", "md5$x$y", "plain", "", "!"]
)
def test_broken_hash_opens_nothing(alice: Membership, as_stranger: ApiClient, stored: str) -> None:
    import_user(alice, stored)
    for password in ("x", stored or "x"):
        assert code_of(sign_in(as_stranger, password=password)) == (401, "INVALID_CREDENTIALS")


def test_password_is_the_same_from_every_keyboard(db: None) -> None:
    user = User.objects.create_user("new@example.com", "caf\u00e9 \u2126hm 1234")
    assert user.check_password("cafe\u0301 \u03a9hm 1234")


def test_passwords_alike_in_72_bytes_differ(db: None) -> None:
    user = User.objects.create_user("new@example.com", "x" * 72 + "1")
    assert user.check_password("x" * 72 + "1")
    assert not user.check_password("x" * 72 + "2")


@pytest.mark.parametrize("typed", [f" {PASSWORD}", f"{PASSWORD} ", PASSWORD.lower(), PASSWORD[:-1]])
def test_blanks_and_case_count(alice: Membership, as_stranger: ApiClient, typed: str) -> None:
    assert code_of(sign_in(as_stranger, password=typed))[0] == 401


@pytest.mark.parametrize("length", [64, 128, 1024])
def test_long_passwords_work(db: None, as_stranger: ApiClient, length: int) -> None:
    password = ("a long passphrase of many words " * 32)[:length]
    assert User.objects.create_user("new@example.com", password).check_password(password)


@pytest.mark.parametrize("stored", ["argon2", "bcrypt"])
def test_nul_in_a_password_is_wrong_and_no_error(db: None, stored: str) -> None:
    user = make_user("new@example.com")
    if stored == "bcrypt":
        user.password = bcrypt_hash(PASSWORD)
    assert not user.check_password(f"{PASSWORD}\0")


@pytest.mark.parametrize("password", ["short-1A", "q1w2e3r4t5y6", "newcomer@example.com", None])
def test_weak_password_is_refused(db: None, password: str | None) -> None:
    with pytest.raises(WeakPassword):
        create_user(email="newcomer@example.com", password=password)
    assert not User.objects.exists()


def test_passphrase_of_small_letters_is_accepted(db: None) -> None:
    create_user(email="new@example.com", password="correct horse battery staple x")


@pytest.mark.parametrize("email", ["", "x", "a@b", "a b@example.com", "x" * 250 + "@example.com"])
def test_bad_address_makes_no_user(db: None, email: str) -> None:
    with pytest.raises(ValidationFailed):
        create_user(email=email, password=PASSWORD)


@pytest.mark.parametrize("name", ["", " ", "x" * 121])
def test_team_needs_a_name(db: None, name: str) -> None:
    with pytest.raises(ValidationFailed):
        create_team(name=name, admin_email="new@example.com", password=PASSWORD)


def test_address_is_unique_in_every_spelling(alice: Membership) -> None:
    user = User(email=" ALICE@example.com", password="!")
    with pytest.raises(ValidationError) as refusal:
        user.full_clean()
    assert refusal.value.message_dict.keys() == {"email"}
