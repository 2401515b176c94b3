"""A GGUF file, written with GGUF's own writer, becomes the model that it was."""

import sys

import pytest
import torch

from pipeline.errors import UserError
from pretrain.gguf import find_file, main

GGUF = pytest.importorskip("gguf", reason="optional: requirements-real.txt")
pytest.importorskip("accelerate", reason="optional: requirements-real.txt")


def test_what_is_no_gguf_is_one_line(tmp_path):
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF" + bytes(20))
    with pytest.raises(UserError, match=r"broken\.gguf"):
        main([str(broken), "--out", str(tmp_path / "out")])
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["no_such_package", "no/such/file.gguf", "json"])
def test_a_source_without_a_model_is_one_line(name):
    with pytest.raises(UserError, match=name.split("/")[0]):
        find_file(name)


def test_a_package_need_not_be_importable(tmp_path, monkeypatch):
    package = tmp_path / "holds_a_model"
    package.mkdir()
    (package / "__init__.py").write_text("import a_package_that_is_not_installed\n")
    (package / "model.gguf").write_bytes(b"")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    assert find_file("holds_a_model") == package / "model.gguf"


def test_weights_and_tokens_survive(tmp_path):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from tests.support.small_llama import byte_tokenizer, llama

    model, tokenizer = llama(num_key_value_heads=2), byte_tokenizer()
    write_gguf(tmp_path / "small.gguf", model, tokenizer)
    main([str(tmp_path / "small.gguf"), "--out", str(tmp_path / "out")])

    found = AutoModelForCausalLM.from_pretrained(tmp_path / "out", dtype=torch.float32)
    ids = torch.tensor([[1, 40, 41, 42, 43]])
    for parameter in model.parameters():
        parameter.data = parameter.data.bfloat16().float()
    assert torch.allclose(found(ids).logits, model(ids).logits, atol=1e-4)
    text = "3+4=7"
    assert (
        AutoTokenizer.from_pretrained(tmp_path / "out")(text)["input_ids"]
        == tokenizer(text)["input_ids"]
    )


def write_gguf(path, model, tokenizer) -> None:
    """A Llama as llama.cpp stores it: rotary halves interleaved."""
    config = model.config
    writer = GGUF.GGUFWriter(path, "llama")
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_vocab_size(config.vocab_size)

    vocabulary = sorted(tokenizer.get_vocab(), key=tokenizer.get_vocab().get)
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(vocabulary)
    writer.add_token_types([3] * 3 + [1] * (len(vocabulary) - 3))
    writer.add_token_scores([0.0] * len(vocabulary))
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_pad_token_id(0)

    names = {"q_proj": "attn_q", "k_proj": "attn_k", "v_proj": "attn_v", "o_proj": "attn_output"}
    names |= {"gate_proj": "ffn_gate", "up_proj": "ffn_up", "down_proj": "ffn_down"}
    names |= {"input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm"}
    outer = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output"}
    for name, tensor in model.state_dict().items():
        parts, weight = name.removesuffix(".weight"), tensor
        if parts in outer:
            stored = outer[parts]
        else:
            _, _, layer, *_, last = parts.split(".")
            stored = f"blk.{layer}.{names[last]}"
            if last in ("q_proj", "k_proj"):
                rows = (
                    config.num_attention_heads if last == "q_proj" else config.num_key_value_heads
                )
                halves = tensor.view(rows, 2, -1, tensor.shape[1])
                weight = halves.transpose(1, 2).reshape(tensor.shape)
        writer.add_tensor(f"{stored}.weight", weight.float().numpy())

    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
