"""The flows: scripts of steps, the same on every station.

``associate(station, account, phone, lock=True)`` runs a whole association and returns its steps.
"""

from __future__ import annotations

from offhook.bench.accounts import Account
from offhook.bench.devices import Station
from offhook.bench.flows.association import STAGES, Association
from offhook.bench.flows.steps import Script, StepFailed
from offhook.bench.phone import Phone
from offhook.bench.station_model import Options

AFTER_CALL_S = 1.0
"""Until every leg of the call is gone."""

__all__ = ["STAGES", "Association", "Script", "StepFailed", "associate", "association"]


def association(
    station: Station,
    account: Account,
    phone: Phone,
    *,
    lock: bool | str = False,
    options: Options | None = None,
    in_call: bool = False,
) -> Association:
    """An association ready to be run step by step; sets the company's policy first.

    ``lock`` is True for the phone's own way of locking, or names one: "notify" or "prefix". ``options`` (default: the
    station's) say whether S3, a context id and the DDI are used; with ``in_call`` the context id goes over the
    established connection.
    """
    chosen = options or station.options
    variant = lock if isinstance(lock, str) else phone.lock_variant if lock else "none"
    policy = {
        "lock": variant,
        "completion_required": chosen.s3,
        "context": chosen.context,
        "ddi": chosen.ddi,
        "identification": "in_call" if in_call else "in_makecall",
    }
    station.rig.cloud_api.admin_policy(policy)
    name = f"association of {phone.name} by {account.name}"
    flow = Association(station, name, account=account, phone=phone, options=chosen, lock=variant, in_call=in_call)
    flow.limits, flow.alone = station.limits, station.alone
    return flow


def associate(
    station: Station,
    account: Account,
    phone: Phone,
    *,
    lock: bool | str = False,
    options: Options | None = None,
    in_call: bool = False,
) -> Association:
    """Associate a phone with an account, every step judged; then the handset goes down, as a person would put it.

    Raises StepFailed naming the step and the wire if an effect never came.
    """
    flow = association(station, account, phone, lock=lock, options=options, in_call=in_call)
    flow.run_to(STAGES[-1])
    phone.hang_up()
    station.clock.sleep(AFTER_CALL_S)
    return flow
