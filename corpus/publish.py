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

from httpx2 import TransportError  # what huggingface_hub speaks HTTP with
from huggingface_hub import CommitOperationAdd, HfApi
from huggingface_hub.errors import HfHubHTTPError, LocalTokenNotFoundError

from pipeline.artifacts.write import read_json
from pipeline.errors import UserError, run_main

_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")


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
    options = parser.parse_args(argv)
    if not _REPOSITORY.fullmatch(options.repo):
        raise UserError(f"--repo {options.repo}: expected USER/NAME")
    print(
        publish(options.folder, options.repo, private=not options.public, message=options.message)
    )


def publish(folder: Path, repo: str, *, private: bool, message: str) -> str:
    """Upload the files of `folder` in one commit; the address of that commit.

    Raises UserError for an unfinished folder, a missing login, and what the Hub refuses.
    """
    files = published_files(folder)
    api = HfApi()
    try:
        api.create_repo(repo, repo_type="dataset", private=private, exist_ok=True)
        operations = [
            CommitOperationAdd(path_in_repo=name, path_or_fileobj=str(path))
            for name, path in files.items()
        ]
        commit = api.create_commit(repo, operations, repo_type="dataset", commit_message=message)
    except LocalTokenNotFoundError:
        raise UserError("not logged in to the Hub: run `hf auth login`, or set HF_TOKEN") from None
    except HfHubHTTPError as error:
        status = error.response.status_code if error.response is not None else "no answer"
        hint = (
            "; log in by `hf auth login` with a token that may write"
            if status in (401, 403)
            else ""
        )
        raise UserError(
            f"the Hub refused {repo} ({status}){hint}: {error.server_message or error}"
        ) from None
    except TransportError as error:
        raise UserError(f"the Hub cannot be reached at {api.endpoint} ({error})") from None
    return str(commit.commit_url)


def published_files(folder: Path) -> dict[str, Path]:
    """Name in the repository -> file. The manifest's counts must agree with the parts that are there."""
    if not (folder / "manifest.json").is_file():
        raise UserError(
            f"{folder}: no manifest.json: not a finished corpus (corpus/final of a run)"
        )
    parts = sorted(folder.glob("part-*.parquet"))
    wanted = read_json(folder / "manifest.json")["counts"]["parts"]
    if len(parts) != wanted:
        raise UserError(
            f"{folder}: {len(parts)} of {wanted} parts are there; make the corpus again"
        )
    files = {path.name: path for path in [*parts, folder / "README.md", folder / "manifest.json"]}
    report = folder.resolve().parent.parent / "reports" / "corpus.html"
    return files | ({"corpus.html": report} if report.is_file() else {})


if __name__ == "__main__":
    run_main(main)
