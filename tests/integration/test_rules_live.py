"""A change of a rule is live at once in a running hub, also among ten thousand of them."""

from pathlib import Path

import pytest

from tests.bench.live_rules import DOCUMENT, LIVE, live_hub
from tests.bench.rules import many_rules
from tests.servers import Mosquitto


@pytest.mark.timeout(300)
def test_what_is_seen_after_a_change_is_decided_by_it(tmp_path: Path, mosquitto: Mosquitto) -> None:
    with live_hub(tmp_path / "hub", mosquitto.port, many_rules(10_000)) as live:
        live.change("", {"document": DOCUMENT})
        live.see_a_crowd()
        assert live.alerts() == 0  # a draft
        for count in (1, 2):
            live.change("/enable", {})
            live.see_a_crowd()  # the very next one
            assert live.alerts() == count
            live.change("/disable", {})
            live.see_a_crowd()
            assert live.alerts() == count
        stricter = {**DOCUMENT, "at_least": 50}
        live.change("", {"document": stricter})
        live.change("/enable", {})
        live.see_a_crowd()
        assert live.alerts() == 2
        live.change("/rollback", {"version": 1})
        live.see_a_crowd()
        assert live.alerts() == 3
        assert live.hub.get("/health")["broken_rules"] == []

        text = "\n".join(f"{k} = {v!r}".replace("'", '"') for k, v in DOCUMENT.items())
        path = live.rules_dir / "crowds.toml"
        path.write_text(text.replace(f'"{LIVE}"', '"from-file"') + "\n", encoding="utf-8")
        live.crowds_until("from-file")
        path.write_text("no rule", encoding="utf-8")
        (broken,) = _until_broken(live)
        assert "crowds.toml" in broken
        before = live.alerts("from-file")
        live.see_a_crowd()  # it stays in force as it was before
        assert live.alerts("from-file") == before + 1


def _until_broken(live) -> list[str]:
    for _ in range(400):
        live.see_a_crowd()
        if broken := live.hub.get("/health")["broken_rules"]:
            return broken
    raise AssertionError("nobody said that a file is broken")
