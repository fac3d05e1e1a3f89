"""A decoder of a row's sizes with random weights, in transformers."""


def random_decoder(sizes):
    """sizes: hiddenSize, intermediateSize, numLayers, numHeads, numKvHeads, vocabSize, attentionBias."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM

    torch.manual_seed(0)
    config, model = (
        (Qwen2Config, Qwen2ForCausalLM) if sizes["attentionBias"] else (LlamaConfig, LlamaForCausalLM)
    )
    return model(config(**decoder_config(sizes)))


def decoder_config(sizes):
    """A row's sizes by the names of transformers."""
    return {
        "hidden_size": sizes["hiddenSize"],
        "intermediate_size": sizes["intermediateSize"],
        "num_hidden_layers": sizes["numLayers"],
        "num_attention_heads": sizes["numHeads"],
        "num_key_value_heads": sizes["numKvHeads"],
        "vocab_size": sizes["vocabSize"],
        "tie_word_embeddings": True,
        "rms_norm_eps": 1e-6,
        "max_position_embeddings": 2048,
        "bos_token_id": None,
        "eos_token_id": None,
        "pad_token_id": 0,
    }


def token_at(sequence, at, vocab_size):
    """The same tokens as ours."""
    return 3 + (sequence * 977 + at * 131) % (vocab_size - 3)
