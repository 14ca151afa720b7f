"""A headless Chromium with an authenticator of its own."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from selenium.webdriver.common.virtual_authenticator import VirtualAuthenticatorOptions

WAIT_SECONDS = 20


MISSING = "chromium and chromedriver are not installed: no page was tried in a browser"


@contextmanager
def headless_chromium() -> Iterator[Chrome]:
    """Have a new browser. Without the binaries the test is skipped, or fails in CI."""
    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if program is None or driver is None:
        if os.environ.get("CRM_REQUIRE_BROWSER") == "1":
            pytest.fail(MISSING)
        pytest.skip(MISSING)
    options = ChromeOptions()
    options.binary_location = program
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"):
        options.add_argument(argument)
    chrome = Chrome(options=options, service=ChromeService(driver))
    try:
        chrome.implicitly_wait(WAIT_SECONDS)
        yield chrome
    finally:
        chrome.quit()


def add_authenticator(browser: Chrome) -> None:
    """Give the browser an authenticator that verifies its owner without asking."""
    options = VirtualAuthenticatorOptions(
        transport=VirtualAuthenticatorOptions.Transport.INTERNAL,
        has_resident_key=True,
        has_user_verification=True,
        is_user_verified=True,
    )
    browser.add_virtual_authenticator(options)
