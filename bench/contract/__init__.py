"""What every driver of a kind must do, one suite per driver protocol.

Each suite is a class whose fixtures say which driver it is run on: ``relay.RelayContract``, ``sense.SenseContract``,
``audio.AudioContract``, ``keypad.KeypadContract``, ``linesim.LineSimulatorContract``, ``visa.MeterContract`` and so on.
A driver's own tests subclass it::

    class TestMyBoard(RelayContract):
        @pytest.fixture
        def board(self): ...

On the drivers of a station, simulated or real::

    pytest --pyargs offhook.bench.contract --station lab3.toml
"""
