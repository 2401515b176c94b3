"""A headless Chromium for looking at report pages: real phone widths, JavaScript, screenshots.

    with Chromium() as browser:
        browser.open(page, width=390)
        browser.evaluate("document.title")

It is driven through its debugging pipe, which needs no further package. Nothing is fetched: pages
are files, and the browser runs without background networking.
"""

import base64
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
OPTIONS = (
    "--headless=new",
    "--remote-debugging-pipe",
    "--no-sandbox",  # which needs user namespaces, and containers often have none
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--no-first-run",
    "--hide-scrollbars",
    "--host-resolver-rules=MAP * ~NOTFOUND",
)


def chromium_path() -> str | None:
    """The browser's program, or None where there is none."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Chromium:
    """One browser with one tab; a context manager that ends it."""

    def __init__(self) -> None:
        program = chromium_path()
        if program is None:
            raise FileNotFoundError(f"no Chromium: none of {', '.join(NAMES)} is installed")

        self._profile = tempfile.mkdtemp(prefix="chromium-")
        to_read, self._commands = os.pipe()
        self._answers, to_write = os.pipe()
        self._process = subprocess.Popen(
            [program, *OPTIONS, f"--user-data-dir={self._profile}", "about:blank"],
            preexec_fn=lambda: _as_descriptors_3_and_4(to_read, to_write),
            close_fds=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_read)
        os.close(to_write)

        self._number = 0
        self._session: str | None = None
        self._messages = self._read_messages()
        targets = self._call("Target.getTargets")["targetInfos"]
        tab = next(target["targetId"] for target in targets if target["type"] == "page")
        attached = self._call("Target.attachToTarget", targetId=tab, flatten=True)
        self._session = attached["sessionId"]
        self._call("Page.enable")

    def open(self, page: Path, width: int, height: int = 900, dark: bool = False) -> None:
        """Show a file in a window of this size, in CSS pixels."""
        self._call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._call("Emulation.setEmulatedMedia", features=[scheme])
        self._call("Page.navigate", url=page.resolve().as_uri())
        self._wait_for("Page.loadEventFired")

    def evaluate(self, script: str) -> Any:
        """The value of a JavaScript expression in the page; RuntimeError where it throws."""
        answer = self._call("Runtime.evaluate", expression=script, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(str(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def screenshot(self, path: Path, kind: str = "webp", quality: int = 70) -> None:
        """The window as a picture: "webp" or "png"."""
        options = {"format": kind} if kind == "png" else {"format": kind, "quality": quality}
        answer = self._call("Page.captureScreenshot", **options)
        path.write_bytes(base64.b64decode(answer["data"]))

    # ---- The pipe: JSON messages, each ended by a zero byte ---------------------------------------
    def _call(self, method: str, **parameters: object) -> dict[str, Any]:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")

        for answer in self._messages:
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                result: dict[str, Any] = answer["result"]
                return result
        raise RuntimeError(f"{method}: the browser has ended")

    def _wait_for(self, event: str) -> None:
        for message in self._messages:
            if message.get("method") == event:
                return
        raise RuntimeError(f"no {event}: the browser has ended")

    def _read_messages(self) -> Iterator[dict[str, Any]]:
        buffer = b""
        while block := os.read(self._answers, 1 << 16):
            buffer += block
            *whole, buffer = buffer.split(b"\0")
            yield from map(json.loads, whole)

    def __enter__(self) -> "Chromium":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.terminate()
        self._process.wait()
        os.close(self._commands)
        os.close(self._answers)
        shutil.rmtree(self._profile, ignore_errors=True)


def _as_descriptors_3_and_4(to_read: int, to_write: int) -> None:
    """What Chromium expects: commands come in at 3, answers go out at 4."""
    # Above 4 first, so that neither overwrites the other.
    commands, answers = os.dup(to_read), os.dup(to_write)
    while commands < 5:
        commands = os.dup(commands)
    while answers < 5:
        answers = os.dup(answers)
    os.dup2(commands, 3)
    os.dup2(answers, 4)
