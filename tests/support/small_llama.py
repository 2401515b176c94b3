"""A random Llama of two small layers in several shapes, and a tokenizer of bytes for it."""

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

SHAPES = {
    "plain": {},
    "grouped-query": {"num_key_value_heads": 2},
    "tied": {"tie_word_embeddings": True},
    "biases and linear rope": {
        "attention_bias": True,
        "mlp_bias": True,
        "rope_parameters": {"rope_type": "linear", "factor": 4.0, "rope_theta": 10000.0},
    },
}


def byte_tokenizer(pad: str = "<pad>") -> PreTrainedTokenizerFast:
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocab = {"<pad>": 0, "<s>": 1, "</s>": 2} | {char: i + 3 for i, char in enumerate(alphabet)}
    core = Tokenizer(models.BPE(vocab, []))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(
        tokenizer_object=core, pad_token=pad, bos_token="<s>", eos_token="</s>"
    )


def llama(seed: int = 0, **changes) -> LlamaForCausalLM:
    """A random Llama whose distributions are peaked enough that nothing is a tie."""
    torch.manual_seed(seed)
    shape = {"vocab_size": 259, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 4, "max_position_embeddings": 96}
    ends = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "initializer_range": 0.2}
    return LlamaForCausalLM(LlamaConfig(**(shape | heads | ends | changes))).eval()
