"""Clients and leads of the demo teams: the same ones each time, from a seeded generator."""

import random
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone

from accounts.models import Membership, Team
from clients.models import Client, ClientStatus, ContactType
from leads.models import Lead, LeadStatus, LeadType

CLIENT_COUNT = 60
LEAD_COUNT = 40
_FIRST_NAMES = (
    "Amelia",
    "Benjamin",
    "Carmen",
    "Daniel",
    "Elena",
    "Felix",
    "Grace",
    "Hassan",
    "Irene",
    "Jonas",
    "Keiko",
    "Liam",
    "Maya",
    "Noah",
    "Olivia",
    "Pavel",
    "Quinn",
    "Rosa",
    "Samuel",
    "Tara",
    "Umar",
    "Vera",
    "Walter",
    "Ximena",
    "Yusuf",
    "Zoe",
)
_LAST_NAMES = (
    "Adler",
    "Bennett",
    "Chen",
    "Dubois",
    "Ekström",
    "Fischer",
    "Garcia",
    "Hughes",
    "Ibrahim",
    "Johnson",
    "Kowalski",
    "Lopez",
    "Murphy",
    "Nakamura",
    "O'Brien",
    "Petrov",
    "Quintero",
    "Rossi",
    "Schmidt",
    "Thompson",
    "Ueda",
    "Vargas",
    "Williams",
    "Young",
)
_STREETS = ("Ocean Avenue", "Maple Street", "Harbor Road", "Summit Drive", "Cedar Lane")
_CITIES = (
    ("Portland", "ME", "04101"),
    ("Boulder", "CO", "80302"),
    ("Savannah", "GA", "31401"),
    ("Santa Cruz", "CA", "95060"),
)
_TAGS = ("first-time buyer", "relocation", "downsizing", "waterfront", "cash", "referral")
_SOURCES = ("website", "open house", "referral", "newspaper", "social media")
_NOTES = (
    "Prefers calls in the morning.",
    "Wants a garden and a short walk to school.",
    "Has to sell first.",
    "Met at the open house.",
    "",
)


def make_records(team: Team, members: list[Membership]) -> None:
    """Insert the team's clients and leads; the caller has opened the team."""
    generator = random.Random(team.name)  # noqa: S311 (demo data, no secret)
    Client.objects.bulk_create(
        Client(**_client(generator), **_common(generator, team, members, number))
        for number in range(CLIENT_COUNT)
    )
    Lead.objects.bulk_create(
        Lead(**_lead(generator), **_common(generator, team, members, number))
        for number in range(LEAD_COUNT)
    )


def _common(
    generator: random.Random, team: Team, members: list[Membership], number: int
) -> dict[str, Any]:
    first, last = generator.choice(_FIRST_NAMES), generator.choice(_LAST_NAMES)
    mailbox = f"{first}.{last}{number}".lower().replace("'", "").replace("ö", "o")
    author = generator.choice(members)
    return {
        "team": team,
        "first_name": first,
        "last_name": last,
        "email": f"{mailbox}@example.com",
        "phone": f"+1 555 01{generator.randrange(100):02d}",
        "notes": generator.choice(_NOTES),
        "assigned_to_id": generator.choice(members).user_id,
        "created_by_id": author.user_id,
        "created_at": timezone.now() - timedelta(hours=generator.randrange(1, 4000)),
    }


def _client(generator: random.Random) -> dict[str, Any]:
    city, state, postal_code = generator.choice(_CITIES)
    return {
        "contact_type": generator.choice(ContactType.values),
        "status": generator.choice([*ClientStatus.values, ClientStatus.ACTIVE]),
        "tags": sorted(generator.sample(_TAGS, generator.randrange(3))),
        "address": {
            "line1": f"{generator.randrange(1, 400)} {generator.choice(_STREETS)}",
            "city": city,
            "state": state,
            "postalCode": postal_code,
            "country": "US",
        },
    }


def _lead(generator: random.Random) -> dict[str, Any]:
    low = Decimal(generator.randrange(150, 900) * 1000)
    open_statuses = [status for status in LeadStatus.values if status != LeadStatus.CONVERTED]
    return {
        "lead_type": generator.choice(LeadType.values),
        "lead_status": generator.choice(open_statuses),
        "source": generator.choice(_SOURCES),
        "budget_min": low,
        "budget_max": low + Decimal(generator.randrange(20, 300) * 1000),
    }
