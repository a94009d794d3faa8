#!/usr/bin/env python3
"""Plays old logs as if they were written now, with the real program.

    replay_test.py GPULSE [SCENARIO...]
"""
import datetime
import pathlib
import re
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "follow"))
from program import HEADER, Live, Program, Writer, now, row, rows, run_all, wait_until  # noqa: E402

GPULSE = pathlib.Path(sys.argv[1]).resolve()
OLD = datetime.datetime(2023, 6, 16, 8, 17, 8, tzinfo=datetime.timezone.utc)
REPLAY_ID = r"[0-9a-f]{16}@\d{8}T\d{6}\.\d{3}Z"
SCENARIOS = []


def scenario(function):
    SCENARIOS.append(function)
    return function


def play(folder, *logs, speed, options=(), **more):
    return Program(GPULSE, folder, *logs, options=["--replay", str(speed), *options], **more)


def old_log(folder, count, step=1):
    log = folder / "log.txt"
    log.write_bytes(HEADER + rows(0, count, OLD, step))
    return log


def milliseconds(when):
    return when.timestamp() * 1000


def assert_never_ahead(live):
    """The instant of no row is later than when it arrived."""
    for _, _, at, mark, arrived in live.rows:
        assert at <= arrived, f"row {mark} is of {at}, and came at {arrived}"


@scenario
def at_its_own_speed(folder):
    log = old_log(folder, 5)
    with play(folder, log, speed=1) as program:
        live = Live(program.url)
        live.wait("its last row", lambda: 4 in live.marks())
        assert_never_ahead(live)
        program.expect("log", range(5))
        # At 1x every row comes at its instant, and the steps are those of the log.
        for _, _, at, mark, arrived in live.rows:
            assert arrived - at < 1000, f"row {mark} came {arrived - at:.0f} ms after its instant"
        times = [at for at, _ in program.series("log")]
        assert [b - a for a, b in zip(times, times[1:])] == [1000] * 4, times
        assert [*program.sources("log")][0].split("@")[1], program.sources("log")
        assert program.device("log")["state"] == "live"
        assert program.health() == (200, "live")


@scenario
def ten_times_as_fast(folder):
    log = old_log(folder, 31)
    with play(folder, log, speed="10x") as program:
        live = Live(program.url)
        began = time.monotonic()
        live.wait("its last row", lambda: 30 in live.marks())
        took = time.monotonic() - began
        assert took < 10, f"30 s at 10x took {took:.1f} s"
        assert_never_ahead(live)
        _, _, last, _, arrived = live.rows[-1]
        assert arrived - last < 1000, f"the last row is of {arrived - last:.0f} ms before its playing"
        program.expect("log", range(31))
        times = [at for at, _ in program.series("log")]
        assert times[-1] - times[0] == 30_000, times


@scenario
def all_at_once(folder):
    log = old_log(folder, 3000)
    began = milliseconds(now())
    with play(folder, log, speed="max") as program:
        program.expect("log", range(3000))
        series = program.series("log")
        assert began <= series[-1][0] <= time.time() * 1000
        assert series[-1][0] - series[0][0] == 2_999_000
        assert [mark for _, mark in series] == list(range(3000))
        source, = program.sources("log")
        assert re.fullmatch(REPLAY_ID, source), source


@scenario
def with_history_before_it(folder):
    log = old_log(folder, 3610)
    with play(folder, log, speed=10, options=["--history", "1h"]) as program:
        live = Live(program.url)
        live.wait("the last row", lambda: 3609 in live.marks())
        assert_never_ahead(live)
        program.expect("log", range(3610))
        series = program.series("log")
        assert series[-1][0] - series[0][0] == 3_609_000
        assert live.rows[-1][4] - series[-1][0] < 1000
        session, = program.api("sessions", host="rig", gpu="log")
        assert session["rows"] == 3610


@scenario
def over_and_over(folder):
    log = old_log(folder, 8)
    with play(folder, log, speed=10, options=["--loop"]) as program:
        live = Live(program.url)
        live.wait("the third pass", lambda: len({each[1] for each in live.rows}) >= 3)
        assert_never_ahead(live)
        first, second = sorted(program.sources("log"), key=lambda source: (len(source), source))[:2]
        assert re.fullmatch(REPLAY_ID, first), first
        assert second == first + "#2", second
        for source in (first, second):
            assert program.sources("log")[source]["rows"] == 8


@scenario
def twice_and_then_followed_in_one_data_folder(folder):
    log = old_log(folder, 50)
    for turn in (1, 2):
        with play(folder, log, speed="max") as program:
            program.expect("log", [*range(50)] * turn)
    with Program(GPULSE, folder, log) as program:
        program.expect("log", [*range(50)] * 3)
        Writer(log).write(row(50, OLD + datetime.timedelta(seconds=50)))
        program.expect("log", [*range(50)] * 3 + [50])
        sources = sorted(program.sources("log"), key=len)
        assert re.fullmatch("[0-9a-f]{16}", sources[0]), sources
        for source in sources[1:]:
            assert re.fullmatch(REPLAY_ID, source) and source.startswith(sources[0]), sources
        assert len(sources) == 3 and len(set(sources)) == 3, sources
        followed = [at for at, mark in program.series("log") if at < milliseconds(now()) - 86_400_000]
        assert followed == [milliseconds(OLD) + 1000 * n for n in range(51)]


@scenario
def a_cut_log_is_not_taken_for_its_replay(folder):
    log = old_log(folder, 5)
    writer = Writer(log)
    with Program(GPULSE, folder, log) as program:
        program.expect("log", range(5))
    with play(folder, log, speed="max") as program:
        program.expect("log", [*range(5)] * 2)
    writer.truncate().write(row(5, OLD + datetime.timedelta(seconds=5)))  # at its old place
    with Program(GPULSE, folder, log) as program:
        program.expect("log", [*range(5)] * 2 + [5])
        assert sorted(each["rows"] for each in program.sources("log").values()) == [5, 6]


@scenario
def keeping_its_time_and_identity(folder):
    log = old_log(folder, 400)
    torn = row(400, OLD + datetime.timedelta(seconds=400))
    Writer(log).write(torn[:30])
    with play(folder, log, speed=100, options=["--keep-time"]) as program:
        wait_until("some are played", lambda: len(program.marks("log")) > 20)
        program.kill()
    with play(folder, log, speed=200, options=["--keep-time"]) as program:  # goes on where it was
        wait_until("some more are played", lambda: len(program.marks("log")) > 120)
    with play(folder, log, speed="max", options=["--keep-time"]) as program:  # to its end
        program.expect("log", range(400))
    with Program(GPULSE, folder, log) as program:  # and following goes on behind it
        program.expect("log", range(400))
        Writer(log).write(torn[30:])
        program.expect("log", range(401))
        assert [at for at, _ in program.series("log")] == [milliseconds(OLD) + 1000 * n for n in range(401)]
        source, = program.sources("log")
        assert re.fullmatch("[0-9a-f]{16}", source), source
        session, = program.api("sessions", host="rig", gpu="log")
        assert session["rows"] == 401
    with play(folder, log, speed="max", options=["--keep-time"]) as program:  # nothing is left to play
        program.expect("log", range(401))


@scenario
def steps_back_and_gaps_keep_their_place(folder):
    log = folder / "log.txt"
    later = OLD + datetime.timedelta(seconds=10)
    log.write_bytes(HEADER + rows(0, 5, later) + rows(5, 10, OLD) + HEADER + rows(10, 12, later)
                    + b"garbage\r\n" + row(12, later + datetime.timedelta(seconds=2)) + row(13)[:-2])
    with play(folder, log, speed="max") as program:
        program.expect("log", range(14))  # the last has no end, but all its cells
        assert len(program.api("sessions", host="rig", gpu="log")) == 4
        source, = program.sources("log").values()
        assert source["set_aside"] == 1, source
        assert max(at for at, _ in program.series("log")) <= time.time() * 1000


if __name__ == "__main__":
    named = sys.argv[2:]
    sys.exit(run_all("replay", [each for each in SCENARIOS if not named or each.__name__ in named]))
