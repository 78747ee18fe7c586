"""The same reminders through Celery with Redis and through procrastinate, set up as their manuals advise.

What all three do here: check the session, the consent, the stop list and the hour right before the call; commit an
attempt before the call and its outcome after it; and call the same provider with the same words.

What these two do not do, and Keepwell does: keep a patient's messages in order, settle an attempt whose outcome nobody
knows (a worker that dies in a call leaves the message in `sending` for ever, and without that state it would send
twice), keep a rate over all processes, and tell others of what was sent. Their tables carry two indexes where
Keepwell's carry eleven.
"""
