#!/usr/bin/env python3
"""gpulse.exe follows a log that another Windows program holds open, renames, cuts, deletes and makes again,
with every sharing mode that it can ask for; the writer is never refused, and every row arrives once.

    sharing_test.py GPULSE     (build/windows/run/gpulse)
"""
import pathlib
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "follow")]
from program import HEADER, Live, Program, row, run_all  # noqa: E402
from windows_program import WindowsWriter, writer_beside  # noqa: E402

GPULSE = pathlib.Path(sys.argv[1]).resolve()
WRITER = writer_beside(GPULSE)
SHARINGS = ["-", "r", "w", "rw", "d", "rd", "wd", "rwd"]
CADENCE = 0.2  # seconds from one opening of a log to the next; GPU-Z writes a row a second


def follow(folder, *logs, **more):
    return Program(GPULSE, folder, *logs, **more)


def a_log_that_its_writer_keeps_open(folder):
    log = folder / "log.txt"
    with WindowsWriter(WRITER) as writer:
        writer.open(log, "r")
        writer.write(HEADER + row(0))
        with follow(folder, log) as program:
            program.expect("log", [0])
            live = Live(program.url)
            sent = {}
            for mark in range(1, 101):
                writer.write(row(mark))
                sent[mark] = 1000 * time.time()
                live.wait(f"row {mark}", lambda: mark in live.marks())
            program.expect("log", range(101))
            lags = sorted(at - sent[mark] for _, _, _, mark, at in live.rows if mark in sent)
            print(f"       write -> page: median {lags[50]:.0f} ms, p95 {lags[95]:.0f} ms")
        writer.close()


def renamed_and_a_new_file_of_the_name(folder):
    log = folder / "log.txt"
    with WindowsWriter(WRITER) as writer:
        writer.open(log, "rd")
        writer.write(HEADER + row(0))
        with follow(folder, log) as program:
            program.expect("log", [0])
            for mark in range(1, 10, 2):
                writer.close()
                writer.tell(f"rename {log} {folder / f'old-{mark}.txt'}")
                writer.open(log, "rd")
                writer.write(HEADER + row(mark) + row(mark + 1))
                program.expect("log", range(mark + 2))
        writer.close()


def written_on_after_it_was_renamed(folder):
    log = folder / "log.txt"
    with WindowsWriter(WRITER) as writer:
        writer.open(log, "rd")
        writer.write(HEADER + row(0))
        with follow(folder, log) as program, WindowsWriter(WRITER) as other:
            program.expect("log", [0])
            other.tell(f"rename {log} {folder / 'old.txt'}")
            writer.write(row(1))
            program.expect("log", range(2))
            other.open(log, "rd")
            other.write(HEADER + row(2))
            program.expect("log", range(3))
            writer.write(row(3))
            program.expect("log", range(4))
            other.close()
        writer.close()


def cut_in_place_and_written_anew(folder):
    log = folder / "log.txt"
    with WindowsWriter(WRITER) as writer:
        writer.open(log, "r")
        writer.write(HEADER + row(0) + row(1))
        with follow(folder, log) as program:
            program.expect("log", range(2))
            for mark in range(2, 8, 2):
                writer.tell("truncate")
                writer.write(HEADER + row(mark) + row(mark + 1))
                program.expect("log", range(mark + 2))
        writer.close()


def deleted_and_made_again(folder):
    log = folder / "log.txt"
    with WindowsWriter(WRITER) as writer:
        writer.open(log, "rd")
        writer.write(HEADER + row(0))
        with follow(folder, log) as program:
            program.expect("log", [0])
            for mark in range(1, 6):
                writer.close()
                writer.tell(f"delete {log}")
                writer.open(log, "rd")
                writer.write(HEADER + row(mark))
                program.expect("log", range(mark + 1))
        writer.close()


def replaced_by_another(folder):
    log, other = folder / "log.txt", folder / "other.txt"
    log.write_bytes(HEADER + row(0))
    with WindowsWriter(WRITER) as writer, follow(folder, log) as program:
        program.expect("log", [0])
        for mark in range(1, 6):
            other.write_bytes(HEADER + row(mark))
            writer.tell(f"replace {other} {log}")
            program.expect("log", range(mark + 1))


def opened_anew_for_every_row_with_every_sharing_there_is(folder):
    log = folder / "log.txt"
    log.write_bytes(HEADER + row(0))
    with WindowsWriter(WRITER) as writer, follow(folder, log) as program:
        program.expect("log", [0])
        for mark in range(1, 41):
            writer.open(log, SHARINGS[mark % len(SHARINGS)])
            writer.write(row(mark))
            writer.close()
            time.sleep(CADENCE)
        program.expect("log", range(41))


def a_log_that_nobody_may_read_until_its_writer_closes_it(folder):
    log = folder / "log.txt"
    with WindowsWriter(WRITER) as writer:
        writer.open(log, "-")
        writer.write(HEADER + row(0))
        with follow(folder, log) as program:
            program.says("open in another program")
            writer.close()
            program.expect("log", [0])


def paths_with_blanks_umlauts_cjk_and_300_characters(folder):
    deep = folder / "a folder" / "Größe" / "温度" / ("x" * 120) / ("y" * 120)
    deep.mkdir(parents=True)
    log = deep / "GPU-Z Sensor Log ä 温.txt"
    assert len(str(log)) > 300
    log.write_bytes(HEADER + row(0))
    with follow(folder, log, data="Daten 温 ö") as program:
        gpu = program.api("devices")[0]["gpu"]
        program.expect(gpu, [0])
        with log.open("ab") as file:
            file.write(row(1))
        program.expect(gpu, range(2))


if __name__ == "__main__":
    sys.exit(run_all("sharing", [a_log_that_its_writer_keeps_open, renamed_and_a_new_file_of_the_name,
                                 written_on_after_it_was_renamed, cut_in_place_and_written_anew,
                                 deleted_and_made_again, replaced_by_another,
                                 opened_anew_for_every_row_with_every_sharing_there_is,
                                 a_log_that_nobody_may_read_until_its_writer_closes_it,
                                 paths_with_blanks_umlauts_cjk_and_300_characters]))
