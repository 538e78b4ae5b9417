"""A visitor's phone at a hub that is served: scan, fill in, be approved, withdraw, in a real browser."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import cv2
import httpx
import numpy as np
import pytest
import zxingcpp

from tests.browser import Browser
from tests.chromium import chromium
from tests.integration.test_hub_end_to_end import HubProcess
from tests.servers import free_port
from tests.unit.hub.kit import SITE, FakeEdge, write_config

pytestmark = pytest.mark.skipif(chromium() is None, reason="chromium is not installed")
WIDTH = 360


@dataclass
class Served:
    hub: HubProcess
    office: str
    base: str

    def api(self, method: str, path: str, **arguments) -> httpx.Response:
        answer = httpx.request(
            method,
            self.hub.url + path,
            headers=self.hub.headers(self.office),
            timeout=20,
            **arguments,
        )
        assert answer.status_code < 300, answer.text
        return answer

    def command(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "gatehouse", *arguments], capture_output=True, text=True, check=True,
            env={"GATEHOUSE_URL": self.base, "GATEHOUSE_TOKEN": self.office, "PATH": ""}, timeout=60,
        )  # fmt: skip
        return done.stdout.strip()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder, port = tmp_path_factory.mktemp("hub"), free_port()
    base = f"http://127.0.0.1:{port}"
    section = f'[visitors]\nbase_url = "{base}"\ncontroller = "玫瑰园物业服务中心"\n'
    more = section + 'contact = "0579-8555 0100"\nask_phone = true\n'
    config, _ = write_config(folder, FakeEdge(), api_port=port, more=more)
    hub = HubProcess(config, port).start()
    try:
        found = Served(hub, hub.add_token("office", "office"), base)
        found.api("PUT", "/register/sites", json={"id": SITE, "title": "玫瑰园小区"})
        for unit in ("3-1502", "3-1503", "3-1504"):
            found.api("PUT", "/register/units", json={"site": SITE, "id": unit})
        yield found
    finally:
        hub.stop()


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    made = Browser(tmp_path, width=WIDTH)
    yield made
    made.close()


def fits(browser: Browser) -> bool:
    """Whether nothing is wider than the screen, and every field is large enough for a thumb."""
    return browser.do(
        "document.documentElement.scrollWidth <= innerWidth && [...document.querySelectorAll("
        "'button, input[type=text], input[type=tel], input[type=datetime-local], .choice, summary')]"
        ".every(e => e.offsetHeight >= 44 || !e.offsetHeight)"
    )


def text(browser: Browser) -> str:
    return browser.do("document.body.innerText")


def scanned(picture: bytes) -> list[str]:
    """What the codes in a picture say, in no order."""
    image = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_GRAYSCALE)
    return [code.text for code in zxingcpp.read_barcodes(image)]


def fill(browser: Browser, **values: str) -> None:
    browser.do(
        f"for (const [name, value] of Object.entries({json.dumps(values)}))"
        " document.querySelector(`input[name=${name}]:not([type=radio])`).value = value;"
        "document.querySelector('[name=agree]').checked = true;"
    )


@pytest.mark.timeout(170)
def test_from_the_scan_to_the_withdrawal(served: Served, browser: Browser, tmp_path: Path) -> None:
    code = served.api("GET", f"/units/{SITE}:3-1502/code.png").content
    (url,) = scanned(code)
    assert url.startswith(f"{served.base}/v/")
    browser.open(url)
    assert fits(browser)
    browser.picture(tmp_path / "form.png")
    assert "访客与车辆登记" in text(browser)
    assert "玫瑰园物业服务中心" in text(browser)
    fill(browser, name="赵女士", plate="不是车牌")
    browser.press("button")
    browser.picture(tmp_path / "wrong.png")
    assert "这不像是车牌号" in text(browser)
    assert browser.do("document.querySelector('[name=name]').value") == "赵女士"
    assert fits(browser)
    fill(browser, plate="浙G·D12345", phone="138 0000 0000")
    browser.press("button")
    browser.picture(tmp_path / "pending.png")
    assert "等待物业审核" in text(browser)
    assert "浙GD12345" in text(browser)
    assert fits(browser)
    params = {"purpose": "today's visitors", "state": "pending"}
    (waits,) = served.api("GET", "/passes", params=params).json()["items"]
    assert (waits["phone"], waits["consent"]) == ("138 0000 0000", "page-1-zh")
    served.api("POST", f"/passes/{waits['id']}/approve")
    browser.open(browser.do("location.href"))
    browser.picture(tmp_path / "approved.png")
    assert "已通过" in text(browser)
    browser.do("document.querySelector('details').open = true")
    browser.picture(tmp_path / "withdraw.png")
    assert fits(browser)
    browser.press("button")
    browser.picture(tmp_path / "withdrawn.png")
    assert "您填写的内容已经删除" in text(browser)
    assert served.api("GET", "/passes", params={"purpose": "none left"}).json()["items"] == []
    held_back = [said for said in browser.problems if "Content Security Policy" in said]
    assert held_back == []  # nothing that the page needs


@pytest.mark.timeout(170)
def test_in_english_and_after_the_code_was_rotated(
    served: Served, browser: Browser, tmp_path: Path
) -> None:
    url = served.api("GET", f"/units/{SITE}:3-1503/code").json()["url"]
    browser.open(url)
    browser.press("header a")
    assert "Register a visit or a car" in text(browser)
    assert fits(browser)
    browser.picture(tmp_path / "english.png")
    browser.do("document.querySelector('[value=tenant_car]').checked = true")
    fill(browser, name="Ms Li", plate="京A12345")
    browser.press("button")
    assert "Waiting for the property office" in text(browser)
    browser.picture(tmp_path / "english-pending.png")
    new = served.command("register", "rotate-code", SITE, "3-1503")
    browser.open(f"{url}?lang=en")
    assert "This code no longer works" in text(browser)
    browser.picture(tmp_path / "rotated.png")
    assert fits(browser)
    browser.open(new)
    assert "3-1503" in text(browser)


@pytest.mark.timeout(170)
def test_the_sheet_is_whole_and_its_codes_can_be_scanned(served: Served, tmp_path: Path) -> None:
    served.command("register", "code-sheet", SITE, str(tmp_path / "sheet.html"))
    browser = Browser(tmp_path, width=794, height=1123)
    try:
        browser.open((tmp_path / "sheet.html").as_uri())
        picture = browser.picture(tmp_path / "sheet.png").read_bytes()
    finally:
        browser.close()
    texts = scanned(picture)
    assert len(texts) == 3
    wanted = {
        served.api("GET", f"/units/{SITE}:{unit}/code").json()["url"]
        for unit in ("3-1502", "3-1503", "3-1504")
    }
    assert set(texts) == wanted
    with urlopen(texts[0]) as page:
        assert page.status == 200
