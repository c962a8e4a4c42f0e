"""What a DTMF receiver takes and what not: sweeps, limits, a classic battery, talk-off; and what a sender sends.

``receivers`` puts any decoder under one protocol; ``stimulus`` makes the digits; ``tally`` counts by alignment;
``campaign`` runs batches in worker processes and keeps them in a file, so that a killed campaign goes on where it was;
``limits``, ``battery``, ``sweeps`` and ``talkoff`` say what to run; ``page`` and ``comparison`` write what was found;
``sender`` measures recordings of keys that were pressed.
"""
