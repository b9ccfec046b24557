"""The formats of releases, which apps register in any order."""

from releases.formats import Format, chosen, formats, register


def test_formats_are_made_by_their_number_whichever_is_registered_first():
    before = dict(formats)
    try:
        register(Format("between", "Between", formats["jsonl"].write, order=formats["jsonl"].order + 1))
        assert list(formats)[:3] == ["jsonl", "between", "card"]
        assert chosen(["between", "jsonl"]) == ["jsonl", "between", "card"]
    finally:
        formats.clear()
        formats.update(before)


def test_a_release_lists_its_formats_in_one_order():
    """Its manifest has the list, so another order would be other bytes."""
    assert list(formats) == [
        *("jsonl", "card", "safesora", "videoreward", "parquet", "frames", "videos", "single_videos"),
        *("huggingface", "croissant"),
    ]


def test_a_format_comes_after_those_whose_files_it_describes():
    names = list(formats)
    for place, name in enumerate(names):
        assert set(formats[name].needs) <= set(names[:place])
