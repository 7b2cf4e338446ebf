"""Documents in rows: held against Hugging Face's own tokenizers where they are installed, padded and packed."""

from __future__ import annotations

import json
import pickle
import random
from pathlib import Path

import numpy as np
import pytest
import trimtab as tt

END = 259


def letters() -> list[str]:
    """What stands for each byte in a byte-level vocabulary: printable ones for themselves, others from U+0100 on."""
    printable = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return [chr(byte if byte in printable else 256 + others.index(byte)) for byte in range(256)]


def write_tokenizer(path: Path) -> Path:
    """A byte-level tokenizer with three merges and an end of text."""
    tokens = [*letters(), "th", "the", "Ġthe"]
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    end = {"id": END, "content": "<|end|>", "single_word": False, "lstrip": False, "rstrip": False}
    file = {
        "version": "1.0",
        "added_tokens": [end | {"normalized": False, "special": True}],
        "pre_tokenizer": byte_level,
        "decoder": byte_level,
        "model": {
            "type": "BPE",
            "vocab": {token: number for number, token in enumerate(tokens)},
            "merges": [["t", "h"], ["th", "e"], ["Ġ", "the"]],
        },
    }
    path.write_text(json.dumps(file))
    return path


@pytest.fixture()
def tokenizer(tmp_path: Path) -> Path:
    return write_tokenizer(tmp_path / "tokenizer.json")


def write_lines(path: Path, texts: list[str]) -> Path:
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    return path


def loader(data: Path, column: tt.Sequences, **options) -> tt.Loader:
    options = {"batch_size": 4, "shuffle": False, "threads": 2} | options
    return tt.Loader(data, columns={"ids": column, "number": tt.Number()}, **options)


def rows(batches) -> list[list[int]]:
    """The documents of padded batches."""
    return [row[:length].tolist() for batch in batches for row, length in zip(batch["ids"], batch["ids_lengths"])]


def test_padded(tmp_path, tokenizer):
    data = write_lines(tmp_path / "a.jsonl", ["the", "a the", "", "thethe the"])
    batch = next(iter(loader(data, tt.Sequences(tokenizer=tokenizer, length=16))))
    assert batch["ids"].dtype == batch["ids_lengths"].dtype == np.int64
    assert batch["ids"].tolist() == [[257, 0, 0], [97, 258, 0], [0, 0, 0], [257, 257, 258]]
    assert batch["ids_lengths"].tolist() == [1, 2, 0, 3]
    layout = tt.Padded(pad_to_multiple_of=4)
    column = tt.Sequences(tokenizer=tokenizer, length=16, eos="<|end|>", pad=END, layout=layout)
    batch = next(iter(loader(data, column, output="dlpack")))
    ids = np.from_dlpack(batch["ids"])
    assert ids.tolist() == [[257, END, END, END], [97, 258, END, END], [END] * 4, [257, 257, 258, END]]
    whole = tt.Sequences(tokenizer=tokenizer, length=16, layout=tt.Padded(to="length"))
    assert next(iter(loader(data, whole)))["ids"].shape == (4, 16)


def test_packed(tmp_path, tokenizer):
    texts = ["abc", "defgh", "x", "ijklmnop"]
    data = write_lines(tmp_path / "a.jsonl", texts)
    column = tt.Sequences(tokenizer=tokenizer, length=6, pad=END, layout=tt.Packed(cu_seqlens=True))
    made = loader(data, column, threads=1, prefetch=1)
    batch = next(iter(made))
    text = ["".join(chr(token) for token in row) for row in np.where(batch["ids"] == END, ord("_"), batch["ids"])]
    assert text == ["abcop_", "defghx", "ijklmn"]
    assert batch["ids_segments"].tolist() == [[1, 1, 1, 2, 2, 0], [1, 1, 1, 1, 1, 2], [1] * 6]
    assert batch["ids_positions"].tolist() == [[0, 1, 2, 0, 1, 0], [0, 1, 2, 3, 4, 0], [0, 1, 2, 3, 4, 5]]
    assert batch["ids_cu_seqlens"].tolist() == [0, 3, 5, 6, 11, 12, 18]
    types = {name: array.dtype.name for name, array in batch.items()}
    assert types == {
        "ids": "int64", "ids_segments": "int32", "ids_positions": "int64", "ids_cu_seqlens": "int32", "number": "int64"
    }
    assert batch["number"].tolist() == [0, 1, 2, 3]
    report = made.report()
    assert report.sequences.documents == 4 and report.sequences.rows == 3 and report.sequences.tokens == 17
    assert report.sequences.padding == pytest.approx(1 / 18)
    assert "4 documents: 17 tokens in 3 rows, 5.6% of which is padding" in str(report)


def test_arrays_outlive_the_loader_and_are_not_copied(tmp_path, tokenizer):
    data = write_lines(tmp_path / "a.jsonl", ["abc"] * 40)
    made = loader(data, tt.Sequences(tokenizer=tokenizer, length=8, layout=tt.Packed()), prefetch=2)
    held = [batch["ids_segments"] for batch in made]
    again = [np.from_dlpack(batch["ids_segments"]) for batch in loader(data, made_of(tokenizer), output="dlpack")]
    del made
    for array in held + again:
        assert array.tolist() == [[1, 1, 1, 2, 2, 2, 0, 0]] * 2
        assert not array.flags.owndata and array.ctypes.data % 64 == 0


def made_of(tokenizer: Path) -> tt.Sequences:
    return tt.Sequences(tokenizer=tokenizer, length=8, layout=tt.Packed())


def test_rows_that_are_told(tmp_path, tokenizer):
    data = write_lines(tmp_path / "a.jsonl", ["a" * 5, "b" * 5, "c" * 5, "d"])
    column = tt.Sequences(tokenizer=tokenizer, length=6, layout=tt.Packed(rows=2))
    with pytest.raises(tt.DataError, match="the line at byte 36: ids: 2 rows of 6 tokens have no room for it"):
        next(iter(loader(data, column)))
    with pytest.warns(RuntimeWarning, match="have no room"):
        made = loader(data, column, on_error="skip")
        batch = next(iter(made))
    assert batch["number"].tolist() == [0, 1, 3] and batch["ids"].shape == (2, 6)
    assert made.skipped == 1


def test_it_goes_on_where_it_was(tmp_path, tokenizer):
    draws = random.Random(3)
    texts = ["".join(draws.choice("the ab") for _ in range(draws.randint(0, 30))) for _ in range(100)]
    data = write_lines(tmp_path / "a.jsonl", texts)
    column = tt.Sequences(tokenizer=tokenizer, length=32, layout=tt.Packed())

    def plain(batches):
        return [{name: array.tolist() for name, array in batch.items()} for batch in batches]

    whole = plain(loader(data, column, shuffle=True, seed=5))
    first = loader(data, column, shuffle=True, seed=5, threads=1, prefetch=1)
    iterator = iter(first)
    seen = plain(next(iterator) for _ in range(7))
    state = json.loads(json.dumps(first.state_dict()))
    rest = loader(data, column, shuffle=True, seed=5)
    rest.load_state_dict(state)
    assert seen + plain(rest) == whole
    assert seen + plain(pickle.loads(pickle.dumps(first))) == whole
    tokenizer.write_text(tokenizer.read_text() + "\n")
    with pytest.raises(ValueError, match="the tokenizer .* was .* and is"):
        loader(data, column, shuffle=True, seed=5).load_state_dict(state)


def test_lists_of_tokens(tmp_path):
    data = tmp_path / "a.jsonl"
    data.write_text('{"input_ids": [1, 2, 3]}\n{"input_ids": []}\n')
    column = tt.Sequences("input_ids", length=8, dtype="int32", eos=9)
    assert rows(loader(data, column)) == [[1, 2, 3, 9], [9]]
    data.write_text('{"input_ids": [1, -2, 3]}\n')
    with pytest.raises(tt.DataError, match="its token 1 is -2"):
        rows(loader(data, column))


def test_a_transform_is_given_padded_rows_and_no_packed_ones(tmp_path, tokenizer):
    data = write_lines(tmp_path / "a.jsonl", ["abc", "the"])
    with pytest.raises(ValueError, match="ids: packed rows are of several samples"):
        loader(data, tt.Sequences(tokenizer=tokenizer, length=8, layout=tt.Packed()), transform=dict)
    made = loader(data, tt.Sequences(tokenizer=tokenizer, length=8), transform=lambda sample: {"twice": 2 * sample["ids"]})
    assert next(iter(made))["twice"].tolist() == [[194, 196, 198], [514, 0, 0]]


def test_what_makes_no_sense_is_refused(tmp_path, tokenizer):
    data = write_lines(tmp_path / "a.jsonl", ["abc"])
    with pytest.raises(ValueError, match="either tokenizer is told"):
        tt.Sequences(length=8)
    with pytest.raises(ValueError, match="either tokenizer is told"):
        tt.Sequences(length=8, tokenizer=tokenizer, dtype="int32")
    with pytest.raises(ValueError, match="add_special_tokens is what a tokenizer does"):
        tt.Sequences(length=8, dtype="int32", add_special_tokens=True)
    with pytest.raises(ValueError, match="ids: its tokenizer has no token '<eos>'|ids: its tokenizer has no token \"<eos>\""):
        loader(data, tt.Sequences(length=8, tokenizer=tokenizer, eos="<eos>"))
    with pytest.raises(ValueError, match="ids: .*data.json: it is no tokenizer"):
        (tmp_path / "data.json").write_text("{}")
        loader(data, tt.Sequences(length=8, tokenizer=tmp_path / "data.json"))
    with pytest.raises(tt.DataError, match="it has 3 tokens, and a row has 2"):
        next(iter(loader(data, tt.Sequences(length=2, tokenizer=tokenizer, layout=tt.Padded(overlong="refuse")))))


# Words, and what splits of words trip over: contractions, runs of spaces, line ends of all kinds, digits, scripts without spaces,
# letters that are composed, and special tokens within the text.
PARTS = [
    "the", "Hello", " world", "'s", "'LL", " ", "  ", "   ", "\t", "\n", "\r\n", "\n\n ", "\u00a0", "\u3000", "\u2028", "123", " 4567", "3.14", "é",
    "e\u0301", "ﬁ", "İ", "ß", "中文", "日本語", " ﷺ", "🙂", "👩\u200d🚀", "...", "!?", "foo_bar", "--", "<s>", "</s>", "[SEP]", "\u200b", "Ⅷ", "½", "\ufeff",
]  # fmt: skip


def kinds(tokenizers) -> dict:
    """Tokenizers of the kinds that language models have, each made small."""
    from tokenizers import models, normalizers, pre_tokenizers, processors, trainers

    draws = random.Random(1)
    corpus = ["".join(draws.choices(PARTS, k=30)) for _ in range(400)]
    special = ["<s>", "</s>", "[SEP]", "[UNK]"]
    split = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    alphabet = pre_tokenizers.ByteLevel.alphabet()

    def bpe(**options):
        return trainers.BpeTrainer(vocab_size=700, special_tokens=special, show_progress=False, **options)

    made = {}
    # GPT-2.
    made["gpt2"] = one = tokenizers.Tokenizer(models.BPE())
    one.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    one.train_from_iterator(corpus, bpe(initial_alphabet=alphabet))
    # Llama 3, Qwen.
    made["llama3"] = one = tokenizers.Tokenizer(models.BPE(ignore_merges=True))
    one.normalizer = normalizers.NFC()
    expression = pre_tokenizers.Split(tokenizers.Regex(split), "isolated")
    one.pre_tokenizer = pre_tokenizers.Sequence([expression, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    one.train_from_iterator(corpus, bpe(initial_alphabet=alphabet))
    one.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 0)])
    # Llama 2.
    made["llama2"] = one = tokenizers.Tokenizer(models.BPE(unk_token="[UNK]", fuse_unk=True, byte_fallback=True))
    one.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    one.train_from_iterator(corpus, bpe())
    # BERT.
    made["bert"] = one = tokenizers.Tokenizer(models.WordPiece(unk_token="[UNK]"))
    one.normalizer = normalizers.BertNormalizer()
    one.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    one.train_from_iterator(corpus, trainers.WordPieceTrainer(vocab_size=300, special_tokens=special, show_progress=False))
    one.post_processor = processors.TemplateProcessing(single="<s> $A [SEP]", special_tokens=[("<s>", 0), ("[SEP]", 2)])
    # T5.
    made["t5"] = one = tokenizers.Tokenizer(models.Unigram())
    one.normalizer = normalizers.NFKC()
    one.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    unigram = trainers.UnigramTrainer(vocab_size=300, special_tokens=special, unk_token="[UNK]", show_progress=False)
    one.train_from_iterator(corpus, unigram)
    return made


@pytest.mark.parametrize("kind", ["gpt2", "llama3", "llama2", "bert", "t5"])
def test_tokens_are_those_of_hugging_face(tmp_path, kind):
    tokenizers = pytest.importorskip("tokenizers", reason="the package tokenizers is not there to be held against")
    theirs = kinds(tokenizers)[kind]
    path = tmp_path / "tokenizer.json"
    theirs.save(str(path))
    draws = random.Random(2)
    texts = ["".join(draws.choices(PARTS, k=draws.randint(0, 60))) for _ in range(300)]
    data = write_lines(tmp_path / "a.jsonl", texts)
    for specials in [False, True]:
        column = tt.Sequences(tokenizer=path, length=4096, add_special_tokens=specials)
        expected = [theirs.encode(text, add_special_tokens=specials).ids for text in texts]
        assert rows(loader(data, column, batch_size=32)) == expected
        theirs.enable_truncation(11)
        cut = tt.Sequences(tokenizer=path, length=11, add_special_tokens=specials)
        expected = [theirs.encode(text, add_special_tokens=specials).ids for text in texts]
        assert rows(loader(data, cut, batch_size=32)) == expected
        theirs.no_truncation()
