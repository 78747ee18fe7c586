"""JSON Schema and AsyncAPI 3.0, generated from the catalogue, and what would break a reader of an older version.

FastStream's own AsyncAPI is untrue for batch subscribers, so the document is made from the models themselves.
"""

from collections import defaultdict
from typing import Any, Final

from shared.events import EVENTS
from shared.events.base import Event, Topic

Schema = dict[str, Any]
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
BASE: Final = "https://keepwell.dev/schemas"
HEADERS: Final = {
    "ce_specversion": "CloudEvents version, 1.0",
    "ce_id": "the event's id, the only key for deduplication",
    "ce_type": "the event's type",
    "ce_source": "/keepwell/<service>",
    "ce_time": "when it was said or, for a timer, when it was due",
    "ce_subject": "the record's key: the patient's id, or the clinic's",
    "ce_dataschema": "this schema's address with its version",
    "content-type": "application/json",
    "traceparent": "W3C trace context",
}


def schema_of(event: type[Event]) -> Schema:
    """Return the JSON Schema of an event's body."""
    schema = event.model_json_schema(mode="serialization")
    return {"$schema": DIALECT, "$id": f"{BASE}/{event.TYPE}/{event.SCHEMA}", **schema}


def file_name(event: type[Event]) -> str:
    """Return the name of the file that holds an event's schema."""
    return f"{event.TYPE}.v{event.SCHEMA}.json"


def asyncapi(version: str) -> Schema:
    """Return the AsyncAPI document of every topic."""
    by_topic: dict[Topic, list[type[Event]]] = defaultdict(list)
    for event in EVENTS:
        by_topic[event.TOPIC].append(event)
    channels: Schema = {}
    operations: Schema = {}
    for topic in sorted(by_topic):
        name = str(topic).removeprefix("keepwell.")
        channels[name] = {
            "address": str(topic),
            "description": f"What the {name} side says; the key is the patient's id, so that order holds for each.",
            "messages": {e.TYPE: {"$ref": f"#/components/messages/{e.TYPE}"} for e in by_topic[topic]},
        }
        operations[f"publish-{name}"] = {"action": "send", "channel": {"$ref": f"#/channels/{name}"}}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Keepwell events",
            "version": version,
            "description": "CloudEvents 1.0 in Kafka's binary mode. Names, numbers, answers and reasons travel sealed.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": operations,
        "components": {"messages": {event.TYPE: _message(event) for event in EVENTS}},
    }


def _message(event: type[Event]) -> Schema:
    summary = (event.__doc__ or "").strip().splitlines()[0]
    return {
        "name": event.TYPE,
        "summary": summary,
        "contentType": "application/json",
        "headers": {
            "type": "object",
            "properties": {name: {"type": "string", "description": text} for name, text in HEADERS.items()},
            "required": sorted(set(HEADERS) - {"traceparent"}),
        },
        "payload": {
            "schemaFormat": "application/schema+json;version=draft-2020-12",
            "schema": {"$ref": f"./events/{file_name(event)}"},
        },
    }


def breaks(released: Schema, present: Schema) -> list[str]:
    """Return what a reader of the released schema could not read, and what of the released could not be read now.

    A field may be added when it has a default. Any other change needs a new schema version.
    """
    return list(_compare(released, present, (released, present), "body"))


def _resolve(schema: Schema, root: Schema) -> Schema:
    reference = schema.get("$ref")
    if reference is None:
        return schema
    found: Schema = root["$defs"][reference.rpartition("/")[2]]
    return found


def _compare(old: Schema, new: Schema, roots: tuple[Schema, Schema], place: str) -> list[str]:
    old, new = _resolve(old, roots[0]), _resolve(new, roots[1])
    found = [
        f"{place}: {word} was {old.get(word)!r} and is {new.get(word)!r}"
        for word in ("type", "format", "enum", "const", "pattern", "minimum")
        if old.get(word) != new.get(word)
    ]
    fields_then, fields_now = old.get("properties", {}), new.get("properties", {})
    found += [f"{place}.{name}: was removed" for name in sorted(fields_then.keys() - fields_now.keys())]
    found += [
        f"{place}.{name}: is new and has no default, so what is on the bus already could not be read"
        for name in sorted(fields_now.keys() - fields_then.keys())
        if "default" not in fields_now[name]
    ]
    for name in sorted(fields_then.keys() & fields_now.keys()):
        found += _compare(fields_then[name], fields_now[name], roots, f"{place}.{name}")
    for word in ("items", "additionalProperties"):
        if isinstance(old.get(word), dict) and isinstance(new.get(word), dict):
            found += _compare(old[word], new[word], roots, f"{place}[]")
    choices_then, choices_now = old.get("anyOf", []), new.get("anyOf", [])
    if len(choices_then) != len(choices_now):
        found.append(f"{place}: had {len(choices_then)} forms and has {len(choices_now)}")
    for index, (then, now) in enumerate(zip(choices_then, choices_now, strict=False)):
        found += _compare(then, now, roots, f"{place}|{index}")
    return found
