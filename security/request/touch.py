"""How often the use of a credential is written down."""

from datetime import timedelta

TOUCH_INTERVAL = timedelta(seconds=60)
