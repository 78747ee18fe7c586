from aiokafka.partitioner import DefaultPartitioner
from hypothesis import given
from hypothesis import strategies as st

from shared.bus.partitions import partition_of


@given(st.binary(max_size=80), st.integers(min_value=1, max_value=64))
def test_a_key_belongs_to_the_partition_that_kafkas_own_clients_choose(key: bytes, partitions: int) -> None:
    every = list(range(partitions))
    assert partition_of(key, partitions) == DefaultPartitioner()(key, every, every)


def test_a_record_without_a_key_goes_to_the_first_partition() -> None:
    assert partition_of(None, 4) == 0
