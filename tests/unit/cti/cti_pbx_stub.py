"""A PBX of two extensions that says yes, for tests of the CTI protocols in front of it."""

from dataclasses import replace

from offhook.drivers.cti import CtiEvent, Response, Service


class PbxStub:
    """Implements the ``PbxCti`` protocol; ``asked`` lists every service it was asked for."""

    def __init__(self) -> None:
        self.answer_delay_s = 0.0
        self.asked: list[tuple[str, ...]] = []
        self.monitors: dict[str, str] = {}
        self.refuse = ""
        self._listeners = []

    def listen(self, listener):
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def emit(self, event: CtiEvent) -> None:
        for monitor_id, device in list(self.monitors.items()):
            if device in (event.device, event.calling, event.called):
                for listener in list(self._listeners):
                    listener(replace(event, monitor_id=monitor_id))

    def _answer(self, service: Service, *arguments: str, **details) -> Response:
        self.asked.append((str(service), *arguments))
        return Response(service, error=self.refuse) if self.refuse else Response(service, **details)

    def monitor_start(self, device):
        answer = self._answer(Service.MONITOR_START, device, monitor_id=str(len(self.asked)))
        if answer.ok:
            self.monitors[answer.monitor_id] = device
        return answer

    def monitor_stop(self, monitor_id):
        self.monitors.pop(monitor_id, None)
        return self._answer(Service.MONITOR_STOP, monitor_id)

    def make_call(self, calling, called):
        return self._answer(Service.MAKE_CALL, calling, called, call_id="42")

    def answer(self, device, call_id):
        return self._answer(Service.ANSWER_CALL, device, call_id)

    def clear(self, device, call_id):
        return self._answer(Service.CLEAR_CONNECTION, device, call_id)

    def hold(self, device, call_id):
        return self._answer(Service.HOLD_CALL, device, call_id)

    def retrieve(self, device, call_id):
        return self._answer(Service.RETRIEVE_CALL, device, call_id)

    def generate_digits(self, device, call_id, digits):
        return self._answer(Service.GENERATE_DIGITS, device, call_id, digits)

    def snapshot(self, device):
        row = {"call_id": "42", "state": "connected", "calling": device, "called": "0555"}
        return self._answer(Service.SNAPSHOT_DEVICE, device, lock_state="LOCKED", calls=(row,))

    def lock(self, device, variant, prefix=""):
        return self._answer(Service.LOCK, device, variant, prefix, lock_state="LOCKED")

    def unlock(self, device):
        return self._answer(Service.UNLOCK, device, lock_state="UNLOCKED")
