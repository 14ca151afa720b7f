"""A client for the routes of `crm.api.tests.urls`."""

import pytest
from django.test import Client
from pytest_django import Settings


@pytest.fixture
def client(settings: Settings) -> Client:
    settings.ROOT_URLCONF = "crm.api.tests.urls"
    return Client(raise_request_exception=False)
