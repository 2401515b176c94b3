"""Publish a mined corpus on the Hugging Face Hub: the Parquet files, the dataset card, the manifest, the report.

Reads   the folder `corpus/final` of a run; the corpus report beside it is added as `corpus.html` where it exists.
Writes  a dataset repository of the Hub, created when it is missing (private unless `--public`), in one commit.

    python -m corpus.publish --repo you/your-corpus --dry-run results/mini/corpus/final
    python -m corpus.publish --repo you/your-corpus results/mini/corpus/final

`--dry-run` shows what would be uploaded and uses no network. You log in before, by `hf auth login` or the
environment variable HF_TOKEN. A second run uploads only what has changed. `--public` decides about a new
repository only: one that exists keeps its visibility, and the command says so. In the uploaded card the
repository's name, and with `--contact` an address for questions and opt-outs, stand in their places. Not
done: the card grants no rights in the pages, and nothing here asks whether you may publish them.
"""

import argparse
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from corpus.tables.dataset_card import CONTACT, REPOSITORY
from pipeline.artifacts.write import read_json
from pipeline.errors import UserError, run_main

if TYPE_CHECKING:
    from huggingface_hub.errors import HfHubHTTPError

CARD = "README.md"
CARD_LINES = 40  # shown by --dry-run
_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")
_NO_ACCESS = (401, 403)  # HTTP: not logged in, not allowed
_LONGEST_REASON = 300  # characters of what the Hub answered


def main(argv: list[str] | None = None) -> None:
    args = _parse_args(argv)
    if not _REPOSITORY.fullmatch(args.repo):
        raise UserError(f"--repo {args.repo}: expected USER/NAME")

    upload = Upload(
        repo=args.repo,
        public=args.public,
        message=args.message,
        files=published_files(args.folder),
        card=published_card(args.folder / CARD, args.repo, args.contact),
    )
    if args.dry_run:
        print(upload.describe())
    else:
        print(publish(upload))


@dataclass(frozen=True, slots=True)
class Upload:
    """What goes to the Hub."""

    repo: str
    public: bool  # what a new repository becomes
    message: str
    files: dict[str, Path]  # name in the repository -> file; the card's content is `card`
    card: bytes

    def size(self, name: str) -> int:
        """Bytes of one file."""
        return len(self.card) if name == CARD else self.files[name].stat().st_size

    def describe(self) -> str:
        """What would be uploaded, for a person to read."""
        visibility = "public" if self.public else "private"
        lines = [
            f"repository  datasets/{self.repo} ({visibility} if it is created by this; one that "
            "exists keeps its visibility)",
            f"commit      {self.message}",
            "files",
        ]
        for name in self.files:
            lines.append(f"{self.size(name):>16,} bytes  {name}")
        total = sum(map(self.size, self.files))
        lines.append(f"{total:>16,} bytes  in {len(self.files)} files")

        card = self.card.decode("utf-8").splitlines()
        lines.append(f"card, its first {min(CARD_LINES, len(card))} of {len(card)} lines")
        lines += [f"    {line}" for line in card[:CARD_LINES]]
        lines.append("nothing was uploaded (--dry-run)")
        return "\n".join(lines)


def publish(upload: Upload) -> str:
    """Upload in one commit; the address of that commit.

    Raises UserError for a missing login, an endpoint that is none, and what the Hub answers.
    """
    secrets = _Secrets.of_environment()

    # Imported late: the library fails at once with an HF_ENDPOINT that is no address. The second is
    # its HTTP library, whose errors it lets through.
    from httpx2 import HTTPError, InvalidURL
    from huggingface_hub import CommitOperationAdd, HfApi
    from huggingface_hub.errors import HfHubHTTPError, LocalTokenNotFoundError

    operations = []
    for name, path in upload.files.items():
        content = upload.card if name == CARD else str(path)
        operations.append(CommitOperationAdd(path_in_repo=name, path_or_fileobj=content))

    try:
        api = HfApi(endpoint=secrets.endpoint)
        api.create_repo(upload.repo, repo_type="dataset", private=not upload.public, exist_ok=True)
        is_private = api.repo_info(upload.repo, repo_type="dataset").private
        _tell_visibility(upload, is_private)
        commit = api.create_commit(
            upload.repo, operations, repo_type="dataset", commit_message=upload.message
        )
    except LocalTokenNotFoundError:
        raise UserError("not logged in to the Hub: run `hf auth login`, or set HF_TOKEN") from None
    except HfHubHTTPError as error:
        raise UserError(secrets.hide(_refusal(upload.repo, error))) from None
    except (HTTPError, InvalidURL, OSError) as error:
        reason = str(error) or type(error).__name__
        line = f"the Hub cannot be reached at {secrets.shown} ({_short(reason)})"
        raise UserError(secrets.hide(line)) from None
    except (ValueError, KeyError, TypeError, AttributeError, RuntimeError) as error:
        # The library trusts the answers that it gets: a page in the place of JSON ends here.
        reason = f"{type(error).__name__}: {error}"
        line = f"the Hub at {secrets.shown} gave an answer that makes no sense ({_short(reason)})"
        raise UserError(secrets.hide(line)) from None
    return secrets.hide(str(commit.commit_url))


def _tell_visibility(upload: Upload, is_private: bool | None) -> None:
    """One line where the repository is not what the command line asks for: it is never changed."""
    if is_private is None or is_private == (not upload.public):
        return
    kept = "private" if is_private else "public"
    wanted = "--public" if upload.public else "private by default"
    print(
        f"note: {upload.repo} exists and is {kept}; it stays so ({wanted} is for new repositories; "
        "the Hub's settings page changes it)",
        file=sys.stderr,
    )


@dataclass(frozen=True, slots=True)
class _Secrets:
    """The Hub's address and what of it and of the environment no message may show."""

    endpoint: str | None  # None: the library's own
    shown: str
    hidden: tuple[str, ...]

    @classmethod
    def of_environment(cls) -> "_Secrets":
        """From HF_ENDPOINT, which may hold a name and a password, and HF_TOKEN."""
        endpoint = os.environ.get("HF_ENDPOINT") or None
        hidden = [os.environ.get("HF_TOKEN", "")]
        shown = endpoint or "https://huggingface.co"
        if endpoint:
            try:
                parts = urlsplit(endpoint)
                parts.port  # noqa: B018 (raises ValueError for what is no port)
            except ValueError:
                raise UserError("HF_ENDPOINT: not an address") from None
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise UserError("HF_ENDPOINT: not an address (https://…)")
            credentials, _, host = parts.netloc.rpartition("@")
            shown = f"{parts.scheme}://{host}{parts.path}"
            hidden += [f"{credentials}@" if credentials else "", parts.password or ""]
        return cls(endpoint, shown, tuple(secret for secret in hidden if secret))

    def hide(self, text: str) -> str:
        for secret in self.hidden:
            text = text.replace(secret, "")
        return text


def published_card(path: Path, repo: str, contact: str | None) -> bytes:
    """The card with the repository's name, and the address for questions where one is given."""
    card = path.read_text(encoding="utf-8").replace(REPOSITORY, repo)
    if contact:
        card = card.replace(CONTACT, contact)
    return card.encode("utf-8")


def published_files(folder: Path) -> dict[str, Path]:
    """Name in the repository -> file. The manifest's counts must agree with the parts that are there."""
    manifest = folder / "manifest.json"
    if not manifest.is_file():
        raise UserError(
            f"{folder}: no manifest.json: not a finished corpus (corpus/final of a run)"
        )

    # A copy of the folder may be incomplete though its manifest is there.
    parts = sorted(folder.glob("part-*.parquet"))
    counts = read_json(manifest).get("counts")
    expected = counts.get("parts") if isinstance(counts, dict) else None
    if expected is None:
        raise UserError(f"{manifest}: not the manifest of a corpus (corpus/final of a run)")
    if len(parts) != expected:
        raise UserError(
            f"{folder}: {len(parts)} of {expected} parts are there; make the corpus again"
        )

    files = {path.name: path for path in [*parts, folder / CARD, manifest]}
    run = folder.resolve().parent.parent
    report = run / "reports" / "corpus.html"
    if report.is_file():
        files["corpus.html"] = report
    return files


def _refusal(repo: str, error: "HfHubHTTPError") -> str:
    """One line for what the Hub answered, with a hint where a login would help."""
    status = error.response.status_code if error.response is not None else "no answer"
    hint = ""
    if status in _NO_ACCESS:
        hint = "; log in by `hf auth login` with a token that may write"
    reason = error.server_message or str(error)
    return f"the Hub refused {repo} ({status}){hint}: {_short(reason)}"


def _short(reason: str) -> str:
    """An answer's words on one line: pages of HTML come, too."""
    words = " ".join(re.sub(r"<[^>]*>", " ", reason).split())
    return words if len(words) <= _LONGEST_REASON else words[:_LONGEST_REASON] + "…"


def _parse_args(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repo", required=True, help="USER/NAME of the dataset on the Hub")
    parser.add_argument(
        "--public", action="store_true", help="create the repository public instead of private"
    )
    parser.add_argument("--message", default="Corpus, card and report", help="commit message")
    parser.add_argument(
        "--contact",
        help="address for questions and opt-outs, for the card; default: the Hub's forum",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="show what would be uploaded; no network"
    )
    parser.add_argument("folder", type=Path, help="corpus/final of a run")
    return parser.parse_args(argv)


if __name__ == "__main__":
    run_main(main)
