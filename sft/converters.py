r"""From the record of a public data set to our Solution, one converter a schema, recognised by the
record's fields.

    ours           turns, format                          NuminaMath (CoT, TIR)   problem, solution [, messages]
    trajectories   question, steps (text/code/execution)  MATH                    problem, solution
    programs       question, program [, table, choices]   GSM8K                   question, answer with ####
    ToRA           messages, gt                           worked solutions        question, solution, answer
    MathInstruct   instruction [, input], output [, source]   MetaMathQA          query, response
    NuminaMath-1.5 problem, solution, answer, …_is_valid  OpenMathInstruct        problem, generated_solution, …
    Lila (Hub)     input, output_program, output_answer   Lila (its own files)    Input, Output Program, Output Answer
    chats          messages of role and content, or conversations of from and value (ShareGPT): one question, one answer

A converter returns a Solution or raises Reject with a reason that is counted. Here nothing is
executed or graded (sft.checks does); programs are rewritten only so that they print what they
computed.
"""

import ast
import re
from collections.abc import Callable

from pipeline.artifacts.records import Solution

CALCULATION = re.compile(r"<<[^<>]*>>")
"""GSM8K's calculator marks: "3+4=<<3+4=7>>7"."""
FENCED = re.compile(r"```(python|output)[ \t]*\n(.*?)\n?```", re.DOTALL)
"""A program or its output, as ToRA and NuminaMath-TIR write them."""
ASKS_FOR_PROGRAM = re.compile(
    r"\s*(?:Let's|Please)[^.?!\n]*\b(?:program|Python)\b[^.?!\n]*[.!]?\s*$"
)
"""The last sentence of MathInstruct's program questions, such as "Let's write a Python
program."."""
STATED = re.compile(r"(?:the answer is|answer:)\s*:?\s*(.+?)\.?\s*$", re.IGNORECASE | re.MULTILINE)
"""The answer at the end of a line; its full stop is not part of it."""
PROGRAM_START = re.compile(r"(import |from \w+ import |def |# )")
"""How a MathInstruct output begins that is a program without being marked as one."""
CHINESE_SHARE = 0.2
"""Of all letters; Chinese questions are full of Latin variable names."""


FORMS = (
    "records with question and answer (#### or a box), question or problem and solution, "
    "question and program, question and steps, query and response, instruction and output, "
    "messages (role, content) or conversations (from, value)"
)
"""What is accepted, in one line; every form is described above."""
LONGEST = 1_000_000
"""Characters of a question and its solution: what is longer is no solution."""


class Reject(Exception):
    """A record that cannot become a training example; the message is the reason."""


def convert(row: dict, identity: str, source: str) -> Solution:
    """Convert one record. `identity` and `source` are used where the record has none of its own."""
    own_identity = str(row.get("id") or identity)
    own_source = str(row.get("source") or source)
    for fields, converter in CONVERTERS:
        if not all(name in row for name in fields):
            continue
        try:
            return _checked(converter(row, own_identity, own_source))
        # Anything may stand in a field of somebody's file: 5 for a list, a list for a text.
        except (TypeError, AttributeError, KeyError, IndexError, ValueError):
            raise Reject(f"a field is not what it should be ({', '.join(fields)})") from None
    raise Reject("fields of no known data set")


def _checked(solution: Solution) -> Solution:
    """Refuse what could not be encoded or written."""
    texts = [solution.id, solution.source, solution.question, solution.answer]
    texts += [turn["content"] for turn in solution.turns]
    if sum(map(len, texts)) > LONGEST:
        raise Reject(f"longer than {LONGEST:,} characters")
    try:
        "".join(texts).encode()
    except UnicodeEncodeError:
        raise Reject("half a character (a lone surrogate)") from None
    return solution


def language_of(text: str) -> str:
    """ "zh" where Chinese characters are at least a fifth of all letters, else "en"."""
    letters = sum(c.isalpha() for c in text)
    chinese = sum("\u4e00" <= c <= "\u9fff" for c in text)
    return "zh" if chinese and chinese >= CHINESE_SHARE * letters else "en"


def _ours(row: dict, identity: str, source: str) -> Solution:
    if row["format"] not in ("cot", "pot", "tool") or not isinstance(row["turns"], list):
        raise Reject("format is none of cot, pot, tool")
    turns = []
    for turn in row["turns"]:
        turns.append({"role": str(turn.get("role")), "content": str(turn.get("content", ""))})
    if any(turn["role"] not in ("text", "code", "output") for turn in turns):
        raise Reject("a turn's role is none of text, code, output")

    question = str(row.get("question") or "")
    return Solution(
        id=identity,
        problem_id=str(row.get("problem_id") or identity),
        question=question,
        answer=str(row.get("answer") or ""),
        format=row["format"],
        turns=turns,
        language=str(row.get("language") or language_of(question)),
        source=source,
    )


def _trajectory(row: dict, identity: str, source: str) -> Solution:
    """Text, code and execution steps; a last text step that only repeats the answer is dropped."""
    if row.get("correct") is False:
        raise Reject("marked as wrong")

    roles = {"text": "text", "code": "code", "execution": "output", "output": "output"}
    turns: list[dict] = []
    for step in row["steps"]:
        role = roles.get(step["role"])
        if role is None:
            raise Reject("a step's role is unknown")
        content = step["content"].replace("\r\n", "\n").strip()

        if role == "text" and turns and turns[-1]["role"] == "text":
            # Two texts in a row are one turn; the second may be the answer that the record has in
            # "completion".
            if content != str(row.get("completion", "")).strip():
                turns[-1]["content"] += "\n" + content
        elif role == "code":
            turns.append(_code(prints_last_value(content)))
        else:
            turns.append({"role": role, "content": content})

    mode = "tool" if any(turn["role"] == "code" for turn in turns) else "cot"
    return _solution(row["question"], row.get("answer"), mode, turns, identity, source)


def _program(row: dict, identity: str, source: str) -> Solution:
    """A program whose result is in `ans`; a table and choices belong to the question."""
    if row.get("correct") is False:
        raise Reject("marked as wrong")

    question = str(row["question"])
    if row.get("table"):
        question = f"{row['table'].strip()}\n\n{question}"
    if row.get("choices"):
        question += "\nChoices: " + ", ".join(map(str, row["choices"]))

    code = str(row["program"]).strip()
    if "print(" not in code:
        code = f"{code}\nprint(ans)"
    return _solution(question, row.get("answer"), "pot", [_code(code)], identity, source)


def _tora(row: dict, identity: str, source: str) -> Solution:
    question, text = _question_and_answer(row["messages"], "role", "content")
    turns, mode = _fenced(text)
    return _solution(question, row["gt"], mode, turns, identity, source)


def _chat(row: dict, identity: str, source: str) -> Solution:
    """OpenAI's messages or ShareGPT's conversations; the answer is a field's, or the last one that the
    text states."""
    if "messages" in row:
        question, text = _question_and_answer(row["messages"], "role", "content")
    else:
        question, text = _question_and_answer(row["conversations"], "from", "value")

    names = ("answer", "gt", "final_answer", "ground_truth", "expected_answer")
    given = next((row[name] for name in names if row.get(name) not in (None, "")), None)
    return _stated(question, text, given, identity, source)


SPEAKERS = {
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "model": "assistant",
}


def _question_and_answer(messages: object, speaker: str, content: str) -> tuple[str, str]:
    """The two texts of a chat of one question and one answer. What a system message says is left out:
    prompts have their own."""
    if not isinstance(messages, list) or not all(isinstance(turn, dict) for turn in messages):
        raise Reject("messages are no list of objects")

    spoken = [turn for turn in messages if turn.get(speaker) not in ("system", "developer")]
    roles = [SPEAKERS.get(str(turn.get(speaker))) for turn in spoken]
    if roles != ["user", "assistant"]:
        raise Reject("not one question and one answer")
    question, answer = (_content(turn.get(content)) for turn in spoken)
    return question, answer


def _content(value: object) -> str:
    """A message's text, also where it comes in parts ([{"type": "text", "text": ...}])."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(part, dict) for part in value):
        if any(not isinstance(part.get("text"), str) for part in value):
            raise Reject("a message is not of text alone")
        return "".join(part["text"] for part in value)
    raise Reject("a message without content")


def _pair(row: dict, identity: str, source: str) -> Solution:
    """A question and a solution under other names (MetaMathQA, OpenMathInstruct, prompts with
    completions)."""
    if row.get("is_correct") is False:
        raise Reject("marked as wrong")
    question = next(row[name] for name in ("query", "problem", "question", "prompt") if name in row)
    solutions = ("response", "generated_solution", "completion")
    text = str(next(row[name] for name in solutions if name in row) or "")
    given = row.get("expected_answer", row.get("answer"))
    return _stated(question, text, given, identity, source)


def _stated(question: object, text: str, given: object, identity: str, source: str) -> Solution:
    """A solution whose answer is given, boxed, behind ####, or the last one that the text states."""
    answer = given
    if "####" in text:
        text, behind = _gsm8k(text)
        # MetaMathQA says it once more behind the answer.
        answer = given if given is not None else behind.splitlines()[0].strip() if behind else None
    turns, mode = _fenced(text)

    if answer is None:
        box = text.rfind("\\boxed{")
        answer = braced(text, box + len("\\boxed")) if box >= 0 else None
    if answer is None:
        stated = STATED.findall(text)
        answer = stated[-1].strip() if stated else None
    if mode == "cot":
        turns[-1]["content"] = _boxed(turns[-1]["content"], answer)
    return _solution(question, answer, mode, turns, identity, source)


def _worked(row: dict, identity: str, source: str) -> Solution:
    """A question (or problem) and its worked solution; without a field for it the answer is in the
    last box.

    NuminaMath-1.5 says of each problem and solution whether it is valid, and has "proof" where
    there is no answer.
    """
    for mark in ("problem_is_valid", "solution_is_valid"):
        if row.get(mark, "Yes") != "Yes":
            raise Reject("marked as not valid")
    if row.get("question_type") == "proof" or row.get("answer") in ("proof", "notfound"):
        raise Reject("no answer that could be checked")

    question = row.get("question") or row.get("problem") or ""
    text = str(row["solution"] or "")
    answer = row.get("answer")
    if "####" in text:
        text, answer = _gsm8k(text)
    turns, mode = _fenced(text)

    if answer is None:
        box = text.rfind("\\boxed{")
        if box >= 0:
            answer = braced(text, box + len("\\boxed"))
    if mode == "cot":
        turns[-1]["content"] = _boxed(turns[-1]["content"], answer)
    return _solution(question, answer, mode, turns, identity, source)


def _upstream_gsm8k(row: dict, identity: str, source: str) -> Solution:
    if "####" not in str(row["answer"]):
        raise Reject("no answer")
    text, answer = _gsm8k(row["answer"])
    turns = [_text(_boxed(text, answer))]
    return _solution(row["question"], answer, "cot", turns, identity, source)


def _math_instruct(row: dict, identity: str, source: str) -> Solution:
    """Programs come without an answer: what they print becomes it when they are run (sft.checks).

    Their questions end with a request for a program in one of several wordings; our prompts have
    their own.
    """
    output = str(row["output"] or "").strip()
    if "/PoT/" in source or PROGRAM_START.match(output):
        question = ASKS_FOR_PROGRAM.sub("", str(row["instruction"] or "").strip())
        turns = [_code(prints_last_value(output))]
        return _solution(question, None, "pot", turns, identity, source)

    question = str(row["instruction"] or "").strip()
    if row.get("input"):  # Alpaca's form: what the instruction is about
        question = f"{question}\n{str(row['input']).strip()}"

    stated = STATED.findall(output)
    if stated:
        answer = stated[-1].strip()
        return _solution(question, answer, "cot", [_text(_boxed(output, answer))], identity, source)
    return _stated(question, output, None, identity, source)


def _lila(row: dict, identity: str, source: str) -> Solution:
    """The Hub's columns, or a record under "Instances" of Lila's own files, where programs and
    answers are lists."""
    row = {name.lower().replace(" ", "_"): value for name, value in row.items()}
    if row.get("split", "train") != "train":
        raise Reject("not a training record")

    program = _first(row["output_program"])
    answer = _first(row["output_answer"])
    if not program:
        raise Reject("no program")
    turns = [_code(prints_last_value(str(program).strip()))]
    source = str(row.get("dataset") or source)
    return _solution(row["input"], answer, "pot", turns, identity, source)


def _first(value: object) -> object:
    """Of alternatives the first."""
    if isinstance(value, list):
        return value[0] if value else None
    return value


# The first entry whose fields a record has decides; those with more telling fields come first.
CONVERTERS: list[tuple[tuple[str, ...], Callable[[dict, str, str], Solution]]] = [
    (("turns", "format"), _ours),
    (("question", "steps"), _trajectory),
    (("question", "program"), _program),
    (("messages", "gt"), _tora),
    (("instruction", "output"), _math_instruct),
    (("input", "output_program", "output_answer"), _lila),
    (("Input", "Output Program", "Output Answer"), _lila),
    (("problem", "solution"), _worked),
    (("question", "solution"), _worked),
    (("query", "response"), _pair),
    (("problem", "generated_solution"), _pair),
    (("question", "generated_solution"), _pair),
    (("question", "response"), _pair),
    (("prompt", "completion"), _pair),
    (("prompt", "response"), _pair),
    (("question", "answer"), _upstream_gsm8k),
    (("messages",), _chat),
    (("conversations",), _chat),
]


def prints_last_value(code: str) -> str:
    """Code of a notebook cell as a script: a last bare expression is printed, as the notebook
    showed it."""
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError):
        return code

    # An expression that is a constant is a comment in quotes; there is nothing to show.
    last = tree.body[-1] if tree.body else None
    if not isinstance(last, ast.Expr) or isinstance(last.value, (ast.Constant, ast.Await)):
        return code
    if isinstance(last.value, ast.Call) and getattr(last.value.func, "id", "") == "print":
        return code

    before = code.split("\n")[: last.lineno - 1]
    return "\n".join([*before, f"print({ast.unparse(last.value)})"])


def braced(text: str, start: int) -> str | None:
    """The text between the braces that open at `start`; None when they never close."""
    depth = 0
    for i in range(start, len(text)):
        if text[i] == "{":
            depth += 1
        elif text[i] == "}":
            depth -= 1
        if depth == 0:
            return text[start + 1 : i]
    return None


def _gsm8k(text: str) -> tuple[str, str]:
    """Solution text and answer: calculator marks go, the line after #### is the answer (commas
    dropped)."""
    body, _, answer = text.partition("####")
    return CALCULATION.sub("", body).strip(), answer.strip().replace(",", "")


def _boxed(text: str, answer: object) -> str:
    """The prompt asks for the final answer in a box; a solution without one gets it."""
    if "\\boxed" in text or answer is None or not str(answer).strip():
        return text
    return f"{text.rstrip()}\nThe answer is $\\boxed{{{answer}}}$."


def _fenced(text: str) -> tuple[list[dict], str]:
    """Text with ```python and ```output blocks as turns, and its format."""
    turns: list[dict] = []
    end = 0
    for match in FENCED.finditer(text):
        before = text[end : match.start()].strip()
        if before:
            turns.append(_text(before))
        role = "code" if match[1] == "python" else "output"
        turns.append({"role": role, "content": match[2]})
        end = match.end()

    rest = text[end:].strip()
    if rest or not turns:
        turns.append(_text(rest))

    roles = [turn["role"] for turn in turns]
    if "code" not in roles:
        return turns, "cot"
    return turns, "pot" if roles == ["code"] else "tool"


def _text(content: str) -> dict:
    return {"role": "text", "content": content}


def _code(content: str) -> dict:
    return {"role": "code", "content": content}


def _solution(
    question: object, answer: object, mode: str, turns: list[dict], identity: str, source: str
) -> Solution:
    """A solution that is its problem's only one: the problem goes by the same id."""
    text = str(question or "").strip()
    return Solution(
        id=identity,
        problem_id=identity,
        question=text,
        answer="" if answer is None else str(answer).strip(),
        format=mode,
        turns=turns,
        language=language_of(text),
        source=source,
    )
