"""A manager interface for tests: reads actions off a pipe, answers as a test says. Its codec is its own."""

import hashlib

GREETING = b"Asterisk Call Manager/11.0.0\r\n"


class AmiPeer:
    """``asked`` lists the actions; ``answers`` maps an action's name to the headers (or messages) to send back."""

    def __init__(self, link, secret="s3cret"):
        self.asked: list[dict[str, str]] = []
        self.answers: dict[str, object] = {}
        self.silent: set[str] = set()
        self.received = b""
        self._secret = secret
        self._link = link
        self._pending = b""
        link.attach(self._take, lambda reason: None)
        link.send(GREETING)

    def send(self, *messages):
        for message in messages:
            self._link.send("".join(f"{name}: {value}\r\n" for name, value in message.items()).encode() + b"\r\n")

    def named(self, action):
        return [each for each in self.asked if each["Action"] == action]

    def _take(self, data):
        self.received += data
        self._pending += data
        while b"\r\n\r\n" in self._pending:
            text, _, self._pending = self._pending.partition(b"\r\n\r\n")
            self._serve(dict(line.split(": ", 1) for line in text.decode().split("\r\n")))

    def _serve(self, action):
        self.asked.append(action)
        name = action["Action"]
        if name in self.silent:
            return
        answer = self.answers.get(name, {"Response": "Success"})
        if name == "Challenge":
            answer = {"Response": "Success", "Challenge": "840415273"}
        elif name == "Login":
            right = hashlib.md5(f"840415273{self._secret}".encode()).hexdigest() == action["Key"]
            failed = {"Response": "Error", "Message": "Authentication failed"}
            answer = {"Response": "Success", "Message": "Authentication accepted"} if right else failed
        for message in answer if isinstance(answer, list) else [answer]:
            self.send({**message, "ActionID": action["ActionID"]})


def channel(name, uniqueid, linkedid, state="Down", **more):
    """Headers of a channel in an event."""
    return {"Channel": name, "ChannelStateDesc": state, "Uniqueid": uniqueid, "Linkedid": linkedid, **more}
