"""Publishing: what is uploaded to the Hub, in one commit, against a local server that speaks its HTTP API."""

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
from corpus.tables.dataset_card import CONTACT, REPOSITORY
from pipeline.errors import UserError

ROOT = Path(__file__).resolve().parents[2]


class Hub(BaseHTTPRequestHandler):
    """Creates repositories and takes commits. `server.status` other than 200 is the answer to everything;
    `server.odd` names other misbehaviours."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.requests.append((self.path, body))
        if self._misbehave():
            return None
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
        if self._misbehave():
            return
        about = {"id": "me/corpus", "sha": "0" * 40, "siblings": [], "private": self.server.private}
        self._answer(about, self.server.status)

    def _misbehave(self) -> bool:
        match self.server.odd:
            case "html":
                self._send(
                    b"<html><title>Sign in</title><p>Welcome to the hotel</p></html>", "text/html"
                )
            case "list":
                self._send(b"[1, 2]", "application/json")
            case "redirects":
                self.send_response(302)
                self.send_header("Location", self.path)
                self.send_header("Content-Length", "0")
                self.end_headers()
            case "hangs up":
                self.close_connection = True
            case _:
                return False
        return True

    def _send(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

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
    server.requests, server.status, server.odd, server.private = [], 200, "", True
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
    (final / "README.md").write_text(f"card of {REPOSITORY}, write to {CONTACT}", encoding="utf-8")
    (final / "manifest.json").write_text('{"counts": {"parts": 1}}', encoding="utf-8")
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "corpus.html").write_text("<p>report", encoding="utf-8")
    return final


def run(hub, folder: Path, *options: str, **environment: str) -> subprocess.CompletedProcess:
    """The command as a user gives it, with the Hub's address turned to the local server."""
    variables = {"HF_ENDPOINT": hub.address, "HF_TOKEN": "hf_test", "HF_HUB_DISABLE_XET": "1"}
    command = [sys.executable, "-m", "corpus.publish", "--repo", "me/corpus", "--message", "why"]
    return subprocess.run(
        [*command, *options, str(folder)],
        capture_output=True,
        text=True,
        env=os.environ | variables | environment,
        cwd=ROOT,
        timeout=120,
        check=False,
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
        "README.md": f"card of me/corpus, write to {CONTACT}".encode(),
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


@pytest.mark.parametrize("odd", ["html", "list", "redirects", "hangs up"])
def test_an_answer_that_makes_no_sense_is_one_line(hub, folder, odd):
    hub.odd = odd
    done = run(hub, folder)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: the Hub") and "127.0.0.1" in line


def test_a_broken_hub_is_one_line(hub, folder):
    hub.status = 500
    done = run(hub, folder)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: the Hub refused me/corpus (500)")


@pytest.mark.parametrize("failure", ["refused", "unreachable", "nonsense"])
def test_a_password_in_the_endpoint_is_never_shown(hub, folder, failure):
    host = hub.address.removeprefix("http://")
    if failure == "refused":
        hub.status = 401
    elif failure == "unreachable":
        host = "127.0.0.1:9"
    else:
        hub.odd = "html"
    done = run(hub, folder, HF_ENDPOINT=f"http://me:s3cret@{host}", HF_TOKEN="hf_t0ken")
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1
    for secret in ("s3cret", "hf_t0ken"):
        assert secret not in done.stdout + done.stderr


def test_an_endpoint_that_is_no_address_is_one_line(hub, folder, monkeypatch):
    done = run(hub, folder, HF_ENDPOINT="http://[s3cret")
    assert done.returncode == 2 and done.stderr == "error: HF_ENDPOINT: not an address\n"
    for endpoint in ("nonsense:s3cret@x", "ftp://me:s3cret@x", "http://me:s3cret@x:port"):
        monkeypatch.setenv("HF_ENDPOINT", endpoint)
        with pytest.raises(UserError, match="HF_ENDPOINT: not an address") as failure:
            publish.main(["--repo", "me/corpus", str(folder)])
        assert "s3cret" not in str(failure.value)


def test_public_on_a_private_repository_says_what_it_does(hub, folder):
    done = run(hub, folder, "--public")
    assert done.returncode == 0
    assert done.stderr.startswith("note: me/corpus exists and is private; it stays so")

    hub.private = False
    assert run(hub, folder).stderr.startswith("note: me/corpus exists and is public; it stays so")


def test_a_dry_run_shows_everything_and_uses_no_network(hub, folder):
    done = run(hub, folder, "--dry-run", "--contact", "me@home.example", HF_TOKEN="")
    assert done.returncode == 0 and done.stderr == ""
    assert not hub.requests
    assert "datasets/me/corpus (private" in done.stdout
    for file, size in (("part-00000.parquet", 9), ("manifest.json", 24), ("corpus.html", 9)):
        assert f"{size:>16,} bytes  {file}" in done.stdout
    assert "card of me/corpus, write to me@home.example" in done.stdout

    public = run(hub, folder, "--dry-run", "--public", HF_ENDPOINT="http://127.0.0.1:9")
    assert public.returncode == 0 and "datasets/me/corpus (public" in public.stdout


def test_an_unfinished_corpus_is_not_published(folder):
    (folder / "part-00000.parquet").unlink()
    with pytest.raises(UserError, match="0 of 1 parts"):
        publish.main(["--repo", "me/corpus", str(folder)])
    with pytest.raises(UserError, match="expected USER/NAME"):
        publish.main(["--repo", "corpus", str(folder)])
    with pytest.raises(UserError, match="no manifest"):
        publish.main(["--repo", "me/corpus", str(folder / "nowhere")])
    (folder / "manifest.json").write_text('{"counts": {}}', encoding="utf-8")
    with pytest.raises(UserError, match="not the manifest of a corpus"):
        publish.main(["--repo", "me/corpus", "--dry-run", str(folder)])
