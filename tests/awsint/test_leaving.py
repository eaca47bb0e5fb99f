"""What leaves for AWS: flags, parts and tags."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from awsint import splitting, tags
from awsint.flags import Known, flags_in
from tests.awsint import leaving

KNOWN = Known(leaving.NAMES, leaving.DOMAINS, leaving.ACCOUNTS, "aws", leaving.FOREIGN)


def test_the_corpus_is_told_apart(capsys: pytest.CaptureFixture[str]) -> None:
    """A hundred that hold something, a hundred that do not: how many of each are told, printed."""
    held = [(kind, leaving.filled(text, n)) for n, (kind, text) in enumerate(leaving.POSITIVE)]
    clean = [leaving.filled(text, 1000 + n) for n, text in enumerate(leaving.NEGATIVE)]
    missed = [text for kind, text in held if kind not in {f.kind for f in flags_in(text, KNOWN)}]
    wrong = [text for text in clean if flags_in(text, KNOWN)]
    with capsys.disabled():
        print(f"\nflags: {len(held) - len(missed)} of {len(held)} found, {len(wrong)} of {len(clean)} raised in vain")
    assert (len(held), len(clean)) == (100, 100)
    assert missed == []
    assert wrong == []


def test_a_secret_is_never_shown_whole() -> None:
    text = leaving.filled("aws_secret_access_key = {secret}, password={password}", 1)
    found = flags_in(text, KNOWN)
    assert [f.kind for f in found] == ["secret_key", "password"]
    assert all(len(f.shown) <= 5 for f in found)
    assert text[found[0].start : found[0].end].startswith("a")


@given(st.text(max_size=400))
@settings(max_examples=200)
def test_no_text_breaks_the_flags(text: str) -> None:
    assert all(0 <= f.start < f.end <= len(text) for f in flags_in(text, KNOWN))


@given(st.text(alphabet="ab 。\n,👩‍👩‍👧é", max_size=300), st.integers(min_value=20, max_value=60))
@settings(max_examples=200)
def test_parts_are_the_text(text: str, most: int) -> None:
    parts = splitting.parts_of(text, most)
    assert "".join("".join(parts).split()) == "".join(text.split())
    assert all(0 < len(part) <= most for part in parts)


def test_a_long_text_is_cut_where_it_pauses() -> None:
    text = "\n\n".join(f"第{n}段。" + "字" * 900 for n in range(20))
    parts = splitting.parts_of(text)
    assert len(parts) == 3
    assert all(part.startswith("第") for part in parts)
    assert len(splitting.numbered(parts[0], 1, 12)) + len(tags.of_answer(10**9, 10**9, 12)) < splitting.MOST


def test_tags_are_found_again_and_others_are_not() -> None:
    case = tags.of_case(1042, 0x3FA)
    assert case == "[ref:HD-1042-03fa]"
    assert tags.found_in(f"ALB answers 503 {case}") == tags.Tag(1042, 0x3FA)
    answer = tags.of_answer(1042, 1018, 2)
    assert tags.found_in(f"It began at ten.\n\n{answer}\n") == tags.Tag(1042, 1018, 2)
    # Quoted further up it is somebody's quotation.
    assert tags.found_in(f"> {answer}\nThank you.") is None
    assert tags.found_in("ref:HD-1042") is None
