"""The project's settings, with the bare view beside the real ones."""

from crm.settings import *  # noqa: F403 (settings are meant to be taken over whole)

ROOT_URLCONF = "benchmarks.urls"
