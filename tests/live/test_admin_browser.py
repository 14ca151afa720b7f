"""The staff admin in a real browser: second factor, passkey, and an API key that is seen once."""

import base64
import re
from collections.abc import Iterator

import pytest
from django_otp.oath import totp
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from tests.live.browser import add_authenticator
from tests.live.calls import Credentials
from tests.live.server import LiveServer

pytestmark = pytest.mark.live
STAFF = Credentials("root@quay.example", "Lantern-Copper-Mast-88")
KEY = re.compile(r"crm_[0-9A-Za-z]{12}_[0-9A-Za-z]{40}_[0-9A-Za-z]{6}")


@pytest.fixture
def strict_server(server: LiveServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveServer]:
    """A process on the shared database whose admin demands a second factor, as in production."""
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", STAFF.password)
    server.command("createsuperuser", "--noinput", "--email", STAFF.email)
    strict = LiveServer(server.data_dir, settings={"ADMIN_REQUIRE_2FA": "true"})
    try:
        strict.start()
        yield strict
    finally:
        strict.stop()


class Admin:
    """What a member of staff does in the browser."""

    def __init__(self, browser: Chrome, port: int) -> None:
        self.browser, self.root = browser, f"http://localhost:{port}/admin/"

    def open(self, path: str = "") -> None:
        self.browser.get(self.root + path)

    def fill(self, **fields: str) -> None:
        for name, value in fields.items():
            self.browser.find_element(By.NAME, name).clear()
            self.browser.find_element(By.NAME, name).send_keys(value)

    def press(self, label: str) -> None:
        self.browser.find_element(By.CSS_SELECTOR, f'[value="{label}"]').click()

    def wait_for(self, text: str) -> None:
        """Wait until the page shows a text."""
        self.browser.find_element(By.XPATH, f'//*[contains(text(), "{text}")]')

    def codes(self, selector: str) -> list[str]:
        return [found.text for found in self.browser.find_elements(By.CSS_SELECTOR, selector)]

    def sign_in(self) -> None:
        """Take the step of the password."""
        self.browser.delete_all_cookies()
        self.open()
        self.fill(username=STAFF.email, password=STAFF.password)
        self.press("Log in")


def code_of(seed: bytes, steps: int = 0) -> str:
    return f"{totp(seed, drift=steps):06d}"


def set_up_app(admin: Admin) -> bytes:
    """Follow the pages of somebody who has no factor; return the app's seed."""
    admin.sign_in()
    admin.press("Show the QR code")
    admin.wait_for("Scan this")
    (secret,) = admin.codes(".new-key code")
    seed = base64.b32decode(secret)
    admin.fill(code=code_of(seed, -1))
    admin.press("Turn it on")
    admin.wait_for("Each of these signs you in once")
    assert len(admin.codes(".backup-codes code")) == 10
    return seed


def issue_key(admin: Admin, server: LiveServer) -> None:
    """Issue a key of a demo team's admin in the form, whose lists are loaded as one types."""
    choose = (
        "const list = document.querySelector(arguments[0]);"
        "list.append(new Option(arguments[2], arguments[1], true, true))"
    )
    ((team_id, owner_id),) = server.sql(
        "SELECT team_id::text, user_id::text FROM accounts_membership WHERE role = 'admin' LIMIT 1"
    )
    admin.open("security/apikey/add/")
    admin.fill(name="Browser")
    admin.browser.execute_script(choose, "#id_team", team_id, "Team")
    admin.browser.execute_script(choose, "#id_owner", owner_id, "Owner")
    admin.browser.find_element(By.CSS_SELECTOR, '[value="clients:read"]').click()
    admin.browser.find_element(By.NAME, "_save").click()
    admin.wait_for("Copy it now")


def test_staff_set_up_both_factors_and_issue_a_key(
    strict_server: LiveServer, browser: Chrome
) -> None:
    admin = Admin(browser, strict_server.port)
    seed = set_up_app(admin)

    admin.sign_in()
    admin.fill(code=code_of(seed))
    admin.press("Go on")
    admin.wait_for("Overview")

    add_authenticator(browser)
    admin.open("second-factor/")
    admin.fill(name="Laptop")
    admin.press("Add a passkey")
    admin.wait_for("The passkey was added")
    admin.wait_for("Laptop, since")

    admin.sign_in()
    admin.press("Use a passkey")
    admin.wait_for("Overview")

    issue_key(admin, strict_server)
    assert len(KEY.findall(browser.page_source)) == 1
    browser.find_element(By.LINK_TEXT, "Go on").click()
    admin.wait_for("Browser")
    assert not KEY.search(browser.page_source)
    log = browser.get_log("browser")  # type: ignore[no-untyped-call]
    assert [line for line in log if "Content Security" in str(line)] == []
