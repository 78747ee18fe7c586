"""The figures that stand in Kafka and in the outbox, and how a process says that it cannot take them."""

from uuid import uuid4

from shared.bus import dead_letters
from shared.database import Transaction
from shared.events import PatientDischarged
from tests.conftest import TUESDAY_NOON
from tests.kafka.bus.conftest import Toy
from tests.support.bench import eventually
from tests.support.figures import figure


async def refuse(_tx: Transaction, _event: PatientDischarged) -> None:
    raise ValueError("no such ward")


async def test_a_dead_letter_is_counted_until_it_is_replayed(toy: Toy) -> None:
    engine = toy.make_engine()
    assert figure("keepwell_dead_letters_waiting", service="toy") == 0
    toy.reaction = refuse
    await engine.start()
    await toy.say(uuid4())
    await toy.quiet()
    await engine.sampler.round()
    assert figure("keepwell_dead_letters_waiting", service="toy") == 1
    assert figure("keepwell_dead_letters_total", service="toy", topic="keepwell.clinic") >= 1
    toy.reaction = None
    await dead_letters.replay(toy.kafka, await dead_letters.read_all(toy.kafka), now=TUESDAY_NOON)
    await toy.quiet()
    await engine.sampler.round()
    assert figure("keepwell_dead_letters_waiting", service="toy") == 0


async def test_lag_and_position_tell_what_a_group_has_done_and_what_not(toy: Toy) -> None:
    engine = toy.make_engine()
    await engine.start()
    for _ in range(7):
        await toy.say(uuid4())
    await toy.quiet()
    await engine.sampler.round()
    labels = {"group": "keepwell.toy.clinic", "topic": "keepwell.clinic"}
    assert figure("keepwell_consumer_lag_records", **labels) == 0
    assert figure("keepwell_consumer_committed_records", **labels) == 7
    assert figure("keepwell_hosted", service="toy") == 1
    assert figure("keepwell_problems") == 0


async def test_a_database_that_is_away_makes_its_figures_old_and_no_other(toy: Toy) -> None:
    engine = toy.make_engine()
    await engine.start()
    await engine.sampler.round()
    assert figure("keepwell_figures_age_seconds", source="toy") < 5
    url = toy.database.engine.url
    await toy.database.engine.dispose()
    toy.database.engine = type(toy.database)(url.set(port=9), schema="toy", clock=toy.clock).engine

    async def noticed() -> bool:
        await engine.sampler.round()
        return set(engine.sampler.failing) == {"toy"}

    await eventually(noticed, seconds=20)
    before = engine.sampler.age("toy")
    await engine.sampler.round()
    assert engine.sampler.age("toy") > before > engine.sampler.age("kafka")
    assert figure("keepwell_problems") > 0
