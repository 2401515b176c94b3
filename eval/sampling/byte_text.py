"""What takes a tokenizer's place where a model is asked in text: one id a byte."""

from collections.abc import Mapping, Sequence
from typing import Any


class ByteText:
    """UTF-8: one id a byte, no special tokens, and no chat template but that of whoever is sent the text."""

    bos_token_id = None
    eos_token_id = None
    chat_template = "the server's"
    name_or_path = "the server"
    added_tokens_decoder: Mapping[int, Any] = {}
    all_special_tokens: Sequence[str] = ()
    all_special_ids: Sequence[int] = ()

    def __call__(self, texts: Sequence[str], **_: Any) -> dict[str, list[list[int]]]:
        return {"input_ids": [list(text.encode()) for text in texts]}

    def apply_chat_template(self, messages: Sequence[dict[str, str]], **_: Any) -> str:
        """The message alone."""
        return messages[-1]["content"]

    def decode(self, ids: Sequence[int], **_: Any) -> str:
        return bytes(ids).decode("utf-8", errors="replace")

    def batch_decode(self, many: Sequence[Sequence[int]], **_: Any) -> list[str]:
        return [self.decode(ids) for ids in many]
