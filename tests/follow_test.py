#!/usr/bin/env python3
"""Follows logs that are written, renamed, cut, deleted and worse, with the real program; after each the
program has every row exactly once.

    follow_test.py GPULSE [SCENARIO...]
"""
import datetime
import fcntl
import mmap
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "follow"))
from program import (HEADER, OTHER_HEADER, Live, Program, Writer, now, row, rows, run_all,  # noqa: E402
                     wait_until)

GPULSE = pathlib.Path(sys.argv[1]).resolve()
SCENARIOS = []


def scenario(function):
    SCENARIOS.append(function)
    return function


def follow(folder, *logs, **more):
    return Program(GPULSE, folder, *logs, **more)


def ago(seconds):
    return now() - datetime.timedelta(seconds=seconds)


def write_in_pieces(program, writer, data, cuts):
    """Writes data, cut at these places, each piece after the one before has been read."""
    for begin, end in zip([0, *cuts], [*cuts, len(data)]):
        before = program.bytes_read()
        writer.write(data[begin:end])
        wait_until("the piece is read", lambda: program.bytes_read() >= before + end - begin)


@scenario
def a_line_written_in_two_pieces_cut_anywhere(folder):
    log = folder / "log.txt"
    log.write_bytes(HEADER + row(0))
    with follow(folder, log) as program:
        program.expect("log", [0])
        writer = Writer(log)
        length = len(row(0))
        for cut in range(1, length):
            write_in_pieces(program, writer, row(cut), [cut])
        program.expect("log", range(length))
        assert len(program.sources("log")) == 1


@scenario
def a_log_written_byte_by_byte_from_its_first_byte(folder):
    log = folder / "log.txt"
    with follow(folder, log) as program:
        writer = Writer(log)
        data = HEADER + row(1) + row(2)
        for at in range(0, len(data)):
            writer.write(data[at:at + 1])
        program.expect("log", [1, 2])


@scenario
def a_half_written_row_is_not_shown(folder):
    log = folder / "log.txt"
    log.write_bytes(HEADER + row(0))
    with follow(folder, log) as program:
        program.expect("log", [0])
        writer = Writer(log)
        text = row(12345)
        write_in_pieces(program, writer, text, [len(text) - 2, len(text) - 1])  # before CR, before LF
        program.expect("log", [0, 12345])
        torn = row(99999)
        write_in_pieces(program, writer, torn[:-8], [])
        assert program.marks("log") == [0, 12345]
        writer.write(torn[-8:])
        program.expect("log", [0, 12345, 99999])


@scenario
def rename_and_a_new_file_of_the_name(folder):
    log = folder / "log.txt"
    log.write_bytes(HEADER + rows(0, 20, ago(60)))
    with follow(folder, log) as program:
        program.expect("log", range(20))
        old = Writer(log)
        log.rename(folder / "log.1.txt")
        old.write(row(20))                                   # nothing has its name yet
        program.expect("log", range(21))
        log.write_bytes(HEADER + rows(100, 103))
        program.expect("log", [*range(21), 100, 101, 102])
        old.write(row(21) + row(22)[:30])                    # the writer has not noticed
        new = Writer(log)
        new.write(row(103))
        program.expect("log", [*range(22), *range(100, 104)])
        old.write(row(22)[30:])
        new.write(row(104))
        program.expect("log", [*range(23), *range(100, 105)])
        assert len(program.sources("log")) == 2


@scenario
def renamed_and_written_on_while_the_program_was_away(folder):
    log = folder / "log.txt"
    log.write_bytes(HEADER + rows(0, 20, ago(60)))
    (folder / "another log.txt").write_bytes(HEADER + rows(500, 520, ago(60)))
    with follow(folder, log) as program:
        program.expect("log", range(20))
        program.kill()
    old = Writer(log).write(rows(20, 25, ago(20)))
    log.rename(folder / "log.1.txt")
    with follow(folder, log) as program:                     # no new one yet
        program.expect("log", range(25))
        old.write(row(25))
        program.expect("log", range(26))
        program.kill()
    old.write(row(26))
    log.write_bytes(HEADER + rows(100, 103))
    with follow(folder, log) as program:
        program.expect("log", [*range(27), 100, 101, 102])
        Writer(log).write(row(103))
        program.expect("log", [*range(27), *range(100, 104)])


@scenario
def many_renames_while_it_is_written(folder):
    log = folder / "log.txt"
    writer = Writer(log).write(HEADER)
    with follow(folder, log) as program:
        mark = 0
        for turn in range(12):
            for _ in range(15):
                writer.write(row(mark))
                mark += 1
            if turn % 3 == 1:
                program.expect("log", range(mark))
            if turn % 3 != 2:
                # As a writer does that keeps its logs apart: the new one begins with a row of its own.
                wait_until("the log has been opened", lambda: program.sources("log"))
                wait_until("it is read", lambda: len(program.marks("log")) == mark)
                log.rename(folder / f"log.{turn}.txt")
                writer = Writer(log).write(HEADER)
        program.expect("log", range(mark))


@scenario
def replaced_by_longer_copies_of_itself(folder):
    """As by a tool that copies the log over and renames the copy into its place."""
    log, copy = folder / "log.txt", folder / ".copy"
    log.write_bytes(HEADER + rows(0, 5, ago(30)))
    with follow(folder, log) as program:
        program.expect("log", range(5))
        for mark in range(5, 12):
            shutil.copy(log, copy)
            Writer(copy).write(row(mark))
            copy.rename(log)
            program.expect("log", range(mark + 1))
        assert len(program.sources("log")) == 1
        writer = Writer(log).write(row(12))
        program.expect("log", range(13))
    with follow(folder, log) as program:
        writer.write(row(13))
        program.expect("log", range(14))


@scenario
def truncated_in_place_and_rewritten_shorter_from_the_same_first_row(folder):
    log, start = folder / "log.txt", ago(60)
    log.write_bytes(HEADER + rows(0, 30, start))
    with follow(folder, log) as program:
        program.expect("log", range(30))
        writer = Writer(log).truncate().rewind().write(HEADER + rows(0, 3, start))
        program.expect("log", [*range(30), *range(3)])
        writer.write(row(40))
        program.expect("log", [*range(30), *range(3), 40])
        ids = sorted(program.sources("log"))
        assert len(ids) == 2 and ids[1] == ids[0] + "~2", ids
    with follow(folder, log) as program:  # and a restart goes on in the second
        writer.write(row(41))
        program.expect("log", [*range(30), *range(3), 40, 41])
        writer.truncate().rewind().write(HEADER + row(0, start) + row(50))
        program.expect("log", [*range(30), *range(3), 40, 41, 0, 50])
        assert sorted(program.sources("log")) == [ids[0], ids[0] + "~2", ids[0] + "~3"]


@scenario
def truncated_in_place_and_rewritten_longer_from_the_same_first_row(folder):
    log, start = folder / "log.txt", ago(60)
    log.write_bytes(HEADER + rows(0, 5, start))
    with follow(folder, log) as program:
        program.expect("log", range(5))
        again = HEADER + row(0, start) + rows(100, 120, ago(20))
        program.process.send_signal(signal.SIGSTOP)  # it sees nothing in between
        Writer(log).truncate().rewind().write(again)
        program.process.send_signal(signal.SIGCONT)
        program.expect("log", [*range(5), 0, *range(100, 120)])
        ids = sorted(program.sources("log"))
        assert len(ids) == 2 and ids[1] == ids[0] + "~2", ids


@scenario
def truncated_in_place_and_rewritten_with_another_first_row(folder):
    log = folder / "log.txt"
    log.write_bytes(HEADER + rows(0, 30, ago(60)))
    with follow(folder, log) as program:
        program.expect("log", range(30))
        writer = Writer(log).truncate().rewind().write(OTHER_HEADER)
        writer.write(now().strftime("%Y-%m-%d %H:%M:%S ,  500 , 7 ,\r\n").encode())
        program.expect("log", [*range(30), 500])
        assert not any("~" in source for source in program.sources("log"))


@scenario
def rewritten_while_the_program_was_away(folder):
    log, start = folder / "log.txt", ago(60)
    log.write_bytes(HEADER + rows(0, 9, start))
    with follow(folder, log) as program:
        program.expect("log", range(9))
        program.kill()
    log.write_bytes(HEADER + row(0, start) + rows(100, 130, ago(30)))
    with follow(folder, log) as program:
        program.expect("log", [*range(9), 0, *range(100, 130)])
        assert {source[16:] for source in program.sources("log")} == {"", "~2"}


@scenario
def truncated_while_the_writer_goes_on_at_its_old_place(folder):
    log = folder / "log.txt"
    writer = Writer(log).write(HEADER + rows(0, 30, ago(60)))
    with follow(folder, log) as program:
        program.expect("log", range(30))
        os.truncate(log, 0)
        writer.write(row(30))
        program.expect("log", range(31))
        text = row(31)
        writer.write(text[:20])
        os.truncate(log, 0)                       # within a row: its first half is gone for good
        writer.write(text[20:] + row(32))
        wait_until("the row behind is read", lambda: 32 in program.marks("log"))
        writer.write(row(33))
        wait_until("and the next", lambda: 33 in program.marks("log"))
        known = program.marks("log")
        assert [mark for mark in known if mark != 31] == [*range(31), 32, 33], known
        assert len(program.sources("log")) == 1
    os.truncate(log, 0)
    writer.write(row(34))
    with follow(folder, log) as program:          # found so at a start
        program.expect("log", [*known, 34])
        writer.write(row(35))
        program.expect("log", [*known, 34, 35])
        assert len(program.sources("log")) == 1


@scenario
def truncated_at_its_old_place_then_a_new_heading_while_away(folder):
    log = folder / "log.txt"
    writer = Writer(log).write(HEADER + rows(0, 5, ago(60)))
    with follow(folder, log) as program:
        program.expect("log", range(5))
        program.kill()
    os.truncate(log, 0)
    writer.write(rows(5, 8, ago(50)) + HEADER + rows(8, 11, ago(20)))
    with follow(folder, log) as program:
        program.expect("log", range(11))
        assert len(program.sources("log")) == 1


@scenario
def truncated_while_the_writer_appends(folder):
    """Its rows begin a file that has no heading: they are of the columns that were there before."""
    log = folder / "log.txt"
    writer = Writer(log, append=True).write(HEADER + rows(0, 30, ago(60)))
    with follow(folder, log) as program:
        program.expect("log", range(30))
        os.truncate(log, 0)
        writer.write(row(30))
        program.expect("log", range(31))
        writer.write(row(31))
        program.expect("log", range(32))
        program.kill()
    writer.write(row(32))
    with follow(folder, log) as program:
        writer.write(row(33))
        program.expect("log", range(34))
        assert {source[16:] for source in program.sources("log")} == {"", "~2"}


@scenario
def deleted_and_created_again(folder):
    log = folder / "log.txt"
    log.write_bytes(HEADER + rows(0, 10, ago(60)))
    with follow(folder, log) as program:
        program.expect("log", range(10))
        old = Writer(log)
        log.unlink()
        old.write(row(10))                       # its writer holds it open still
        program.expect("log", range(11))
        old.close()
        Writer(log).write(HEADER + row(100)).close()
        program.expect("log", [*range(11), 100])
        log.unlink()
        Writer(log).write(HEADER + row(200)).close()
        program.expect("log", [*range(11), 100, 200])


@scenario
def a_log_and_its_folder_that_do_not_exist_yet(folder):
    log = folder / "later" / "still later" / "log.txt"
    with follow(folder, log) as program:
        program.says("waiting for it")
        log.parent.mkdir(parents=True)
        writer = Writer(log)
        writer.write(HEADER)
        writer.write(row(1))
        program.expect("log", [1])
        writer.write(row(2))
        program.expect("log", [1, 2])
        shutil.rmtree(folder / "later")
        log.parent.mkdir(parents=True)
        Writer(log).write(HEADER + row(3))
        program.expect("log", [1, 2, 3])


@scenario
def garbage_that_turns_into_a_log(folder):
    log = folder / "log.txt"
    with follow(folder, log) as program:
        program.says("waiting for it")
        writer = Writer(log).write(b"\x07\x00 this is\nno log\n" * 50)
        program.says("is no GPU-Z log")
        writer.truncate().rewind().write(HEADER + row(1))
        program.expect("log", [1])
        writer.write(b"garbage\r\n" + row(2))
        program.expect("log", [1, 2])
        assert [each["set_aside"] for each in program.sources("log").values()] == [1]
        log.unlink()
        log.mkdir()                              # a folder in its place, for a while
        program.says("a folder")
        log.rmdir()
        Writer(log).write(HEADER + row(3))
        program.expect("log", [1, 2, 3])


def without_notices(limit):
    return ["unshare", "--user", "--map-root-user", "sh", "-c",
            f'echo 0 > /proc/sys/user/{limit} && exec "$@"', "sh"]


def can_be_without_notices():
    return subprocess.run([*without_notices("max_inotify_watches"), "true"], capture_output=True,
                          check=False).returncode == 0


def follow_by_polling(folder, limit):
    log = folder / "log.txt"
    log.write_bytes(HEADER + rows(0, 10, ago(60)))
    with follow(folder, log, before=without_notices(limit)) as program:
        program.expect("log", range(10))
        live = Live(program.url)
        writer = Writer(log)
        for mark in range(10, 20):
            writer.write(row(mark))
            live.wait(f"row {mark}", lambda mark=mark: mark in live.marks())
        log.rename(folder / "log.1.txt")
        writer.write(row(20))
        live.wait("row 20", lambda: 20 in live.marks())
        Writer(log).write(HEADER + row(100))
        program.expect("log", [*range(21), 100])
        os.truncate(log, 0)
        Writer(log).write(HEADER + row(200))
        program.expect("log", [*range(21), 100, 200])
        log.unlink()
        Writer(log).write(HEADER + row(300))
        program.expect("log", [*range(21), 100, 200, 300])
        live.wait("all of them", lambda: len(live.marks()) >= 14)
        assert live.marks() == [*range(10, 21), 100, 200, 300], live.marks()


if can_be_without_notices():
    @scenario
    def no_change_notices_as_on_a_network_share(folder):
        follow_by_polling(folder, "max_inotify_watches")

    @scenario
    def no_change_notices_at_all(folder):
        follow_by_polling(folder, "max_inotify_instances")
else:
    print("follow: this system lets no user namespace be made; following without notices is not run")


@scenario
def written_through_a_memory_map(folder):
    """No notice is given of such writes; the file's place was reserved, so NULs turn into rows."""
    log = folder / "log.txt"
    log.write_bytes(HEADER + row(0))
    with follow(folder, log) as program:
        program.expect("log", [0])
        for mark in range(1, 6):
            text, size = row(mark), log.stat().st_size
            with open(folder / "next", "wb") as staged:
                staged.write(log.read_bytes() + bytes(len(text)))
            with open(folder / "next", "r+b") as staged, mmap.mmap(staged.fileno(), 0) as view:
                view[size:size + len(text)] = text
            os.replace(folder / "next", log)
            program.expect("log", range(mark + 1))


@scenario
def several_logs_at_once(folder):
    names = ["GPU-Z Sensor Log.txt", "second card.txt", "Grafikkarte für Übung.txt", "other/second card.txt"]
    (folder / "other").mkdir()
    gpus = ["gpu0", "second card", "Grafikkarte für Übung", "second card-2"]
    with follow(folder, *names) as program:
        writers = [Writer(folder / name).write(HEADER) for name in names]
        for mark in range(0, 40, 4):
            for at, writer in enumerate(writers):
                writer.write(row(1000 * at + mark))
        for at, gpu in enumerate(gpus):
            program.expect(gpu, range(1000 * at, 1000 * at + 40, 4))
        assert sorted(each["gpu"] for each in program.api("devices")) == sorted(gpus)
        # One goes wrong for a while; the others do not mind.
        (folder / names[0]).unlink()
        (folder / names[0]).mkdir()
        writers[1].write(row(1999))
        program.expect(gpus[1], [*range(1000, 1040, 4), 1999])
        (folder / names[0]).rmdir()
        Writer(folder / names[0]).write(HEADER + row(7))
        program.expect(gpus[0], [*range(0, 40, 4), 7])


@scenario
def a_log_named_by_a_link(folder):
    (folder / "a").mkdir()
    (folder / "b").mkdir()
    first, second, link = folder / "a" / "x.txt", folder / "b" / "y.txt", folder / "link.txt"
    first.write_bytes(HEADER + row(1))
    link.symlink_to(first)
    with follow(folder, "./link.txt") as program:
        program.expect("link", [1])
        Writer(first).write(row(2))
        program.expect("link", [1, 2])
        first.rename(folder / "a" / "x.1.txt")           # the link points to nothing
        Writer(first).write(HEADER + row(3))             # and to something again
        program.expect("link", [1, 2, 3])
        second.write_bytes(HEADER + row(4))
        (folder / "new").symlink_to(second)
        (folder / "new").rename(link)                    # to another file
        program.expect("link", [1, 2, 3, 4])
        Writer(second).write(row(5))
        program.expect("link", [1, 2, 3, 4, 5])


@scenario
def the_log_is_only_read_and_never_locked(folder):
    log = folder / "log.txt"
    log.write_bytes(HEADER + row(1))
    with follow(folder, log) as program:
        program.expect("log", [1])
        before = log.stat()
        proc = pathlib.Path(f"/proc/{program.process.pid}")
        held = [fd for fd in (proc / "fd").iterdir() if os.readlink(fd) == str(log)]
        assert held, "the log is not open"
        for fd in held:
            info = (proc / "fdinfo" / fd.name).read_text()
            flags = int(re.search(r"flags:\s+([0-7]+)", info).group(1), 8)
            assert flags & os.O_ACCMODE == os.O_RDONLY, info
            assert "lock:" not in info, info
        with open(log, "r+b") as writer:  # the writer may lock it, in either way
            fcntl.flock(writer, fcntl.LOCK_EX | fcntl.LOCK_NB)
            fcntl.lockf(writer, fcntl.LOCK_EX | fcntl.LOCK_NB)
            writer.seek(0, os.SEEK_END)
            writer.write(row(2))
            writer.flush()
            program.expect("log", [1, 2])
        after = log.stat()
        assert (before.st_mode, before.st_ino) == (after.st_mode, after.st_ino)
        assert log.read_bytes().startswith(HEADER) and log.read_bytes().count(b"\r\n") == 3
        assert {each.name for each in folder.iterdir()} == {"log.txt", "data", program.output.name}
    log.chmod(0o444)
    with follow(folder, log) as program:
        program.expect("log", [1, 2])


@scenario
def killed_at_moments_and_started_again(folder):
    log = folder / "log.txt"
    writer = Writer(log).write(HEADER)
    mark = 0
    for turn in range(5):
        with follow(folder, log) as program:
            for _ in range(20):
                writer.write(row(mark))
                mark += 1
            if turn % 2:
                wait_until("some are read", lambda: program.marks("log"))
            writer.write(row(mark)[:17 * turn])
            program.kill()
        writer.write(row(mark)[17 * turn:])
        mark += 1
    with follow(folder, log) as program:
        program.expect("log", range(mark))
        assert len(program.sources("log")) == 1


@scenario
def a_log_that_was_read_in_a_wrong_zone_says_so(folder):
    log = folder / "log.txt"
    log.write_bytes(HEADER + rows(0, 3, ago(-7200)))
    with follow(folder, log) as program:
        program.says("ahead of this machine's clock")
        assert program.device("log")["ahead"] is not None
    log.write_bytes(HEADER + rows(0, 3, ago(60)))
    with follow(folder, log) as program:
        wait_until("the rows are there", lambda: program.device("log")["rows"] == 6)
        assert program.device("log")["ahead"] is None


@scenario
def live_stale_and_ended(folder):
    log, old = folder / "log.txt", folder / "old.txt"
    old.write_bytes(HEADER + rows(0, 10, ago(3600)))
    with follow(folder, log, old) as program:
        program.expect("old", range(10))
        assert program.device("old")["state"] == "ended"
        assert program.health() == (200, "ended")
        live = Live(program.url)
        writer = Writer(log).write(HEADER + rows(100, 110, ago(10)))
        live.wait("the device is told", lambda: ("log", "live") in live.states)
        assert program.device("log")["state"] == "live"
        assert program.health() == (200, "live")
        live.wait("it goes stale", lambda: ("log", "stale") in live.states, 30)
        assert program.device("log")["state"] == "stale"
        assert program.health() == (503, "stale")
        writer.write(row(110))
        live.wait("and live again", lambda: live.states.count(("log", "live")) >= 2
                  and live.states[-1] == ("log", "live"))
        assert program.health() == (200, "live")
        Writer(old).write(row(10))  # any new row makes it live
        live.wait("the old one too", lambda: ("old", "live") in live.states)
        assert program.device("old")["state"] == "live"
        live.wait("with its row", lambda: live.marks("old") == [10])


if __name__ == "__main__":
    named = sys.argv[2:]
    sys.exit(run_all("follow", [each for each in SCENARIOS if not named or each.__name__ in named]))
