"""A random two-layer model and a byte tokenizer for tests of the training core: no download, no training."""

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from pipeline.model.chat import CHAT_TEMPLATE

VOCABULARY = 260


def tiny_tokenizer() -> PreTrainedTokenizerFast:
    """One token a byte, then <bos>, <eos>, <pad>."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {symbol: i for i, symbol in enumerate([*alphabet, "<bos>", "<eos>", "<pad>"])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<bos>",
        eos_token="<eos>",
        pad_token="<pad>",
        chat_template=CHAT_TEMPLATE,
    )


def tiny_model(seed: int = 0, attention: str = "sdpa", **overrides) -> LlamaForCausalLM:
    torch.manual_seed(seed)
    shape = {
        "vocab_size": VOCABULARY,
        "hidden_size": 16,
        "intermediate_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "max_position_embeddings": 256,
        "bos_token_id": 256,
        "eos_token_id": 257,
    }
    config = LlamaConfig(**(shape | overrides), attn_implementation=attention)
    model = LlamaForCausalLM(config).eval()
    with (
        torch.no_grad()
    ):  # the default initialisation is so small that every prediction looks alike
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.mul_(10)
    return model
