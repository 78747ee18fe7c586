from shared.embedded.kafka_settings import Node, server_properties

ONE = Node(1, 21001, 21002)
THREE = [ONE, Node(2, 22001, 22002), Node(3, 23001, 23002)]


def read(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines())


def test_a_lone_broker_listens_on_loopback_alone_and_makes_no_topic_by_itself() -> None:
    values = read(server_properties(ONE, [ONE], data="data"))
    assert values["listeners"] == "PLAINTEXT://127.0.0.1:21001,CONTROLLER://127.0.0.1:21002"
    assert values["advertised.listeners"] == "PLAINTEXT://127.0.0.1:21001"
    assert values["auto.create.topics.enable"] == "false"
    assert values["controller.quorum.voters"] == "1@127.0.0.1:21002"
    assert {values["default.replication.factor"], values["min.insync.replicas"]} == {"1"}


def test_a_broker_that_is_gone_is_noticed_in_three_seconds() -> None:
    values = read(server_properties(ONE, [ONE], data="data"))
    assert values["broker.session.timeout.ms"] == "3000"
    assert values["broker.heartbeat.interval.ms"] == "500"


def test_of_three_brokers_each_keeps_a_copy_and_two_must_have_it() -> None:
    values = read(server_properties(THREE[1], THREE, data="data"))
    assert values["node.id"] == "2"
    assert values["controller.quorum.voters"] == "1@127.0.0.1:21002,2@127.0.0.1:22002,3@127.0.0.1:23002"
    for topic in ("default", "offsets.topic", "transaction.state.log", "share.coordinator.state.topic"):
        assert values[f"{topic}.replication.factor"] == "3"
    assert values["min.insync.replicas"] == "2"


def test_no_setting_weakens_what_kafka_does_to_keep_data() -> None:
    values = read(server_properties(ONE, [ONE], data="data"))
    assert not [name for name in values if "flush" in name or "unclean" in name]
