"""Records what the notification blocks of Prefect 3.9.1 send, as `requests.json` beside this file.

Run it with the Python of an environment that has prefect==3.9.1:
    PREFECT_HOME=$(mktemp -d) python tests/notifications/record.py
No message leaves: what would be sent is written down and answered with 200 on the spot.
"""

import asyncio
import email
import email.policy
import json
import pathlib
import smtplib

import httpx
import requests
from prefect.blocks import notifications as blocks
from prefect.blocks.abstract import NotificationError

sent = []


def note(method, url, headers, body):
    kept = {}
    for name, value in sorted(headers.items()):
        name = name.lower()
        if name in {"authorization", "content-type", "user-agent", "cookie", "x-said"}:
            kept[name] = value
    if isinstance(body, bytes):
        body = body.decode()
    try:
        body = json.loads(body)
    except (TypeError, ValueError):
        pass
    sent.append({"method": method, "url": url, "headers": kept, "body": body})


def send(self, request, **_):
    note(request.method, request.url, request.headers, request.body)
    response = requests.Response()
    response.status_code, response.url, response.request = 200, request.url, request
    is_slack = "hooks.slack" in request.url
    response._content = b"ok" if is_slack else b'{"requestId": "r", "ok": true}'
    return response


requests.Session.send = send


async def handle(self, request):
    note(request.method, str(request.url), request.headers, request.content)
    return httpx.Response(200)


httpx.AsyncHTTPTransport.handle_async_request = handle


class Post:
    """Takes mail."""

    def __init__(self, host, port, *_, **__):
        self.where = f"{host}:{port}"
        self.said = []

    def starttls(self, *_, **__):
        self.said.append("starttls")

    def login(self, user, password):
        self.said.append(f"login {user} {password}")

    def send_message(self, message, **_):
        self.sendmail(None, None, message.as_string())

    def sendmail(self, sender, to, text):
        message = email.message_from_string(text, policy=email.policy.default)
        parts = [
            [part.get_content_type(), part.get_content()]
            for part in message.walk()
            if not part.is_multipart()
        ]
        names = ("from", "to", "cc", "reply-to", "subject")
        sent.append(
            {
                "where": self.where,
                "said": self.said,
                "envelope": [sender, to],
                "headers": {name: message[name] for name in names if message[name]},
                "parts": parts,
            }
        )

    def __getattr__(self, name):
        return lambda *_, **__: (250, b"")


smtplib.SMTP = Post
smtplib.SMTP_SSL = type("Sealed", (Post,), {})

SLACK = "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
TEAMS = (
    "https://prod-12.westeurope.logic.azure.com:443/workflows/3a4b5c6d/triggers/manual/paths/invoke"
    "?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=Sig-Na_ture"
)
BODY = 'Flow "a" & <b> entered\nstate *Crashed* at 5% {x}'
CASES = [
    ("SlackWebhook", {"url": SLACK}),
    ("SlackWebhook", {"url": SLACK, "notify_type": "failure"}),
    ("SlackWebhook", {"url": SLACK.replace("slack.com", "slack-gov.com")}),
    ("SlackWebhook", {"url": "http://127.0.0.1:1/services/T/B/C"}),
    ("SlackWebhook", {"url": "mailto://me:secret@mail.example.com?to=you@example.org"}),
    ("SlackWebhook", {"url": "mailto://mail.example.com:2525?from=me@example.com&to=a@b.org,c@d.org&mode=insecure"}),
    ("SlackWebhook", {"url": "mailtos://me%40example.com:se%2Fcret@mail.example.com:465/a@b.org/c@d.org?mode=ssl&from=Prefect<me@example.com>"}),
    ("SlackWebhook", {"url": "mailto://mail.example.com:2525/a@b.org?from=me@example.com&format=text&cc=x@y.org&bcc=z@y.org&reply=r@y.org"}),
    ("SlackWebhook", {"url": "mailto://user:pass@gmail.com"}),
    ("SlackWebhook", {"url": "json://127.0.0.1:8080/path"}),
    ("SlackWebhook", {"url": "jsons://u:p@example.com/path/?+x-said=yes&:extra=1"}),
    ("SlackWebhook", {"url": "https://discord.com/api/webhooks/4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js"}),
    ("SlackWebhook", {"url": "mmost://127.0.0.1:8065/token1"}),
    ("SlackWebhook", {"url": "https://example.com/hook"}),
    ("MicrosoftTeamsWebhook", {"url": TEAMS}),
    ("MicrosoftTeamsWebhook", {"url": TEAMS, "include_image": False, "wrap": False, "notify_type": "warning"}),
    ("MicrosoftTeamsWebhook", {"url": "https://example.com/hook"}),
    ("PagerDutyWebHook", {"integration_key": "ikey", "api_key": "akey"}),
    ("PagerDutyWebHook", {"integration_key": "ikey", "api_key": "akey", "source": "s", "component": "c", "group": "g",
                          "class_id": "k", "region_name": "eu", "clickable_url": "https://example.com/x",
                          "include_image": False, "custom_details": {"a b": "c%d"}, "notify_type": "failure"}),
    ("TwilioSMS", {"account_sid": "AC735c307c62944b5a", "auth_token": "e29dfbcebf390dee9",
                   "from_phone_number": "18001234567", "to_phone_numbers": ["18004242424", "+18004242425"]}),
    ("OpsgenieWebhook", {"apikey": "12345678-1234-1234-1234-123456789012"}),
    ("OpsgenieWebhook", {"apikey": "key", "target_user": ["u@x.org"], "target_team": ["t", "12345678-1234-1234-1234-123456789012"],
                         "target_schedule": ["s"], "target_escalation": ["e"], "region_name": "eu", "tags": ["a", "b"],
                         "priority": 5, "alias": "al", "entity": "en", "details": {"k": "v"}, "notify_type": "warning"}),
    ("OpsgenieWebhook", {"apikey": "key", "target_team": ["t", "u"], "batch": True, "priority": 1}),
    ("MattermostWebhook", {"hostname": "mm.example.com", "token": "token1"}),
    ("MattermostWebhook", {"hostname": "mm.example.com", "token": "token1", "secure": True, "botname": "bot",
                           "channels": ["general", "#other"], "include_image": True, "path": "/sub/", "port": 443}),
    ("DiscordWebhook", {"webhook_id": "4174216298", "webhook_token": "JHMHI8qBe7bk2ZwO5U711o3dV_js"}),
    ("DiscordWebhook", {"webhook_id": "4174216298", "webhook_token": "JHMHI8qBe7bk2ZwO5U711o3dV_js", "botname": "bot",
                        "tts": True, "include_image": True, "avatar": True, "avatar_url": "https://example.com/a.png"}),
    ("DiscordWebhook", {"webhook_id": "4174216298", "webhook_token": "JHMHI8qBe7bk2ZwO5U711o3dV_js", "avatar": True,
                        "notify_type": "failure"}),
    ("SendgridEmail", {"api_key": "SG.key", "sender_email": "me@example.com", "to_emails": ["a@b.org", "c@d.org"]}),
    ("CustomWebhookNotificationBlock", {"name": "n", "url": "http://example.com/hook"}),
    ("CustomWebhookNotificationBlock", {"name": "n", "url": "http://example.com/{{token}}", "method": "PUT",
        "params": {"q": "{{subject}}"}, "json_data": {"text": "{{subject}}\n{{body}}", "title": "{{name}}", "token": "{{token}}", "n": [1, "{{ body }}"]},
        "headers": {"X-Said": "{{token}}"}, "cookies": {"c": "{{token}}"}, "timeout": 3, "secrets": {"token": "s3"}}),
    ("CustomWebhookNotificationBlock", {"name": "n", "url": "http://example.com/?a=1", "form_data": {"text": "{{subject}} {{body}}"}}),
    ("CustomWebhookNotificationBlock", {"name": "n", "url": "http://example.com/", "form_data": "raw {{body}}", "params": {"a": "b c"}}),
    ("CustomWebhookNotificationBlock", {"name": "n", "url": "http://example.com/", "form_data": "{{nope}}"}),
    ("CustomWebhookNotificationBlock", {"name": "n", "url": "http://example.com/", "form_data": {"a": "b"}, "json_data": {}}),
]
LONG = "word and another " * 400


async def recorded(kind, data, subject, body):
    sent.clear()
    case = {"type": None, "data": data, "subject": subject, "body": body, "sent": [], "failure": None}
    cls = getattr(blocks, kind)
    case["type"] = cls.get_block_type_slug()
    try:
        block = cls.model_validate(data)
        with block.raise_on_failure():
            await block.anotify(subject=subject, body=body)
    except NotificationError as error:
        case["failure"] = f"NotificationError {error.log}"
    except Exception as error:
        case["failure"] = f"{type(error).__name__} {error}"
    case["sent"] = list(sent)
    return case


async def main():
    cases = []
    for kind, data in CASES:
        cases.append(await recorded(kind, data, "What happened", BODY))
    for kind, data in CASES:
        cases.append(await recorded(kind, data, "", BODY))
    for kind, data in CASES:
        if kind not in {c[0] for c in CASES[: CASES.index((kind, data))]}:
            cases.append(await recorded(kind, data, "S" * 400, LONG))
    path = pathlib.Path(__file__).with_name("requests.json")
    path.write_text(json.dumps(cases, indent=1, ensure_ascii=False) + "\n")


asyncio.run(main())
