from shared.web.outgoing import Lazily


async def test_every_caller_gets_the_one_session_which_is_closed_at_the_end() -> None:
    outgoing = Lazily()
    session = outgoing()
    assert outgoing() is session
    await outgoing.close()
    assert session.closed


async def test_what_nobody_asked_for_need_not_be_closed() -> None:
    outgoing = Lazily()
    await outgoing.close()
    assert outgoing._session is None
