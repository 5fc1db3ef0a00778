"""Saves, loads, changes and deletes a block of every type that comes with the client, and of two of
its own, one within the other."""

import prefect.blocks.notifications  # noqa: F401
import prefect.filesystems  # noqa: F401
from prefect.blocks.core import Block
from prefect.blocks.system import Secret
from prefect.blocks.webhook import Webhook  # noqa: F401
from prefect.client.orchestration import get_client
from prefect.utilities.dispatch import get_registry_for_type
from pydantic import SecretStr

VALUES = {
    "custom-webhook": {"name": "n", "url": "https://h.example", "secrets": {"token": "zz"}},
    "discord-webhook": {"webhook_id": "zz", "webhook_token": "zz"},
    "local-file-system": {"basepath": "/tmp"},
    "mattermost-webhook": {"hostname": "h.example", "token": "zz"},
    "ms-teams-webhook": {
        "url": "https://prod-1.westus.logic.azure.com:443/workflows/0a1b2c/triggers/manual/paths/invoke"
        "?api-version=2016-06-01&sp=run&sv=1.0&sig=zz"
    },
    "opsgenie-webhook": {"apikey": "zz"},
    "pager-duty-webhook": {"integration_key": "zz", "api_key": "zz"},
    "remote-file-system": {"basepath": "s3://bucket"},
    "secret": {"value": "zz"},
    "sendgrid-email": {"api_key": "zz", "sender_email": "a@h.example", "to_emails": ["b@h.example"]},
    "slack-webhook": {"url": "https://h.example/zz"},
    "smb": {"share_path": "/s", "smb_host": "h", "smb_password": "zz"},
    "twilio-sms": {
        "account_sid": "AC" + "a" * 32,
        "auth_token": "0f" * 16,
        "from_phone_number": "+15555550100",
        "to_phone_numbers": ["+15555550101"],
    },
    "webhook": {"url": "https://h.example/zz", "headers": {"Auth": "zz"}},
}


class Inner(Block):
    token: SecretStr
    number: int = 1


class Outer(Block):
    inner: Inner
    text: str = "t"


def each_type():
    registry = dict(get_registry_for_type(Block))
    for slug, values in VALUES.items():
        kind = registry[slug]
        block = kind(**values)
        block.save("one")
        loaded = kind.load("one")
        assert loaded.model_dump() == block.model_dump(), slug
        assert Block.load(f"{slug}/one").model_dump() == block.model_dump(), slug
        try:
            block.save("one")
        except ValueError:
            pass
        else:
            raise AssertionError(f"{slug} was saved twice")
        block.save("one", overwrite=True)
        assert kind.load("one").model_dump() == block.model_dump(), slug
        with get_client(sync_client=True) as client:
            masked = client.read_block_document_by_name("one", slug, include_secrets=False)
            for secret in ["zz", "0f0f"]:
                assert secret not in str(masked.data), slug
            assert client.read_block_schema_by_checksum(kind._calculate_schema_checksum()), slug
        kind.delete("one")
        try:
            kind.load("one")
        except ValueError:
            print("done", slug)


def nested():
    Inner(token="zz").save("inner")
    Outer(inner=Inner.load("inner")).save("outer")
    loaded = Outer.load("outer")
    assert loaded.inner.token.get_secret_value() == "zz"
    Inner(token="changed", number=2).save("inner", overwrite=True)
    loaded = Outer.load("outer")
    assert (loaded.inner.token.get_secret_value(), loaded.inner.number) == ("changed", 2)
    Outer(inner=Inner(token="apart")).save("outer", overwrite=True)
    assert Outer.load("outer").inner.token.get_secret_value() == "apart"
    for value in ["text", {"a": [1, None]}, 5]:
        Secret(value=value).save("any", overwrite=True)
        assert Secret.load("any").get() == value
    print("done nested")


each_type()
nested()
