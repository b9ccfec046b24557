"""The backbone `embed`, with a tiny encoder of random weights that this test makes."""

import json

import pytest

torch = pytest.importorskip("torch")


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    """Return the folder of a CLIP model with a tokenizer of bytes."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel, CLIPProcessor, PreTrainedTokenizerFast

    words = ["<pad>", "<s>", "</s>", *sorted(pre_tokenizers.ByteLevel.alphabet())]
    tokenizer = Tokenizer(models.BPE(vocab={word: number for number, word in enumerate(words)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", bos_token="<s>", eos_token="</s>", model_max_length=77
    )
    small = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    text = small | {"vocab_size": len(words), "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}
    torch.manual_seed(1)
    model = CLIPModel(
        CLIPConfig(text_config=text, vision_config=small | {"image_size": 32, "patch_size": 16}, projection_dim=8)
    )
    size = {"size": {"shortest_edge": 32}, "crop_size": {"height": 32, "width": 32}}
    folder = tmp_path_factory.mktemp("encoder") / "tiny-clip"
    CLIPProcessor(image_processor=CLIPImageProcessor(**size), tokenizer=fast).save_pretrained(folder)
    model.save_pretrained(folder)
    return folder


@pytest.mark.long
def test_an_encoder_of_the_users_is_trained_evaluated_and_loaded(run, tiny, encoder):
    ran = run("reward", tiny.folder, "--backbone", "embed", "--backbone-path", encoder, "--epochs", 2)
    assert ran.code == 0
    about = json.loads((ran.out / "model" / "model.json").read_text())
    assert about["backbone_version"].startswith("embed-1-tiny-clip-")
    again = run("evaluate", tiny.folder, "--model", ran.out / "model", out=ran.out.parent / "evaluated")
    assert again.named("done")[0]["metrics"] == ran.named("done")[0]["metrics"]


def test_without_a_path_it_is_refused(run, tiny):
    ran = run("reward", tiny.folder, "--backbone", "embed")
    assert (ran.code, ran.failed["code"]) == (2, "bad_option")
    assert "--backbone-path" in ran.failed["message"]


def test_a_folder_that_is_no_encoder_is_refused(run, tiny, tmp_path):
    ran = run("reward", tiny.folder, "--backbone", "embed", "--backbone-path", tmp_path)
    assert (ran.code, ran.failed["code"]) == (2, "bad_option")
