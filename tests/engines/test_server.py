"""Evaluation through an OpenAI-compatible server: the answers of the same model here, and every failure in one line."""

import json
import math
import socket

import pyarrow.parquet as pq
import pytest

from eval import run as eval_run
from eval.sampling import server_client
from eval.sampling.byte_text import ByteText
from eval.sampling.server_client import ServerClient, base_url
from eval.sampling.server_engine import ServerEngine, open_server
from pipeline.errors import UserError
from pipeline.inference.engine import SampleRequest, SamplingSettings
from tests.support.completion_server import NAME, served
from tests.support.tiny_model import tiny_model, tiny_tokenizer

COMPARED = ("id", "greedy", "sample", "prompt", "output", "tokens", "finish", "correct", "printed")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A model folder and a benchmark of three problems, one of them Chinese."""
    folder = tmp_path_factory.mktemp("world")
    tiny_model().save_pretrained(folder / "model")
    tiny_tokenizer().save_pretrained(folder / "model")
    rows = [
        {"id": f"p{i}", "question": question, "answer": str(i + 1), "level": "1"}
        for i, question in enumerate(["What is 0+1?", "1+1=?", "二加一等于几？"])
    ]
    (folder / "own.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    settings = {
        "modes": ["cot", "tool"],
        "samples": 0,
        "max_new_tokens": 12,
        "batch": 4,
        "shots": 0,
    }
    (folder / "eval.json").write_text(json.dumps(settings))
    return folder


@pytest.fixture(scope="module")
def running(world):
    with served(tiny_model(), tiny_tokenizer()) as server:
        yield server


@pytest.fixture
def server(running, monkeypatch):
    """The server on its best behaviour, and clients that do not wait."""
    monkeypatch.delenv(server_client.KEY_VARIABLE, raising=False)
    for name in ("FIRST_CONTACT", "PATIENT"):
        hasty = getattr(server_client, name).new(backoff_factor=0, backoff_jitter=0)
        monkeypatch.setattr(server_client, name, hasty)
    running.behave()
    return running


def evaluate(world, tmp_path, *more):
    out = tmp_path / "out"
    arguments = ["--benchmark", f"own={world / 'own.jsonl'}", "--config", world / "eval.json"]
    arguments += ["--out", out, "--cache", tmp_path / "cache", *more]
    eval_run.main([str(argument) for argument in arguments])
    return {file.stem: pq.read_table(file).to_pylist() for file in sorted(out.glob("*.parquet"))}


def through(server, *more):
    return ["--server", server.url, "--model", NAME, *more]


def assert_same(tables, others):
    assert tables.keys() == others.keys()
    for task, rows in tables.items():
        for row, other in zip(rows, others[task], strict=True):
            assert {name: row[name] for name in COMPARED} == {n: other[n] for n in COMPARED}
            assert row["logprob"] == pytest.approx(other["logprob"], abs=1e-3)


@pytest.mark.parametrize("extras", [True, False])
def test_with_its_tokenizer_a_served_model_gives_the_rows_that_it_gives_here(
    world, server, tmp_path, extras
):
    modes = ["--mode", "cot", "tool"] if extras else ["--mode", "cot"]
    server.behave(extras=extras)
    here = evaluate(world, tmp_path / "here", "--model", world / "model", *modes)
    there = evaluate(
        world, tmp_path / "there", *through(server, "--tokenizer", world / "model"), *modes
    )
    assert_same(there, here)
    assert all(isinstance(question["prompt"][0], int) for question in server.questions)


def test_without_it_the_servers_own_template_asks_the_same(world, server, tmp_path):
    here = evaluate(world, tmp_path / "here", "--model", world / "model", "--mode", "cot")
    there = evaluate(world, tmp_path / "there", *through(server))
    for rows in here.values():
        for row in rows:
            # There the prompt is what is sent, without the template.
            row["prompt"] = row["prompt"].partition("User: ")[2].partition("\n\nAssistant:")[0]
    assert_same(there, here)
    assert server.questions[0]["messages"][0]["content"].startswith("What is 0+1?\nPlease")


def test_few_shot_prompts_are_sent_as_text(world, server, tmp_path):
    few_shot = ["--style", "few-shot", "--mode", "cot"]
    tiny_context = world / "shots.jsonl"
    tiny_context.write_text(
        json.dumps({"question": "2+2?", "answer": "4", "format": "cot", "id": "s", "problem_id": "s",
                    "turns": [{"role": "text", "content": "4"}]}) + "\n"
    )  # fmt: skip
    shots = [*few_shot, "--shots", tiny_context]
    here = evaluate(world, tmp_path / "here", "--model", world / "model", *shots)
    there = evaluate(world, tmp_path / "there", *through(server), *shots)
    for rows in here.values():
        for row in rows:
            row["prompt"] = row["prompt"].removeprefix("<bos>")
    assert_same(there, here)


def engine_of(server, **changes):
    client = ServerClient(server.url, NAME)
    return ServerEngine(client, ByteText(), **({"chat": True, "parallel": 4} | changes))


def text_of(question):
    return list(question.encode())


REQUEST = SampleRequest(
    [text_of("1+1=?"), text_of("2+3=?")],
    3,
    SamplingSettings(max_new_tokens=8, seed=5),
    keys=["a", "b"],
)


def texts(engine, request=REQUEST):
    return [[engine.tokenizer.decode(s.ids) for s in group] for group in engine.sample(request)]


def test_samples_of_a_prompt_are_asked_for_together_and_depend_on_seed_and_key_alone(server):
    first = texts(engine_of(server))
    assert [question["n"] for question in server.questions] == [3, 3]
    assert len({text for group in first for text in group}) == 6

    alone = SampleRequest(REQUEST.prompts[1:], 3, REQUEST.settings, keys=["b"])
    assert texts(engine_of(server, parallel=1), alone) == first[1:]


@pytest.mark.parametrize("shy", [{"most_choices": 1}, {"most_choices": 2}, {"refused": ("n",)}])
def test_a_server_that_gives_fewer_choices_is_asked_for_the_others(server, shy):
    server.behave(**shy)
    found = texts(engine_of(server))
    assert [len(group) for group in found] == [3, 3]
    assert len({text for group in found for text in group}) == 6


def test_a_field_that_the_server_does_not_know_is_left_out_and_named_once(server, capsys):
    server.behave(refused=("logprobs", "seed"))
    engine = engine_of(server, parallel=1)
    samples = [sample for group in engine.sample(REQUEST) for sample in group]
    assert all(math.isnan(sum(sample.logprobs)) for sample in samples)
    # Without a list of tokens those of all choices are shared out.
    assert all(sample.length > 0 for sample in samples)
    assert sum(sample.length for sample in samples) <= 6 * 8

    notes = capsys.readouterr().err.splitlines()
    assert len(notes) == 2 and "logprobs" in notes[0] and "seed" in notes[1]


def test_answers_are_whole_behind_a_server_that_is_busy_at_times(server):
    expected = texts(engine_of(server))
    server.behave(statuses=[429, 503, 500, 429])
    assert texts(engine_of(server)) == expected


def test_a_prompt_without_room_gives_an_empty_sample_and_is_counted(server, capsys):
    long = SampleRequest([text_of("1" * 300), text_of("1+1=?")], 1, REQUEST.settings)
    empty, other = engine_of(server).sample(long)
    assert (empty[0].ids, empty[0].finish, empty[0].length) == ([], "length", 0)
    assert other[0].ids and "1 sample(s) are empty" in capsys.readouterr().err


# ---- Failures, each in one line -------------------------------------------------------------------------------


def test_nobody_at_the_address(server):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    with pytest.raises(UserError, match=r"cannot be reached \(Connection refused\)"):
        ServerClient(f"http://127.0.0.1:{port}", NAME).check()


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://host", "http://", "http://host:x"])
def test_no_address(url):
    with pytest.raises(UserError, match="not an address"):
        base_url(url)


def test_an_address_of_a_host_alone_gets_the_usual_path():
    assert base_url("http://host:8000/") == "http://host:8000/v1"
    assert base_url("https://host/api/v2/") == "https://host/api/v2"


@pytest.mark.parametrize("lists_models", [True, False])
def test_another_models_name(server, lists_models):
    server.behave(lists_models=lists_models)
    wanted = "it has tiny" if lists_models else "404, The model `huge` does not exist"
    with pytest.raises(UserError, match=wanted):
        open_server(server.url, "huge", None, "chat", 4).sample(REQUEST)


def test_a_key_that_is_missing_wrong_and_right(server, monkeypatch):
    server.behave(key="secret")
    with pytest.raises(UserError, match="wants a key in the environment variable OPENAI_API_KEY"):
        ServerClient(server.url, NAME).check()
    monkeypatch.setenv("OPENAI_API_KEY", "guess")
    with pytest.raises(UserError, match="does not accept the key") as error:
        ServerClient(server.url, NAME).check()
    assert "guess" not in str(error.value)
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    ServerClient(server.url, NAME).check()


def test_a_server_that_stays_busy(server):
    server.behave(statuses=[503] * 100)
    with pytest.raises(
        UserError, match=r"still answers 503 after several tries \(come back later\)"
    ):
        engine_of(server).sample(REQUEST)


def test_a_page_in_the_place_of_an_answer(server):
    server.behave(as_page=True)
    with pytest.raises(UserError, match="is no JSON"):
        ServerClient(server.url, NAME).check()


def test_a_question_that_is_refused_ends_the_run_in_the_servers_words(server):
    server.behave(refused=("temperature",))
    with pytest.raises(
        UserError, match="400, Unrecognized request argument supplied: 'temperature'"
    ):
        engine_of(server).sample(REQUEST)


def test_the_tool_needs_the_tokenizer_and_a_server_that_says_where_an_answer_stopped(
    world, server, tmp_path
):
    with pytest.raises(UserError, match="--mode tool: needs the model's tokenizer"):
        evaluate(world, tmp_path, *through(server), "--mode", "tool")

    server.behave(extras=False)
    engine = open_server(server.url, NAME, str(world / "model"), "chat", 4)
    # The first letter of the answer is a stop string, so that it ends at once.
    prompt = engine.tokenizer("1+1=?")["input_ids"]
    greedy = SamplingSettings(temperature=0, max_new_tokens=8)
    (((sample),),) = engine.sample(SampleRequest([prompt], 1, greedy))
    letter = engine.tokenizer.decode(sample.ids)[0]
    stopping = SamplingSettings(temperature=0, max_new_tokens=8, stop=("```output", letter))
    with pytest.raises(UserError, match=r"--mode tool: .* does not say at which stop string"):
        engine.sample(SampleRequest([prompt], 1, stopping))


def test_what_is_finished_is_kept_and_said(world, server, tmp_path, capsys):
    first = evaluate(world, tmp_path, *through(server), "--mode", "cot")
    asked = len(server.questions)
    capsys.readouterr()
    assert evaluate(world, tmp_path, *through(server), "--mode", "cot") == first
    assert len(server.questions) == asked
    assert "1 part(s) are an earlier run's answers" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--model", "m", "--tokenizer", "t"], "only with --server"),
        (["--model", "m", "--server", "http://h", "--engine", "vllm"], "one of both"),
    ],
)
def test_options_that_do_not_go_together(options, message):
    with pytest.raises(UserError, match=message):
        eval_run.parse_args([*options, "--benchmark", "gsm8k"])
