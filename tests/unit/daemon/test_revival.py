"""How often a shim brings a daemon back."""

from __future__ import annotations

from fimble.daemon.revival import BACK_OFF_S, QUIET_S, WINDOW_S, Revival


class Clock:
    def __init__(self):
        self.now_s = 1000.0
        self.slept_s = []

    def __call__(self):
        return self.now_s


def crash(revival):
    goes_on = revival.note_crash()
    if goes_on:
        revival.wait(is_planned=False)
    return goes_on


def test_third_crash_within_a_minute_is_the_last():
    clock = Clock()
    revival = Revival(clock, clock.slept_s.append)
    assert [crash(revival), crash(revival), crash(revival)] == [True, True, False]
    assert clock.slept_s == [BACK_OFF_S[0], BACK_OFF_S[1]]


def test_crashes_far_apart_go_on_and_are_told_again_after_a_quiet_time():
    clock = Clock()
    revival = Revival(clock, clock.slept_s.append)
    told = []
    for pause_s in (0, WINDOW_S, WINDOW_S, WINDOW_S, QUIET_S + 1):
        clock.now_s += pause_s + 1
        assert crash(revival)
        told.append(revival.is_first)
    assert told == [True, False, False, False, True]


def test_planned_restart_does_not_wait():
    clock = Clock()
    Revival(clock, clock.slept_s.append).wait(is_planned=True)
    assert clock.slept_s == []
