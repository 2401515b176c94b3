"""Publishing: what is uploaded to the Hub, in one commit, against a local stand-in for its HTTP API."""

import base64
import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from corpus import publish
from pipeline.errors import UserError

ROOT = Path(__file__).resolve().parents[2]


class Hub(BaseHTTPRequestHandler):
    """Creates repositories and takes commits; `server.status` other than 200 is the answer to everything."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.requests.append((self.path, body))
        if self.server.status != 200:
            return self._answer({"error": "no"}, self.server.status)
        if self.path == "/api/repos/create":
            return self._answer({"url": f"{self.server.address}/datasets/me/corpus"})
        if "/preupload/" in self.path:
            names = [file["path"] for file in json.loads(body)["files"]]
            return self._answer(
                {
                    "files": [
                        {"path": name, "uploadMode": "regular", "shouldIgnore": False}
                        for name in names
                    ]
                }
            )
        return self._answer(
            {
                "commitUrl": f"{self.server.address}/datasets/me/corpus/commit/abc",
                "commitOid": "abc",
            }
        )

    def do_GET(self) -> None:
        self._answer({"id": "me/corpus", "sha": "0" * 40, "siblings": []}, self.server.status)

    def _answer(self, value: dict, status: int = 200) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hub():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    server.requests, server.status = [], 200
    server.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def folder(tmp_path) -> Path:
    final = tmp_path / "corpus" / "final"
    final.mkdir(parents=True)
    (final / "part-00000.parquet").write_bytes(b"PAR1 rows")
    (final / "README.md").write_text("card", encoding="utf-8")
    (final / "manifest.json").write_text('{"counts": {"parts": 1}}', encoding="utf-8")
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "corpus.html").write_text("<p>report", encoding="utf-8")
    return final


def run(hub, folder: Path) -> subprocess.CompletedProcess:
    """The command as a user gives it, with the Hub's address turned to the stand-in."""
    environment = os.environ | {
        "HF_ENDPOINT": hub.address,
        "HF_TOKEN": "hf_test",
        "HF_HUB_DISABLE_XET": "1",
    }
    command = [
        sys.executable,
        "-m",
        "corpus.publish",
        "--repo",
        "me/corpus",
        "--message",
        "why",
        str(folder),
    ]
    return subprocess.run(
        command, capture_output=True, text=True, env=environment, cwd=ROOT, timeout=120
    )


def test_parts_card_manifest_and_report_go_up_in_one_commit(hub, folder):
    done = run(hub, folder)
    assert done.stdout.strip().endswith("/commit/abc"), done.stderr
    created = json.loads(next(body for path, body in hub.requests if path == "/api/repos/create"))
    assert created["type"] == "dataset" and created["name"] == "corpus"
    (commit,) = [
        body for path, body in hub.requests if path == "/api/datasets/me/corpus/commit/main"
    ]
    header, *files = [json.loads(line) for line in commit.decode().splitlines()]
    assert header["value"]["summary"] == "why"
    contents = {file["value"]["path"]: base64.b64decode(file["value"]["content"]) for file in files}
    assert contents == {
        "part-00000.parquet": b"PAR1 rows",
        "README.md": b"card",
        "manifest.json": b'{"counts": {"parts": 1}}',
        "corpus.html": b"<p>report",
    }


def test_a_refusal_is_one_line(hub, folder):
    hub.status = 403
    done = run(hub, folder)
    assert done.returncode == 2
    assert done.stderr.startswith("error: the Hub refused me/corpus (403); log in")
    assert len(done.stderr.splitlines()) == 1


def test_a_hub_that_does_not_answer_is_one_line(hub, folder):
    hub.address = "http://127.0.0.1:9"
    done = run(hub, folder)
    assert done.returncode == 2
    assert "the Hub cannot be reached" in done.stderr and len(done.stderr.splitlines()) == 1


def test_an_unfinished_corpus_is_not_published(folder):
    (folder / "part-00000.parquet").unlink()
    with pytest.raises(UserError, match="0 of 1 parts"):
        publish.main(["--repo", "me/corpus", str(folder)])
    with pytest.raises(UserError, match="expected USER/NAME"):
        publish.main(["--repo", "corpus", str(folder)])
    with pytest.raises(UserError, match="no manifest"):
        publish.main(["--repo", "me/corpus", str(folder / "nowhere")])
