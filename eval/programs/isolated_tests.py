"""Tests of a function that never share a process with it: `run_split(sandbox, code, tests, helpers, names)`.

The tests run in one sandbox program, the candidate in another. In the tests its functions are stand-ins that answer
from a record of calls; what is not recorded yet is noted, answered by something that passes for anything, and then
computed by the candidate from the arguments alone. This goes on until the tests end without an unrecorded call. So
whatever the candidate does (leaves, prints, patches builtins, walks through frames, replaces `check`, returns what
equals everything), it can only give values; the verdict is made where none of its code has ever run.

What is not held: a candidate sees the arguments of all calls at once, and may answer by a table of them.

Not for tests whose arguments are functions or objects of the candidate's own classes: `run_split` says None, and
eval.programs.unit_tests runs them in one program.
"""

import inspect
import json
from typing import Any

from eval.programs import value_codec
from eval.sandbox import Sandbox

# Rounds of tests and candidate: a call whose arguments come from another call's result needs one more.
_ROUNDS = 12
_CODEC = inspect.getsource(value_codec)

Call = list[Any]  # name, packed arguments, packed named arguments
Answer = list[
    Any
]  # "returned" or "raised", packed value or name of the error, packed arguments after the call or None

# Runs the candidate on recorded calls. What it prints is thrown away; the answers go to a file descriptor that its
# own code does not know of. A list that it changed in place is sent back as well.
_CANDIDATE = """
import io, json, os, sys


class _Sink(io.TextIOBase):
    def write(self, text):
        return len(text)


_OUT, sys.stdout = os.dup(1), _Sink()
_CALLS = json.loads({calls!r})
_SPACE = {{"__name__": "candidate"}}
_ANSWERS, _ERROR = [], None
try:
    exec(compile({code!r}, "candidate.py", "exec"), _SPACE)
except BaseException as error:
    _ERROR = type(error).__name__
for _NAME, _ARGUMENTS, _NAMED in _CALLS:
    if _ERROR is not None:
        _ANSWERS.append(["raised", _ERROR, None])
        continue
    try:
        _GIVEN, _KEYS = unpacked(_ARGUMENTS), unpacked(_NAMED)
        _BACK = packed(_SPACE[_NAME](*_GIVEN, **_KEYS))
        _AFTER = packed(_GIVEN)
        _ANSWERS.append(["returned", _BACK, None if _AFTER == _ARGUMENTS else _AFTER])
    except Exception as error:
        _ANSWERS.append(["raised", type(error).__name__, None])
os.write(_OUT, b"\\n")
_TEXT = json.dumps(_ANSWERS).encode()
while _TEXT:
    _TEXT = _TEXT[os.write(_OUT, _TEXT):]
os._exit(0)
"""

# Runs the tests with stand-ins for the candidate's functions. Prints how it ended, how many calls were not answered
# yet, and all calls in order.
_TESTS = """
import ast, builtins, json, random
_ANSWERS, _CALLS, _NEW = json.loads({answers!r}), [], [0]


class _Anything:
    \"\"\"Stands for a result that is not known yet: passes for every other value.\"\"\"

    def _same(self, *_, **__):
        return self

    def _true(self, *_):
        return True

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = __mod__ = _same
    __abs__ = __neg__ = __round__ = __getitem__ = __call__ = __pow__ = __rpow__ = __floordiv__ = _same
    __eq__ = __lt__ = __le__ = __gt__ = __ge__ = __ne__ = __bool__ = __contains__ = _true
    __hash__ = None

    def __float__(self):
        return 1.0

    def __index__(self):
        return 1

    def __len__(self):
        return 1

    def __iter__(self):
        return iter([self])


def _stand_in(name):
    def called(*given, **named):
        call = [name, packed(list(given), True), packed(named, True)]
        number = len(_CALLS)
        _CALLS.append(call)
        if number >= len(_ANSWERS) or _ANSWERS[number][0] != call:
            del _ANSWERS[number:]
            _NEW[0] += 1
            return _Anything()
        kind, value, after = _ANSWERS[number][1]
        for mine, theirs in zip(given, unpacked(after) if after else ()):
            if isinstance(mine, list):
                mine[:] = theirs
            elif isinstance(mine, (dict, set)):
                mine.clear()
                mine.update(theirs)
        if kind == "returned":
            return unpacked(value)
        error = getattr(builtins, value, None)
        raise (error if isinstance(error, type) and issubclass(error, Exception) else RuntimeError)("raised")

    return called


class _Patient(ast.NodeTransformer):
    def visit_Assert(self, node):
        handler = ast.ExceptHandler(ast.Name("Exception", ast.Load()), None, ast.parse("_forgive()").body)
        return ast.fix_missing_locations(ast.copy_location(ast.Try([node], [handler], [], []), node))


def _forgive():
    \"\"\"As long as results are missing, a failed assert says nothing, and the calls behind it are wanted.\"\"\"
    if not _NEW[0]:
        raise


_SPACE = {{"__name__": "tests"}}
_END = "passed"
random.seed(0)
try:
    exec(compile({helpers!r}, "helpers.py", "exec"), _SPACE)
    _SPACE["_forgive"] = _forgive
    for _NAME in {names!r}:
        _SPACE[_NAME] = _stand_in(_NAME)
    exec(compile(_Patient().visit(ast.parse({tests!r})), "tests.py", "exec"), _SPACE)
except NotPlain:
    _END = "not plain"
except BaseException as error:
    _END = "failed"
print()
print(json.dumps([_END, _NEW[0], _CALLS]))
"""


def run_split(
    sandbox: Sandbox, code: str, tests: str, helpers: str, names: list[str]
) -> str | None:
    """passed, failed, or the candidate's status in the sandbox (timeout, memory, output, killed); None where these
    tests cannot be split.

    `code` defines `names`; `helpers` is run before the tests and is none of the candidate's.
    """
    answers: list[list[Any]] = []  # [call, answer] for every call known so far

    for _ in range(_ROUNDS):
        tests_program = _TESTS.format(
            answers=json.dumps(answers), helpers=helpers, tests=tests, names=names
        )
        run = sandbox.run(_CODEC + tests_program)

        # In the first round nothing of the candidate has come in: the tests themselves cannot be run like this.
        if run.status != "ok":
            return None if not answers else "failed"
        end, new_calls, calls = json.loads(run.stdout.rpartition("\n\n")[2])
        if end == "not plain":
            return None if not answers else "failed"
        if not new_calls:
            return str(end)

        status, results = _computed(sandbox, code, calls)
        if status != "ok":
            return status
        answers = [[call, result] for call, result in zip(calls, results, strict=False)]

    return "failed"


def _computed(sandbox: Sandbox, code: str, calls: list[Call]) -> tuple[str, list[Answer]]:
    """What the candidate gives for these calls: its status, and an answer a call. Nothing of it is trusted."""
    candidate = _CANDIDATE.format(calls=json.dumps(calls), code=code)
    run = sandbox.run(_CODEC + candidate)
    if run.status not in ("ok", "error"):
        return run.status, []

    # A candidate can print whatever it likes in the place of answers.
    try:
        last_line = run.stdout.rpartition("\n")[2]
        found: Any = json.loads(last_line)
        answers = [_checked(answer) for answer in found]
    except (ValueError, TypeError, RecursionError, AttributeError, KeyError):
        return "failed", []

    if len(answers) != len(calls):
        return "failed", []
    return "ok", answers


def _checked(answer: Any) -> Answer:
    """The answer, if it is one that can be read. ValueError or TypeError else."""
    kind, value, after = answer
    if kind == "returned":
        value_codec.unpacked(value)
    elif kind != "raised" or not isinstance(value, str):
        raise ValueError(kind)

    if after is not None and not isinstance(value_codec.unpacked(after), list):
        raise ValueError(after)
    return [kind, value, after]
