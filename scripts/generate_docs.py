"""Writes what is generated: docs/messages.schema.json and docs/openapi.json. ``--check`` only compares."""

import json
import sys
from pathlib import Path

from hub.api import openapi
from wire.schema import message_schema

DOCS = Path(__file__).resolve().parent.parent / "docs"


def main() -> int:
    stale = []
    for name, value in (("messages.schema.json", message_schema()), ("openapi.json", openapi())):
        text = json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
        path = DOCS / name
        if "--check" not in sys.argv:
            path.write_text(text, encoding="utf-8")
        elif not path.is_file() or path.read_text(encoding="utf-8") != text:
            stale.append(name)
    if stale:
        print(f"docs/{', docs/'.join(stale)} is not what the code says now: run `make docs`")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
