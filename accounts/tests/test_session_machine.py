"""Any sequence of refreshes, replays and sign-outs leaves sessions as a plain model says."""

import itertools
import time
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from accounts.models import Membership
from accounts.sessions.tokens import AccessToken, RefreshToken
from accounts.tests.calls import me, refresh_with
from accounts.tests.factories import make_member, make_team, open_session
from conftest import ApiClient
from security.tests.counters import SetRate

_numbers = itertools.count()


@dataclass(eq=False)
class Family:
    """What the model knows of a session: its refresh tokens, and whether it stands."""

    access_token: str
    refresh_tokens: list[str]
    rotated_at: list[float] = field(default_factory=list)
    is_live: bool = True


class SessionMachine(RuleBasedStateMachine):
    """One person with several sessions, a second tab, and a thief who keeps every token."""

    families = Bundle("families")
    member: Membership

    @initialize()
    def make_person(self) -> None:
        self.all: list[Family] = []
        self.member = make_member(make_team(), f"person{next(_numbers)}@example.com")

    @rule(target=families)
    def sign_in(self) -> Family:
        session = open_session(self.member)
        access = AccessToken.for_session(session, team_id=self.member.team_id)
        family = Family(str(access), [str(RefreshToken.of_generation(session))])
        self.all.append(family)
        return family

    @rule(family=families)
    def refresh(self, family: Family) -> None:
        answer = refresh_with(family.refresh_tokens[-1])
        assert answer.status_code == (200 if family.is_live else 401)
        if family.is_live:
            family.rotated_at.append(time.time())
            family.refresh_tokens.append(answer.json()["data"]["refreshToken"])

    @rule(family=families)
    def refresh_from_a_second_tab(self, family: Family) -> None:
        if len(family.refresh_tokens) > 1:
            answer = self.replay(family, family.refresh_tokens[-2], seconds_before=1)
            assert answer.status_code == (200 if family.is_live else 401)
            if family.is_live:
                assert answer.json()["data"]["refreshToken"] == family.refresh_tokens[-1]

    @rule(family=families, data=st.data(), seconds_before=st.sampled_from([0, 1]))
    def steal(self, family: Family, data: st.DataObject, seconds_before: int) -> None:
        used = family.refresh_tokens[: -2 if seconds_before else -1]
        if used:
            token = data.draw(st.sampled_from(used))
            assert self.replay(family, token, seconds_before).status_code == 401
            if family.is_live:
                self.end(*self.all)

    @rule(family=families, data=st.data())
    def sign_out(self, family: Family, data: st.DataObject) -> None:
        token = data.draw(st.sampled_from(family.refresh_tokens))
        answer = ApiClient().post_json("/v1/auth/logout", {"refreshToken": token})
        assert answer.status_code == 200
        self.end(family)

    @rule(family=families)
    def sign_out_everywhere(self, family: Family) -> None:
        client = ApiClient(f"Bearer {family.access_token}")
        answer = client.post_json("/v1/auth/logout-all")
        assert answer.status_code == (200 if family.is_live else 401)
        if family.is_live:
            self.end(*self.all)

    @invariant()
    def access_tokens_stand_as_long_as_their_session(self) -> None:
        for family in self.all:
            assert me(family.access_token).status_code == (200 if family.is_live else 401)

    def replay(self, family: Family, token: str, seconds_before: int) -> Any:
        """Send a token that arrived now, or so long before the last rotation."""
        arrived_at = family.rotated_at[-1] - seconds_before if seconds_before else time.time()
        return refresh_with(token, **{"crm.arrived_at": arrived_at})

    def end(self, *families: Family) -> None:
        for family in families:
            family.is_live = False


@pytest.mark.django_db
def test_sessions_follow_the_model(set_rate: SetRate) -> None:
    for limit in ("anonymous", "api", "session", "refresh"):
        set_rate(limit, "0")
    run_state_machine_as_test(
        SessionMachine,
        settings=settings(
            max_examples=10,
            stateful_step_count=12,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )
