"""Tests of functions that run apart from the function: what crosses between the processes, and what cannot cheat."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.programs.unit_tests import free_names, run_tests
from eval.programs.value_codec import NotPlain, packed, unpacked
from eval.sandbox import Sandbox
from pipeline.artifacts.records import Problem

PROMPT = 'def double(x: int) -> int:\n    """Twice x."""\n'
FUNCTION = Problem(
    "f", PROMPT,
    "def check(candidate):\n    assert candidate(2) == 4\n    assert candidate(-1) == -2\n\ncheck(double)\n",
    kind="completion",
)  # fmt: skip

HOSTILE = {
    "leaves": "    import os\n    os._exit(0)\n",
    "exits": "    raise SystemExit(0)\n",
    "equals everything": "    return type('E', (), {'__eq__': lambda *_: True, '__hash__': None})()\n",
    "is an integer that equals everything": "    return type('E', (int,), {'__eq__': lambda *_: True})(0)\n",
    "walks through frames": (
        "    import gc, sys\n    for found in gc.get_objects():\n"
        "        if isinstance(found, dict) and '_END' in found:\n            found['_END'] = 'passed'\n"
        "    frame = sys._getframe()\n    while frame:\n"
        "        frame.f_globals.update(_END='passed', check=lambda _: None)\n"
        "        frame = frame.f_back\n    return 0\n"
    ),
    "writes the verdict": "    import os\n    os.write(1, b'\\n\\n[\"passed\", 0, []]\\n')\n    os._exit(0)\n",
    "writes answers of its own": (
        "    import json, os\n    os.write(1, json.dumps([['returned', ['opaque', None], None]] * 2).encode())\n"
        "    os._exit(0)\n"
    ),
    "patches builtins": (
        "    import builtins\n    builtins.AssertionError = ValueError\n    builtins.abs = len\n    return 0\n"
    ),
    "waits for the end": "    import atexit, os\n    atexit.register(lambda: os._exit(0))\n    return 0\n",
    "replaces check": "    return 0\n\ndef check(_):\n    pass\n",
    "changes its argument": "    globals()['check'] = print\n    return None\n",
}


@pytest.fixture(scope="module")
def box():
    with Sandbox(timeout=4, workers=2) as sandbox:
        yield sandbox


def test_no_hostile_candidate_passes_its_tests(box):
    statuses = run_tests(box, [(FUNCTION, output) for output in HOSTILE.values()])
    assert dict(zip(HOSTILE, statuses, strict=True)) == dict.fromkeys(HOSTILE, "failed")


def test_an_honest_candidate_may_print_keep_state_and_raise(box):
    tests = (
        "seen = []\nfor i in range(3):\n    assert count(seen, i) == i + 1\nassert seen == [0, 1, 2]\n"
        "try:\n    count(None, 0)\n    assert False\nexcept TypeError:\n    pass\nassert abs(third(1.0) - 1/3) < 1e-9\n"
    )
    code = (
        "def count(seen, i):\n    print('noise')\n    if seen is None:\n        raise TypeError('no list')\n"
        "    seen.append(i)\n    return len(seen)\n\ndef third(x):\n    return x / 3\n"
    )

    assert run_tests(box, [(Problem("t", "?", tests, kind="function"), code)]) == ["passed"]

    wrong = code.replace("seen.append(i)", "seen = [*seen, i]")

    assert run_tests(box, [(Problem("t", "?", tests, kind="function"), wrong)]) == ["failed"]


def test_what_returns_an_iterator_is_no_list(box):
    task = Problem("t", "?", "assert firsts(3) == [0, 1, 2]\n", kind="function")
    loose = Problem("t", "?", "assert list(firsts(3)) == [0, 1, 2]\n", kind="function")
    code = "def firsts(n):\n    return iter(range(n))\n"

    assert run_tests(box, [(task, code), (loose, code)]) == ["failed", "passed"]


def test_tests_with_functions_or_classes_as_arguments_run_in_one_program(box):
    task = Problem("t", "?", "assert twice(lambda x: x + 1, 1) == 3\n", kind="function")
    code = "def twice(f, x):\n    return f(f(x))\n"

    assert run_tests(box, [(task, code), (task, "import os\nos._exit(0)")]) == ["passed", "failed"]
    assert (
        free_names("assert Node(1).value == 1", "") is None
        and free_names("no python at all", "") is None
    )
    assert free_names(
        "import math\nfor i in range(3):\n    assert f(i, math.pi) == g(i)", "def g(i): ..."
    ) == ["f"]


_ATOMS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary()
)
PLAIN = st.recursive(
    _ATOMS | st.complex_numbers(allow_nan=False),
    lambda inner: (
        st.lists(inner)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text() | st.integers(), inner)
    ),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(PLAIN, st.sets(st.integers() | st.text()))
def test_plain_values_come_back_equal_and_of_the_same_type(value, members):
    for given_value in (value, members, frozenset(members)):
        back = unpacked(json.loads(json.dumps(packed(given_value, strict=True))))
        assert back == given_value and type(back) is type(given_value)


def test_what_is_not_plain_equals_nothing_and_is_no_argument():
    class Own:
        pass

    assert unpacked(packed(Own())) != unpacked(packed(Own()))
    assert list(unpacked(packed({1: 2}.keys()))) == [1] and unpacked(packed({1: 2}.keys())) != [1]
    with pytest.raises(NotPlain):
        packed([Own()], strict=True)
    with pytest.raises(ValueError):
        unpacked(["call", "os.system"])
