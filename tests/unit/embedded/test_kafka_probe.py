import struct

import pytest

from shared.embedded.kafka_probe import parse, request


def text(value: str | None) -> bytes:
    return struct.pack(">h", -1) if value is None else struct.pack(">h", len(value)) + value.encode()


def broker(number: int, rack: str | None) -> bytes:
    return struct.pack(">i", number) + text("127.0.0.1") + struct.pack(">i", 9092) + text(rack)


def answer(*brokers: bytes, cluster: str | None) -> bytes:
    return struct.pack(">iii", 1, 0, len(brokers)) + b"".join(brokers) + text(cluster) + struct.pack(">ii", 1, 0)


def test_an_answer_names_the_brokers_and_their_cluster() -> None:
    metadata = parse(answer(broker(1, None), broker(3, "rack"), cluster="abc"))
    assert metadata.brokers == {1, 3}
    assert metadata.cluster == "abc"


def test_a_cluster_without_a_name_has_none() -> None:
    assert parse(answer(cluster=None)).cluster is None


def test_an_answer_cut_short_is_refused() -> None:
    with pytest.raises(struct.error):
        parse(answer(broker(1, None), cluster="abc")[:20])


def test_the_question_says_its_own_length() -> None:
    assert struct.unpack(">i", request()[:4])[0] == len(request()) - 4
