"""The six topics: made by `signoff migrate`, looked for by the worker and the doctor."""

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError, for_code

from schemas.catalogue import TOPICS, topic_name


async def create_missing_topics(bootstrap_servers: str, prefix: str, *, partitions: int, replication: int) -> list[str]:
    """Creates those that do not exist, and returns their names. Existing ones are left as they are."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    await admin.start()
    try:
        missing = await _missing(admin, prefix)
        if missing:
            response = await admin.create_topics([NewTopic(name, partitions, replication) for name in missing])
            for name, code, *_ in response.topic_errors:
                error = for_code(code)
                if code and error is not TopicAlreadyExistsError:
                    raise error(f"topic {name} could not be created")
        return missing
    finally:
        await admin.close()


async def missing_topics(bootstrap_servers: str, prefix: str) -> list[str]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    await admin.start()
    try:
        return await _missing(admin, prefix)
    finally:
        await admin.close()


async def _missing(admin: AIOKafkaAdminClient, prefix: str) -> list[str]:
    there = set(await admin.list_topics())
    return [name for topic in TOPICS if (name := topic_name(prefix, topic)) not in there]
