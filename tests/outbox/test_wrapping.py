"""The text part of a mail has no long lines but those that must not be broken."""

from helpdesk.outbox.wrapping import columns, wrapped


def test_latin_breaks_at_spaces_and_nothing_is_lost() -> None:
    text = "The lag of both replicas rose from two to nine hundred seconds, and nobody knows why. " * 4
    lines = wrapped(text).splitlines()
    assert len(lines) > 3
    assert all(columns(line) <= 76 and line == line.strip() for line in lines)
    assert " ".join(lines) == text.strip()


def test_han_breaks_between_characters_and_no_line_begins_with_a_comma() -> None:
    text = "早上八点四十分开始，两个只读副本的延迟从两秒涨到九百秒，业务侧读到旧数据，请尽快处理。" * 3
    lines = wrapped(text).splitlines()
    assert all(columns(line) <= 78 for line in lines)
    assert not any(line[0] in "，。、" for line in lines)
    assert "".join(lines) == text


def test_what_is_quoted_stays_quoted() -> None:
    lines = wrapped("> " + "word " * 40).splitlines()
    assert len(lines) > 2
    assert all(line.startswith("> ") for line in lines)


def test_code_tables_and_addresses_stay_in_one_piece() -> None:
    address = "https://desk.example/tickets/HD-1042/files/" + "a" * 80
    code = "SELECT " + "column_of_some_length, " * 10 + "1"
    text = f"{address}\n```\n{code}\n```\n    {code}\n| {code} |"
    assert wrapped(text).splitlines() == [address, "```", code.rstrip(), "```", f"    {code}", f"| {code} |"]


def test_blank_lines_do_not_pile_up() -> None:
    assert wrapped("\n\none\n\n\n\ntwo   \n\n") == "one\n\ntwo\n"
