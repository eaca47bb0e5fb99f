"""Which test carries which id of the security checklist; an id without a test or a reason fails here."""

import ast
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
CARRIED = {
    "T-01": "security/test_matrix.py::test_each_door_opens_for_whom_it_should",
    "T-02": "security/test_second_paths.py::test_no_second_path_leads_to_a_foreign_ticket",
    "T-03": "security/test_matrix.py::test_a_foreign_ticket_looks_like_none_at_all",
    "T-04": "security/test_second_paths.py::test_a_foreign_key_in_a_form_is_refused",
    "T-05": "security/test_second_paths.py::test_no_form_takes_more_fields_than_it_shows",
    "T-06": "accounts/test_rights.py::",
    "T-08": "accounts/test_logging_in.py::",
    "T-09": "accounts/test_coming_in.py::",
    "T-11": "accounts/test_logging_in.py::",
    "T-12": "accounts/test_logging_in.py::",
    "T-13": "security/test_matrix.py::test_each_write_needs_its_token",
    "T-14": "accounts/test_logging_in.py::",
    "M-09": "security/test_mails.py::test_nothing_that_somebody_typed_adds_a_header_or_a_recipient",
    "X-01": "security/test_payloads.py::test_what_people_typed_stays_text_on_every_page",
    "X-02": "helpdesk/test_richtext.py::",
    "X-06": "security/test_files.py::test_whatever_is_attached_leaves_as_a_download_in_a_sandbox",
    "X-07": "security/test_files.py::test_a_part_of_a_file",
    "X-08": "security/test_files.py::test_a_name_is_only_ever_a_word",
    "X-09": "security/test_files.py::test_each_look_asks_who_may_read_the_message",
    "X-10": "security/test_files.py::test_a_bomb_or_a_broken_file_only_loses_its_preview",
    "X-11": "helpdesk/test_richtext.py::",
    "X-13": "tickets/test_canned.py::test_what_is_no_blank_stays_as_it_was_typed",
    "X-15": "security/test_mails.py::test_no_log_tells_a_link_that_grants_a_login_or_what_was_said",
    "X-16": "security/test_second_paths.py::test_a_foreign_host_is_refused",
    "S-01": "outbox/test_mail_events.py::test_whoever_does_not_know_the_secret_gets_nowhere",
    "S-02": "outbox/test_mail_events.py::test_a_forged_notice_changes_nothing_and_is_not_told_why",
    "S-03": "outbox/test_mail_events.py::test_a_certificate_from_elsewhere_is_not_asked_for",
    "S-04": "outbox/test_mail_events.py::test_of_a_foreign_topic_nobody_is_asked_anything",
    "S-05": "outbox/test_mail_events.py::test_what_is_brought_twice_is_kept_once",
    "R-02": "security/test_files.py::test_a_row_never_stands_without_its_file",
    "R-03": "stories/test_what_is_killed_comes_back.py::",
    "R-04": "outbox/test_r07_the_mail_server_fails.py::test_a_table_that_somebody_locks_delays_letters_and_loses_none",
    "R-07": "outbox/test_r07_the_mail_server_fails.py::",
    "R-09": "tickets/test_races.py::test_fifty_people_write_on_one_ticket_a_thousand_times",
    "R-08": "security/test_files.py::test_a_full_disk_is_said_and_leaves_nothing",
    "A-01": "awsint/test_testing.py::test_another_accounts_external_id_proves_nothing",
    "A-02": "awsint/test_poll.py::test_what_aws_says_is_text_and_never_markup",
    "A-04": "awsint/test_faults.py::test_another_customers_number_or_error_stands_in_nothing_a_customer_gets",
    "R-01": "awsint/test_faults.py::test_a_reader_that_is_killed_has_lost_nothing_and_told_nothing_twice",
    "R-06": "awsint/test_faults.py::test_one_of_two_hundred_without_a_plan_is_nobody_elses_trouble",
    "headers": "security/test_matrix.py::test_every_answer_carries_the_security_headers",
}
MAIL = "no mail comes in yet"
API = "there are no exports, no reply links and no webhooks yet"
AWS = "nothing of AWS is connected yet"
LATER = {
    **dict.fromkeys(["T-07", "M-01", "M-02", "M-03", "M-04", "M-05", "M-06", "M-07", "M-08", "M-10", "M-11"], MAIL),
    **dict.fromkeys(["S-06", "X-03", "R-11"], MAIL),
    **dict.fromkeys(["T-10", "X-05", "X-12", "R-12"], API),
    **dict.fromkeys(["A-03", "R-05"], AWS),
    "X-04": "the desk fetches nothing",
    "X-14": "there are no packs or PDFs yet",
    "R-10": "comes with office hours: round the clock knows no zone",
    "R-13": "comes with running it for real",
    "R-14": "comes with running it for real",
    "R-15": "comes with running it for real",
}
ALL = [
    f"{letter}-{n:02}"
    for letter, last in (("T", 14), ("M", 11), ("S", 6), ("X", 16), ("R", 15))
    for n in range(1, last + 1)
]
ALL += ["A-01", "A-02", "A-03", "A-04", "headers"]


def test_every_id_has_a_test_or_a_reason() -> None:
    assert [i for i in ALL if (i in CARRIED) == (i in LATER)] == []


def test_the_tests_named_exist() -> None:
    missing = []
    for where in CARRIED.values():
        file, _, name = where.partition("::")
        defined = [n.name for n in ast.walk(ast.parse((TESTS / file).read_text())) if isinstance(n, ast.FunctionDef)]
        if not any(d.startswith("test_") and (d == name or not name) for d in defined):
            missing.append(where)
    assert missing == []
