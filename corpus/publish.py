"""Publish a mined corpus on the Hugging Face Hub: the Parquet files, the dataset card, the manifest, the report.

Reads   the folder `corpus/final` of a run; the corpus report beside it is added as `corpus.html` where it exists.
Writes  a dataset repository of the Hub, created when it is missing (private unless `--public`), in one commit.

    python -m corpus.publish --repo you/your-corpus results/mini/corpus/final

You log in before, by `hf auth login` or the environment variable HF_TOKEN. A second run uploads only what has
changed. Not done: the card grants no rights in the pages, and nothing here asks whether you may publish them.
"""

import argparse
import re
from pathlib import Path

# The HTTP library of huggingface_hub, whose errors it lets through.
from httpx2 import TransportError
from huggingface_hub import CommitOperationAdd, HfApi
from huggingface_hub.errors import HfHubHTTPError, LocalTokenNotFoundError

from pipeline.artifacts.write import read_json
from pipeline.errors import UserError, run_main

_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")
_NO_ACCESS = (401, 403)  # HTTP: not logged in, not allowed


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repo", required=True, help="USER/NAME of the dataset on the Hub")
    parser.add_argument(
        "--public", action="store_true", help="create the repository public instead of private"
    )
    parser.add_argument("--message", default="Corpus, card and report", help="commit message")
    parser.add_argument("folder", type=Path, help="corpus/final of a run")
    args = parser.parse_args(argv)

    if not _REPOSITORY.fullmatch(args.repo):
        raise UserError(f"--repo {args.repo}: expected USER/NAME")
    address = publish(args.folder, args.repo, private=not args.public, message=args.message)
    print(address)


def publish(folder: Path, repo: str, *, private: bool, message: str) -> str:
    """Upload the files of `folder` in one commit; the address of that commit.

    Raises UserError for an unfinished folder, a missing login, and what the Hub refuses.
    """
    operations = [
        CommitOperationAdd(path_in_repo=name, path_or_fileobj=str(path))
        for name, path in published_files(folder).items()
    ]

    api = HfApi()
    try:
        api.create_repo(repo, repo_type="dataset", private=private, exist_ok=True)
        commit = api.create_commit(repo, operations, repo_type="dataset", commit_message=message)
    except LocalTokenNotFoundError:
        raise UserError("not logged in to the Hub: run `hf auth login`, or set HF_TOKEN") from None
    except HfHubHTTPError as error:
        raise UserError(_refusal(repo, error)) from None
    except TransportError as error:
        raise UserError(f"the Hub cannot be reached at {api.endpoint} ({error})") from None
    return str(commit.commit_url)


def published_files(folder: Path) -> dict[str, Path]:
    """Name in the repository -> file. The manifest's counts must agree with the parts that are there."""
    manifest = folder / "manifest.json"
    if not manifest.is_file():
        raise UserError(
            f"{folder}: no manifest.json: not a finished corpus (corpus/final of a run)"
        )

    # A copy of the folder may be incomplete though its manifest is there.
    parts = sorted(folder.glob("part-*.parquet"))
    expected = read_json(manifest)["counts"]["parts"]
    if len(parts) != expected:
        raise UserError(
            f"{folder}: {len(parts)} of {expected} parts are there; make the corpus again"
        )

    files = {path.name: path for path in [*parts, folder / "README.md", manifest]}
    run = folder.resolve().parent.parent
    report = run / "reports" / "corpus.html"
    if report.is_file():
        files["corpus.html"] = report
    return files


def _refusal(repo: str, error: HfHubHTTPError) -> str:
    """One line for what the Hub answered, with a hint where a login would help."""
    status = error.response.status_code if error.response is not None else "no answer"
    hint = ""
    if status in _NO_ACCESS:
        hint = "; log in by `hf auth login` with a token that may write"
    return f"the Hub refused {repo} ({status}){hint}: {error.server_message or error}"


if __name__ == "__main__":
    run_main(main)
