"""The commands that the documentation shows, as a shell would read them.

A page shows commands in ```sh blocks, in indented lines that begin with a program's name, and in `code` in a sentence.
"""

import re
import shlex
from dataclasses import dataclass, replace
from pathlib import Path

BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.M | re.S)
INDENTED = re.compile(r"^    ((?:python|snakemake|make|tests/)(?:[^\n\\]|\\\n|\\.)*)", re.M)
ANY_BLOCK = re.compile(r"^```\w*\n.*?^```$", re.M | re.S)
INLINE = re.compile(r"`((?:snakemake|python|make) [^`]+)`")

HEREDOC = re.compile(r"^cat > \S+ <<'?(\w+)'?\n.*?^\1$\n?", re.M | re.S)
CONTINUED = re.compile(r"\\\n\s*")
COMMENT = re.compile(r"(^|\s{2,}|\)\s+)#.*$", re.M)
SEPARATORS = {"&&", ";", "|", "||"}
REDIRECTIONS = {">", ">>", "2>", "<"}


@dataclass(frozen=True, slots=True)
class Command:
    """One simple command: its words, without variables before it and redirections behind it."""

    page: str
    line: str
    """As the page shows it."""
    words: tuple[str, ...]
    in_a_sentence: bool = False
    """Named in running text, which may leave out what does not matter there."""

    def __str__(self) -> str:
        return f"{self.page}: {self.line}"


def commands_of(page: Path, name: str) -> list[Command]:
    text = page.read_text(encoding="utf-8")
    sources = BLOCK.findall(text)

    text = ANY_BLOCK.sub("", text)
    sources += INDENTED.findall(text)
    found = [command for source in sources for command in split(source, name)]

    for code in INLINE.findall(text):
        for command in split(re.sub(r"\s+", " ", code), name):
            found.append(replace(command, in_a_sentence=True))
    return found


def split(source: str, page: str) -> list[Command]:
    source = HEREDOC.sub("", source)
    source = CONTINUED.sub(" ", source)
    found = []
    for line in source.splitlines():
        line = COMMENT.sub("", line).strip()
        if not line:
            continue
        for words in simple_commands(line):
            found.append(Command(page, line, words))
    return found


def simple_commands(line: str) -> list[tuple[str, ...]]:
    """`A=1 a b > c && d` is (a, b) and (d,)."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=";|&<>")
    lexer.whitespace_split = True
    lexer.commenters = ""

    commands: list[list[str]] = [[]]
    target_follows = False
    for token in lexer:
        if token in SEPARATORS:
            commands.append([])
        elif token in REDIRECTIONS:
            target_follows = True
        elif target_follows:
            target_follows = False
        elif commands[-1] or not re.fullmatch(r"[A-Z_]+=.*", token):
            commands[-1].append(token)
    return [tuple(words) for words in commands if words]
