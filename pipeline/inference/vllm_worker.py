"""vLLM behind a socket: the program that runs in vLLM's process, started by pipeline/inference/vllm_process.py.

It is run by its path, with the Python of an environment that has vLLM, and needs nothing else from this project.
Orders come as dictionaries through the inherited socket whose file number is the first argument; a sample is sent
as soon as it is finished. It ends when the other side has gone, however that came about, and then deletes the folder
of its second argument, where the weights were handed over.

    {"do": "start", "options": {…}}           -> {"ready": {"context": 4096, "sleeps": True}}
    {"do": "load", "folder": "…"}             -> {"done": True}
    {"do": "sleep"}                           -> {"done": True}
    {"do": "sample", "prompts": …, "wanted": …, "settings": {…}}
                                              -> {"sample": …} once for each that is wanted, then {"done": True}
    whatever went wrong                       -> {"error": "…"}
"""

import os
import shutil
import signal
import sys
import traceback
from multiprocessing.connection import Connection
from typing import Any

# The engine runs in this process: it is one of its own already, and orders take effect at once.
os.environ.setdefault("VLLM_ENABLE_V1_MULTIPROCESSING", "0")

IGNORED = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)
"""What a scheduler or a terminal sends to the whole job: the trainer answers it, and still needs its samples."""

PROCESSOR_CACHE_MB = 1024
"""MiB of KV cache on a processor, where vLLM would take a share of the machine's memory."""

MOST_LOGPROBS = 0
"""Alternatives to report beside the sampled token."""


class Worker:
    """vLLM and what is known of its state."""

    def __init__(self, options: dict[str, Any]):
        from vllm import LLM
        from vllm.platforms import current_platform

        on_processor = current_platform.is_cpu()
        self.sleeps = current_platform.is_sleep_mode_available()
        self.asleep = False
        self.folder = str(options["model"])
        """Where the weights that it should have lie."""

        cache_mb = options["cache_mb"] or (PROCESSOR_CACHE_MB if on_processor else None)
        self.llm = LLM(
            model=self.folder,
            tokenizer=options["tokenizer"],
            dtype=options["dtype"],
            seed=0,
            max_num_seqs=options["max_batch"],
            gpu_memory_utilization=options["memory_share"],
            kv_cache_memory_bytes=cache_mb * 2**20 if cache_mb else None,
            # A model whose whole context does not fit into the cache gets a shorter one.
            max_model_len=-1,
            # Behind temperature and nucleus: the distribution that a token was drawn from.
            logprobs_mode="processed_logprobs",
            enable_prefix_caching=True,
            enable_sleep_mode=self.sleeps,
            # On a processor compiling costs minutes and a C++ compiler.
            enforce_eager=on_processor,
            # A prompt in pieces would turn back the random numbers of its sample, which a processor's cannot be.
            enable_chunked_prefill=not on_processor,
        )

    @property
    def context(self) -> int:
        """Tokens that a prompt and its sample may have together."""
        return int(self.llm.llm_engine.model_config.max_model_len)

    def load(self, folder: str) -> None:
        """Take the weights that lie in `folder`; what was cached of the former ones is forgotten."""
        self.folder = folder
        if self.asleep:
            self._wake()
            return

        self._read_weights()
        self.llm.reset_prefix_cache()

    def sleep(self) -> None:
        """Give back the memory of weights and cache: the weights lie in the folder."""
        if self.sleeps and not self.asleep:
            self.llm.sleep(level=2)
            self.asleep = True

    def _wake(self) -> None:
        # In this order memory for the cache is taken when the weights have been read.
        self.llm.wake_up(tags=["weights"])
        self._read_weights()
        self.llm.wake_up(tags=["kv_cache"])
        self.asleep = False

    def _read_weights(self) -> None:
        self.llm.collective_rpc("reload_weights", kwargs={"weights_path": self.folder})

    def sample(self, order: dict[str, Any], connection: Connection) -> None:
        """Send each sample of the order when it is finished."""
        if self.asleep:
            self._wake()

        engine = self.llm.llm_engine
        for number, wanted in enumerate(order["wanted"]):
            prompt = {"prompt_token_ids": order["prompts"][wanted["prompt"]]}
            engine.add_request(str(number), prompt, _parameters(wanted, order["settings"]))

        while engine.has_unfinished_requests():
            for output in engine.step():
                if output.finished:
                    connection.send({"sample": _sample(int(output.request_id), output.outputs[0])})
            # Nothing is said to a worker at work: what can be read is the end of the connection.
            if connection.poll():
                raise EOFError


def _parameters(wanted: dict[str, Any], settings: dict[str, Any]) -> Any:
    from vllm import SamplingParams

    return SamplingParams(
        temperature=settings["temperature"],
        top_p=settings["top_p"],
        max_tokens=wanted["room"],
        seed=wanted["seed"],
        stop=settings["stop"],
        stop_token_ids=settings["end_ids"],
        logprobs=MOST_LOGPROBS,
        # Text is needed only to find stop strings in it; special tokens have none.
        detokenize=bool(settings["stop"]),
        skip_special_tokens=True,
    )


def _sample(number: int, output: Any) -> dict[str, Any]:
    """One finished sample as plain values."""
    ids = list(output.token_ids)
    logprobs = [of_step[token].logprob for token, of_step in zip(ids, output.logprobs, strict=True)]
    # For an end token vLLM names its id, or nothing.
    stop = output.stop_reason if isinstance(output.stop_reason, str) else None
    return {
        "number": number,
        "ids": ids,
        "logprobs": logprobs,
        "finish": "length" if output.finish_reason == "length" else "stop",
        "stop": stop,
    }


def serve(connection: Connection) -> None:
    """Follow orders until one of them fails, or the other side has gone (EOFError, BrokenPipeError)."""
    worker: Worker | None = None
    while True:
        order = connection.recv()
        try:
            if order["do"] == "start":
                worker = Worker(order["options"])
                ignore_signals()  # again, where vLLM has set its own handlers
                answer = {"context": worker.context, "sleeps": worker.sleeps}
                connection.send({"ready": answer})
                continue

            assert worker is not None, "the first order is to start"
            if order["do"] == "load":
                worker.load(order["folder"])
            elif order["do"] == "sleep":
                worker.sleep()
            else:
                worker.sample(order, connection)
            connection.send({"done": True})
        except (EOFError, BrokenPipeError):
            raise
        except Exception as error:
            traceback.print_exc()  # into the log, before the other side looks at it
            connection.send({"error": f"{type(error).__name__}: {error}"})
            return


def ignore_signals() -> None:
    for number in IGNORED:
        signal.signal(number, signal.SIG_IGN)


def main() -> None:
    ignore_signals()
    connection = Connection(int(sys.argv[1]))
    os.set_inheritable(connection.fileno(), False)
    try:
        serve(connection)
    except (EOFError, BrokenPipeError):
        pass
    finally:
        shutil.rmtree(sys.argv[2], ignore_errors=True)


if __name__ == "__main__":
    # The folder of this file is no place to import from: it has modules of common names.
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path = [path for path in sys.path if os.path.abspath(path) != here]
    main()
