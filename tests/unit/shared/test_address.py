import ssl

import pytest

from shared.database.address import DatabaseAddressError, arguments_of, async_url

PLAIN = "postgresql://riverside:s3cret@db.example:5432/keepwell"


@pytest.mark.parametrize(
    "parameters",
    [
        "sslmode=require",
        "sslmode=verify-full&sslrootcert=/etc/ssl/ca.pem",
        "sslmode=verify-ca&sslrootcert=/etc/ssl/ca.pem&sslcert=/c.pem&sslkey=/k.pem",
        "sslmode=verify-full&sslrootcert=system",
        "options=-c%20statement_timeout%3D5000",
        "sslmode=require&channel_binding=prefer",
        "connect_timeout=10&application_name=hoster&keepalives=1",
        "target_session_attrs=read-write",
    ],
)
@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+asyncpg"])
def test_a_hosters_own_address_never_ends_in_an_unexpected_keyword(scheme: str, parameters: str) -> None:
    url = async_url(f"{PLAIN.replace('postgresql', scheme, 1)}?{parameters}")
    assert url.drivername == "postgresql+asyncpg"
    _, given = url.get_dialect()().create_connect_args(url)
    given.pop("prepared_statement_cache_size", None)
    known = {"host", "port", "user", "password", "database", "dsn", "ssl", "server_settings", "timeout"}
    assert set(arguments_of(given)) <= known | {"target_session_attrs"}


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ("sslmode=requires", "sslmode is 'requires'"),
        ("sslmod=require", "'sslmod' is no parameter"),
        ("channel_binding=require", "channel_binding=require cannot be honoured"),
        ("gssencmode=require", "gssencmode=require cannot be honoured"),
        ("connect_timeout=soon", "connect_timeout is 'soon'"),
        ("pgbouncer=true", "'pgbouncer' is no parameter"),
    ],
)
def test_what_cannot_be_honoured_is_never_left_out_in_silence(parameters: str, named: str) -> None:
    with pytest.raises(DatabaseAddressError) as refused:
        async_url(f"{PLAIN}?{parameters}")
    assert named in str(refused.value)
    assert "KEEPWELL_DATABASE_URL" in str(refused.value)
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    "address", ["mysql://u:s3cret@h/d", "db.example", "postgresql://u:s3cret@h:port/d", "http://h"]
)
def test_an_address_of_something_else_is_refused_without_its_password(address: str) -> None:
    with pytest.raises(DatabaseAddressError) as refused:
        async_url(address)
    assert "s3cret" not in str(refused.value)


def test_the_systems_authorities_come_with_the_name_of_the_host() -> None:
    context = arguments_of({"sslmode": "require", "sslrootcert": "system"})["ssl"]
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED


def test_a_process_keeps_its_own_name_and_the_servers_options_of_the_address() -> None:
    given = {"application_name": "hoster", "options": "-c x=1", "server_settings": {"application_name": "keepwell"}}
    assert arguments_of(given) == {"server_settings": {"options": "-c x=1", "application_name": "keepwell"}}
