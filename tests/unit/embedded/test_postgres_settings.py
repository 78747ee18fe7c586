from pathlib import Path

from shared.embedded.postgres_settings import command, settings

VALUES = settings(21000, Path("/data/log"))


def test_it_listens_on_loopback_alone() -> None:
    assert VALUES["listen_addresses"] == "127.0.0.1"
    assert VALUES["unix_socket_directories"] == ""


def test_no_setting_weakens_what_postgresql_does_to_keep_data() -> None:
    assert not {"fsync", "full_page_writes", "synchronous_commit"} & VALUES.keys()


def test_the_log_holds_no_statement_value_or_key() -> None:
    assert VALUES["log_min_error_statement"] == "panic"
    assert VALUES["log_error_verbosity"] == "terse"
    assert VALUES["log_parameter_max_length_on_error"] == "0"


def test_the_cluster_is_an_argument_of_its_own() -> None:
    line = command(Path("/bin/postgres"), Path("/a b/cluster"), {"jit": "off"})
    assert line == ("/bin/postgres", "-D", "/a b/cluster", "--jit=off")
