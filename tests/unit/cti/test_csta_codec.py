"""The CSTA codec against frames others have published, and against itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.drivers.cti import CtiEvent, EventKind, Response, Service
from offhook.drivers.cti.csta_frames import Frame, FrameError, FrameReader
from offhook.drivers.cti.csta_messages import Message, MessageError, from_xml, to_xml
from offhook.drivers.cti.csta_services import (
    event_message,
    parse_event,
    parse_request,
    parse_response,
    request_message,
    response_message,
)

CSTA = "http://www.ecma-international.org/standards/ecma-323/csta/ed4"

# An event report of an OpenScape Voice, as published with a CSTA simulator (skarcos/pyssimist).
OPENSCAPE_SERVICE_INITIATED = (
    b"\x00\x00\x03\xeb9999"
    b'<?xml version="1.0" encoding="UTF-8"?>'
    b'<ServiceInitiatedEvent xmlns="http://www.ecma-international.org/standards/ecma-323/csta/ed4">'
    b"<monitorCrossRefID>1169730059</monitorCrossRefID>"
    b"<initiatedConnection><callID>FF000100000000002D65C85C1C750000</callID><deviceID>302118840100</deviceID>"
    b"</initiatedConnection>"
    b"<initiatingDevice><deviceIdentifier>N&lt;302118840100&gt;;noa=nk</deviceIdentifier></initiatingDevice>"
    b"<localConnectionInfo>initiated</localConnectionInfo><cause>makeCall</cause>"
    b"<servicesPermitted><callControlServices><clearConnection>true</clearConnection></callControlServices>"
    b"<callAssociatedServices/><mediaAttachementServices/><routeingServices/><voiceServices/></servicesPermitted>"
    b"<mediaCallCharacteristics><mediaClass><voice>true</voice><image>false</image><im>false</im></mediaClass>"
    b"</mediaCallCharacteristics>"
    b'<extensions><privateData><private xmlns:scx="http://www.siemens.com/schema/csta">'
    b"<scx:extendedServicesPermitted/></private></privateData></extensions></ServiceInitiatedEvent>"
)

# Requests of Microsoft's RCC as pidgin-sipe sends them, and of DMCC clients: other editions, attributes, no prefix.
RCC_MAKE_CALL = (
    b'<?xml version="1.0"?><MakeCall xmlns="http://www.ecma-international.org/standards/ecma-323/csta/ed3">'
    b"<callingDevice>tel:73124;phone-context=dialstring</callingDevice>"
    b"<calledDirectoryNumber>tel:+3222220220</calledDirectoryNumber>"
    b"<autoOriginate>doNotPrompt</autoOriginate></MakeCall>"
)
DMCC_MONITOR_START = (
    b'<MonitorStart xmlns="http://www.ecma-international.org/standards/ecma-323/csta/ed3/priv3"><monitorObject>'
    b'<deviceObject typeOfNumber="other" mediaClass="notKnown">4750</deviceObject></monitorObject></MonitorStart>'
)
ZULTYS_MAKE_CALL_RESPONSE = (
    b"<MakeCallResponse><callingDevice><callID>25</callID><deviceID>3095</deviceID></callingDevice>"
    b"<calledDevice>1099</calledDevice></MakeCallResponse>"
)
ZULTYS_ERROR = b"<CSTAErrorCode><privateErrorCode>URM Denied</privateErrorCode></CSTAErrorCode>"


def test_published_frame_is_read_whole():
    (frame,) = FrameReader().feed(OPENSCAPE_SERVICE_INITIATED)

    assert frame.invoke_id == 9999
    assert len(OPENSCAPE_SERVICE_INITIATED) == 0x3EB
    assert frame.to_bytes() == OPENSCAPE_SERVICE_INITIATED


def test_published_event_is_understood():
    (frame,) = FrameReader().feed(OPENSCAPE_SERVICE_INITIATED)

    event = parse_event(from_xml(frame.body), 12.5)

    assert event == CtiEvent(
        EventKind.SERVICE_INITIATED,
        12.5,
        device="302118840100",
        call_id="FF000100000000002D65C85C1C750000",
        calling="302118840100",
        cause="makeCall",
        monitor_id="1169730059",
    )


def test_published_requests_are_understood_in_any_edition():
    wanted = {"calling": "tel:73124;phone-context=dialstring", "called": "tel:+3222220220"}
    assert parse_request(from_xml(RCC_MAKE_CALL)) == (Service.MAKE_CALL, wanted)
    assert parse_request(from_xml(DMCC_MONITOR_START)) == (Service.MONITOR_START, {"device": "4750"})


def test_published_answers_are_understood():
    assert parse_response(Service.MAKE_CALL, from_xml(ZULTYS_MAKE_CALL_RESPONSE)).call_id == "25"
    assert parse_response(Service.MAKE_CALL, from_xml(ZULTYS_ERROR)).error == "URM Denied"


def test_make_call_is_written_as_the_schema_orders_it():
    document = to_xml(request_message(Service.MAKE_CALL, {"calling": "1001", "called": "0033390677069*1234567#"}))

    assert (
        document.split(b"?>")[1].strip()
        == (
            f'<MakeCall xmlns="{CSTA}"><callingDevice>1001</callingDevice>'
            "<calledDirectoryNumber>0033390677069*1234567#</calledDirectoryNumber>"
            "<autoOriginate>doNotPrompt</autoOriginate></MakeCall>"
        ).encode()
    )


def test_delivered_event_has_its_own_connection_and_device_elements():
    event = CtiEvent(EventKind.DELIVERED, 0.0, "1002", "42", "1001", "1002", "newCall", "7")

    text = to_xml(event_message(event)).decode()

    order = [
        "<monitorCrossRefID>7</monitorCrossRefID>",
        "<connection><callID>42</callID><deviceID>1002</deviceID></connection>",
        "<alertingDevice><deviceIdentifier>1002</deviceIdentifier></alertingDevice>",
        "<callingDevice><deviceIdentifier>1001</deviceIdentifier></callingDevice>",
        "<calledDevice><deviceIdentifier>1002</deviceIdentifier></calledDevice>",
        "<localConnectionInfo>alerting</localConnectionInfo>",
        "<cause>newCall</cause>",
    ]
    places = [text.find(piece) for piece in order]
    assert -1 not in places
    assert places == sorted(places)


@given(st.data())
def test_frames_come_out_whole_however_the_stream_is_cut(data):
    frames = [Frame(number, b"<A>" + bytes([65 + number]) * number + b"</A>") for number in range(5)]
    stream = b"".join(frame.to_bytes() for frame in frames)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    reader = FrameReader()

    got = []
    for start, stop in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        got += reader.feed(stream[start:stop])

    assert got == frames


@pytest.mark.parametrize(
    "header",
    [b"\x00\x05\x00\x0c0001abcd", b"\x00\x00\x00\x070001", b"\x00\x00\x00\x0cabcdabcd", b"<?xml version='1.0'?>"],
    ids=["with SOAP", "length below header", "invoke id no number", "no header"],
)
def test_a_bad_header_is_an_error(header):
    with pytest.raises(FrameError):
        FrameReader().feed(header)


def test_a_frame_longer_than_its_length_field_is_refused():
    with pytest.raises(FrameError, match="65535"):
        Frame(1, b"x" * 65_528).to_bytes()


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"<MakeCall>",
        b"\xff\xfe\x00",
        b'<!DOCTYPE a [<!ENTITY e "x">]><MakeCall>&e;</MakeCall>',
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><MakeCall/>',
    ],
)
def test_what_is_not_a_trustworthy_document_is_an_error(document):
    with pytest.raises(MessageError):
        from_xml(document)


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=20)


@given(TEXT, TEXT, TEXT, TEXT, st.sampled_from(EventKind))
def test_events_survive_the_wire(device, call_id, calling, called, kind):
    event = CtiEvent(kind, 3.0, device, call_id, calling, called, "busy", "12", {"trunk": "2"})

    back = parse_event(from_xml(to_xml(event_message(event))), 3.0)

    assert back is not None
    assert (back.kind, back.device, back.call_id, back.monitor_id) == (kind, device, call_id, "12")
    assert back.extra == {"trunk": "2"}
    if kind in (EventKind.ORIGINATED, EventKind.DELIVERED, EventKind.ESTABLISHED, EventKind.FAILED):
        assert (back.calling, back.called, back.cause) == (calling, called, "busy")


REQUESTS = [
    (Service.MONITOR_START, {"device": "1001"}),
    (Service.MONITOR_STOP, {"monitor_id": "7"}),
    (Service.MAKE_CALL, {"calling": "1001", "called": "9000*1#"}),
    (Service.ANSWER_CALL, {"device": "1001", "call_id": "42"}),
    (Service.CLEAR_CONNECTION, {"device": "1001", "call_id": "42"}),
    (Service.HOLD_CALL, {"device": "1001", "call_id": "42"}),
    (Service.RETRIEVE_CALL, {"device": "1001", "call_id": "42"}),
    (Service.GENERATE_DIGITS, {"device": "1001", "call_id": "42", "digits": "12#*"}),
    (Service.SNAPSHOT_DEVICE, {"device": "1001"}),
    (Service.LOCK, {"device": "1001", "variant": "notify"}),
    (Service.UNLOCK, {"device": "1001", "variant": "notify"}),
]


@pytest.mark.parametrize(("service", "arguments"), REQUESTS, ids=[str(service) for service, _ in REQUESTS])
def test_requests_survive_the_wire(service, arguments):
    assert parse_request(from_xml(to_xml(request_message(service, arguments)))) == (service, arguments)


def test_a_lock_by_prefix_is_a_call_to_the_prefix():
    message = request_message(Service.LOCK, {"device": "1001", "variant": "prefix", "prefix": "*66"})

    assert parse_request(from_xml(to_xml(message))) == (Service.MAKE_CALL, {"calling": "1001", "called": "*66"})


@pytest.mark.parametrize(
    "response",
    [
        Response(Service.MAKE_CALL, call_id="42"),
        Response(Service.MONITOR_START, monitor_id="7"),
        Response(Service.LOCK, lock_state="LOCKED"),
        Response(Service.LOCK, error="not_lockable"),
        Response(Service.CLEAR_CONNECTION),
        Response(
            Service.SNAPSHOT_DEVICE,
            lock_state="UNLOCKED",
            calls=({"call_id": "1", "device": "1001", "state": "hold", "calling": "1001", "called": "0555"},),
        ),
    ],
    ids=lambda response: f"{response.service}{' error' if response.error else ''}",
)
def test_responses_survive_the_wire(response):
    back = parse_response(response.service, from_xml(to_xml(response_message(response, "1001"))))

    assert back == response


def test_an_answer_to_something_else_is_an_error():
    answer = parse_response(Service.MAKE_CALL, Message("HoldCallResponse"))

    assert answer.error == "unexpected HoldCallResponse"
