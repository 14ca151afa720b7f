"""A new password costs one hash: those of one person share a salt (docs/adr/0012-one-hash.md)."""

from collections.abc import Callable

import pytest
from django.contrib.auth.hashers import get_hasher, make_password

from accounts.models import Membership, PasswordHistory, User
from accounts.passwords import changes as passwords
from accounts.passwords.changes import replace_password, set_password
from accounts.passwords.hashed_password import HashedPassword, hash_password
from accounts.passwords.hashers import Argon2idHasher
from accounts.passwords.policy import hash_strong_password, password_problems
from accounts.team.teams import create_user
from accounts.tests.account_calls import NEW_PASSWORD, change, reset, reset_token
from accounts.tests.calls import code_of, sign_in
from accounts.tests.factories import PASSWORD
from accounts.tests.test_passwords import bcrypt_hash
from conftest import ApiClient

REUSED = ["This is one of your last 5 passwords."]
WEAK = (400, "WEAK_PASSWORD")


def song(number: int) -> str:
    return f"caf\u00e9 of the sturdy plum {number}"


def sing(user: User) -> None:
    """Give a user five passwords, one after the other."""
    for number in range(5):
        set_password(user, song(number))


def hashes_of(user: User) -> list[str]:
    """Return the present hash and the remembered ones, the newest first."""
    earlier = PasswordHistory.objects.filter(user_id=user.pk).values_list("password", flat=True)
    return [User.objects.get(pk=user.pk).password, *earlier]


def salts_of(user: User) -> list[str]:
    return [get_hasher().decode(stored)["salt"] for stored in hashes_of(user)]


def test_a_reset_costs_one_hash_with_five_remembered(
    alice: Membership, argon2_calls: list[str]
) -> None:
    sing(alice.user)
    token = reset_token(alice.user)
    argon2_calls.clear()
    assert reset(token).status_code == 200
    assert argon2_calls == ["encode"]
    assert len(hashes_of(alice.user)) == 5
    assert len(set(salts_of(alice.user))) == 1
    assert sign_in(ApiClient(), password=NEW_PASSWORD).status_code == 200


def test_a_change_costs_two_with_that_of_the_present_one(
    alice: Membership, as_alice: ApiClient, argon2_calls: list[str]
) -> None:
    sing(alice.user)
    argon2_calls.clear()
    assert change(as_alice, current=song(4)).status_code == 200
    assert argon2_calls == ["verify", "encode"]
    assert sign_in(ApiClient(), password=NEW_PASSWORD).status_code == 200


@pytest.mark.parametrize("accent", ["\u00e9", "e\u0301"])
def test_each_of_the_last_five_is_refused_at_one_hash(
    alice: Membership, argon2_calls: list[str], accent: str
) -> None:
    sing(alice.user)
    token = reset_token(alice.user)
    argon2_calls.clear()
    answers = [reset(token, song(number).replace("\u00e9", accent)) for number in range(5)]
    assert [code_of(answer) for answer in answers] == [WEAK] * 5
    assert argon2_calls == ["encode"] * 5


def test_no_two_people_share_a_salt(db: None) -> None:
    users = [create_user(email=f"{name}@example.com", password=song(9)) for name in "ab"]
    for user in users:
        sing(user)
    assert [len(set(salts_of(user))) for user in users] == [1, 1]
    assert salts_of(users[0])[0] != salts_of(users[1])[0]


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Have something happen between the judging of a new password and its storing."""

    def let_happen(action: Callable[[], object]) -> None:
        def judge(password: str, *, user: User, field: str) -> HashedPassword:
            hashed = hash_strong_password(password, user=user, field=field)
            action()
            return hashed

        monkeypatch.setattr(passwords, "hash_strong_password", judge)

    return let_happen


def test_a_sign_in_that_hashes_anew_meanwhile_loses_nothing(
    alice: Membership, meanwhile: Callable[[Callable[[], object]], None]
) -> None:
    sing(alice.user)
    anew = make_password(song(4))
    meanwhile(lambda: User.objects.filter(pk=alice.user_id).update(password=anew))
    assert reset(reset_token(alice.user)).status_code == 200
    user = User.objects.get(pk=alice.user_id)
    assert user.check_password(NEW_PASSWORD)
    assert len(set(salts_of(user))) == 2
    found = [password_problems(song(number), user=user) for number in range(5)]
    assert found == [[], REUSED, REUSED, REUSED, REUSED]


def test_a_password_that_staff_set_meanwhile_stays(
    alice: Membership, meanwhile: Callable[[Callable[[], object]], None]
) -> None:
    token, owner = reset_token(alice.user), User.objects.get(pk=alice.user_id)
    meanwhile(lambda: replace_password(user=owner, password=song(0)))
    assert code_of(reset(token)) == (400, "VALIDATION_ERROR")
    assert User.objects.get(pk=alice.user_id).check_password(song(0))


def older_hash(password: str) -> str:
    """Return a hash with the parameters of the past."""
    hasher = Argon2idHasher()
    hasher.time_cost += 1
    return hasher.encode(password, hasher.salt())


def test_remembered_hashes_of_every_other_kind_are_verified_by_themselves(
    alice: Membership, argon2_calls: list[str]
) -> None:
    bare, kept = bcrypt_hash(song(2)), f"bcrypt${bcrypt_hash(song(3))}"
    for stored in (make_password(song(0)), older_hash(song(1)), bare, kept):
        PasswordHistory.objects.create(user=alice.user, password=stored)
    argon2_calls.clear()
    assert password_problems("another sturdy plum", user=alice.user) == []
    assert argon2_calls == ["encode", "verify", "verify"]
    assert password_problems(PASSWORD, user=alice.user) == REUSED
    found = [password_problems(song(number), user=alice.user) for number in range(4)]
    assert found == [REUSED] * 4


def test_a_new_salt_is_taken_where_the_present_one_will_not_do(db: None) -> None:
    hasher = Argon2idHasher()
    short, foreign = hasher.encode(PASSWORD, "x" * 16), hasher.encode(PASSWORD, "\u00e9" * 22)
    unfit = ["", "!", bcrypt_hash(PASSWORD), older_hash(PASSWORD), short, foreign]
    encoded = [hash_password(PASSWORD, present=present).encoded for present in unfit]
    salts = {hasher.decode(made)["salt"] for made in encoded}
    assert len(salts) == len(unfit)
    assert not any(salt.startswith(("x" * 16, "\u00c3")) for salt in salts)
    present = make_password(PASSWORD)
    assert hash_password(PASSWORD, present=present).encoded == present


def test_a_password_outlives_the_loss_of_the_present_one(alice: Membership) -> None:
    set_password(alice.user, None)
    assert alice.user.password.startswith("!")
    assert reset(reset_token(alice.user), PASSWORD).status_code == 400
    assert reset(reset_token(alice.user)).status_code == 200


def test_what_is_kept_of_a_judged_password_shows_nothing() -> None:
    hashed = hash_password(PASSWORD, present="")
    assert repr(hashed) == "HashedPassword()"
