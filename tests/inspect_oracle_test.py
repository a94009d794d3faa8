#!/usr/bin/env python3
"""Holds `gpulse inspect --json` against the oracle: on hand-made nasty logs, and on the real logs in the
folder that GPULSE_REAL_LOGS names.

    inspect_oracle_test.py GPULSE
"""
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "oracle"))
import compare  # noqa: E402
import oracle  # noqa: E402
import zoneinfo  # noqa: E402

GPULSE = "build/gpulse"
SEEDS = range(int(os.environ.get("GPULSE_ORACLE_LOGS", "60")))
REAL_LOGS = os.environ.get("GPULSE_REAL_LOGS", "")
NO_REAL_LOGS = "the real logs: GPULSE_REAL_LOGS names no folder"

HEADER = b"        Date        , GPU Clock [MHz] , GPU Temperature [\xb0C] , PerfCap Reason [] ,\r\n"
OTHER_HEADER = b"        Date        , GPU Temperature [\xb0C] , Fan Speed (RPM) [RPM] ,\r\n"


def row(second, clock=b"1995.0", temperature=b"63.0", reason=b"16", end=b"\r\n", day=b"2023-06-16"):
    minutes, seconds = divmod(second, 60)
    hours, minutes = divmod(minutes, 60)
    return (b"%s %02d:%02d:%02d ,        %s   ,               %s   ,              %s   ,%s"
            % (day, hours, minutes, seconds, clock, temperature, reason, end))


def rows(first, last):
    return b"".join(row(second) for second in range(first, last))


def local_rows(times, day=b"2024-10-27"):
    """Rows at wall clock times like "02:30:00"."""
    seconds = [sum(int(part) * unit for part, unit in zip(time.split(":"), (3600, 60, 1)))
               for time in times]
    return HEADER + b"".join(row(second, day=day) for second in seconds)


class LogTest(unittest.TestCase):
    # Each test also says what the oracle is to find, so that both cannot be wrong in the same way unseen.
    def check(self, content, zone="UTC"):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "log.txt")
            pathlib.Path(path).write_bytes(content)
            check_log(self, path, zone)
            return oracle.inspect(path, zoneinfo.ZoneInfo(zone))


class HandMade(LogTest):
    def test_plain(self):
        result = self.check(HEADER + rows(0, 40))
        self.assertEqual((result["rows"], result["set_aside"]), (40, 0))

    def test_a_single_row(self):
        self.check(HEADER + row(0))

    def test_line_feeds_alone_and_mixed(self):
        content = HEADER + row(0, end=b"\n") + row(1) + row(2, end=b"\n")
        self.assertEqual(self.check(content)["rows"], 3)
        self.assertEqual(self.check(content.replace(b"\r", b""))["rows"], 3)

    def test_byte_order_mark(self):
        self.assertEqual(self.check(b"\xef\xbb\xbf" + HEADER + rows(0, 3))["rows"], 3)

    def test_logs_with_byte_order_marks_behind_one_another(self):
        mark = b"\xef\xbb\xbf"
        result = self.check(mark + HEADER + rows(0, 3) + mark + OTHER_HEADER
                            + b"2023-06-16 00:00:05 , 63.0 , 1200 ,\r\n")
        self.assertEqual((result["rows"], len(result["sessions"])), (4, 2))

    def test_degree_sign_in_every_spelling(self):
        for sign in (b"\xb0C", "°C".encode(), "캜".encode(), "℃".encode(), b"C", "ｰC".encode(),
                     b"\xa1\xc6C", b"\x81\x8b"):
            result = self.check(HEADER.replace(b"\xb0C", sign) + rows(0, 3))
            self.assertEqual(list(result["metrics"]), ["gpu_clock", "gpu_temperature", "perfcap_reason"])

    def test_absent_cells(self):
        content = HEADER + rows(0, 3)
        for cell in (b"-", b"", b"     ", b"n/a", b"1e3", b"inf", b"nan", b"0x10", b"1.2.3", b"--1",
                     b"1 2", b"+", b"\xb0"):
            content += row(5, temperature=cell)
        result = self.check(content)
        self.assertEqual(result["metrics"]["gpu_temperature"]["absent"], 13)
        self.assertEqual(result["metrics"]["gpu_clock"]["absent"], 0)

    def test_a_column_absent_in_every_row(self):
        self.check(HEADER + b"".join(row(second, reason=b"-") for second in range(4)))

    def test_unusual_numbers(self):
        content = HEADER
        for cell in (b"-5", b"+5", b"-0.25", b"007", b"63", b"63.125", b"0.000000001", b"3000000000",
                     b"9007199254740993", b"123456789012345678901234567890", b"0.12345678901234567890",
                     b"-0.0"):
            content += row(0, temperature=cell)
        self.assertEqual(self.check(content)["metrics"]["gpu_temperature"]["absent"], 0)

    def test_decimals_that_grow(self):
        content = HEADER + b"".join(row(second, clock=b"1995" + b".%0*d" % (second, second))
                                    for second in range(1, 9))
        self.check(content + rows(10, 30))

    def test_numbers_of_many_digits(self):
        self.check(HEADER + b"".join(row(second, clock=b"%d.5" % (4_000_000_000 + second * 7))
                                     for second in range(50)))

    def test_one_name_twice(self):
        header = (b"Date , UVD Clock [MHz] , UVD Clock [MHz] , GPU Clock [MHz] , GPU Core Clock [MHz] , "
                  b"UVD Clock [MHz] ,\r\n")
        result = self.check(header + b"2023-06-16 00:00:00 , 1 , 2 , 3 , 4 , 5 ,\r\n")
        self.assertEqual(list(result["metrics"]),
                         ["uvd_clock", "uvd_clock_2", "gpu_clock", "gpu_clock_2", "uvd_clock_3"])

    def test_columns_that_the_catalogue_lacks(self):
        header = (b"Date , Fan #4 Speed (RPM) [RPM] , 8-Pin #9 Power [W] , Host [] , GPU Clock [GHz] , "
                  b"Liquid Flow [l/h] , Something , Offset [mV] , GPU Load [%] , Power (12V) [W] ,\r\n")
        result = self.check(header + b"2023-06-16 00:00:00 , 1 , 2 , 3 , 4 , 5 , 6 , 7 , 8 , 9 ,\r\n")
        self.assertEqual(list(result["metrics"]),
                         ["fan_4_speed_rpm", "sensor_8_pin_9_power", "sensor_host", "gpu_clock_ghz",
                          "liquid_flow", "something", "sensor_offset", "gpu_load", "power_12v"])

    def test_seven_columns(self):
        header = (b"Date , GPU Clock [MHz] , Memory Clock [MHz] , GPU Temperature [C] , GPU Load [%] , "
                  b"Fan Speed [%] , Fan Speed [RPM] , GPU Power [W] ,\n")
        self.check(header + b"2023-06-16 00:00:00 , 1 , 2 , 3 , 4 , 5 , 6 , 7 ,\n")

    def test_garbage_lines(self):
        content = (HEADER + rows(0, 3) + b"garbage\r\n" + b"\x01\x02\xff,,,\r\n" + rows(3, 5) + b",\r\n"
                   + b"2023-06-31 00:00:00 , 1 , 2 , 3 ,\r\n" + b"2023-06-16 24:00:00 , 1 , 2 , 3 ,\r\n"
                   + b"2023-06-16 , 1 , 2 , 3 ,\r\n" + rows(5, 7))
        result = self.check(content)
        self.assertEqual((result["rows"], result["set_aside"]), (7, 6))

    def test_blank_lines_are_nothing(self):
        content = HEADER + b"\r\n" + rows(0, 2) + b"\n\n   \r\n" + rows(2, 4) + b"\r\n"
        self.assertEqual(self.check(content)["set_aside"], 0)

    def test_too_few_and_too_many_cells(self):
        content = (HEADER + rows(0, 3) + b"2023-06-16 00:00:03 , 1 , 2 ,\r\n"
                   + b"2023-06-16 00:00:03 , 1 , 2 , 3 , 4 ,\r\n" + rows(4, 6))
        self.assertEqual(self.check(content)["set_aside"], 2)

    def test_rows_before_any_header(self):
        result = self.check(rows(0, 2) + HEADER + rows(2, 4))
        self.assertEqual((result["rows"], result["set_aside"]), (2, 2))

    def test_no_closing_comma(self):
        line = b"2023-06-16 00:00:03 , 1 , 2 , 3"
        self.assertEqual(self.check(HEADER + rows(0, 3) + line + b"\r\n")["rows"], 4)

    def test_torn_last_line_at_every_byte(self):
        last = row(3)
        needed = last.rindex(b",") + 1
        for cut in range(len(last) + 1):
            result = self.check(HEADER + rows(0, 3) + last[:cut])
            self.assertEqual(result["rows"], 4 if cut >= needed else 3, last[:cut])

    def test_header_again_with_other_columns(self):
        content = (HEADER + rows(0, 3) + OTHER_HEADER
                   + b"2023-06-16 00:00:04 ,  55.0 ,  800 ,\r\n2023-06-16 00:00:05 ,  56.0 ,  801 ,\r\n"
                   + HEADER + rows(6, 8))
        result = self.check(content)
        self.assertEqual(len(result["sessions"]), 3)
        self.assertEqual(result["metrics"]["gpu_temperature"]["rows"], 7)
        self.assertEqual(result["metrics"]["fan1_speed_rpm"]["rows"], 2)

    def test_the_same_header_again(self):
        result = self.check(HEADER + rows(0, 3) + HEADER + HEADER + rows(3, 5) + HEADER)
        self.assertEqual(len(result["sessions"]), 2)

    def test_gaps_and_steps_backwards(self):
        for step, sessions in ((1, 1), (299, 1), (300, 1), (301, 2), (-1, 2), (-5000, 2), (0, 1)):
            content = HEADER + rows(9998, 10_001) + rows(10_000 + step, 10_010 + step)
            self.assertEqual(len(self.check(content)["sessions"]), sessions, step)

    def test_one_second_many_times(self):
        content = HEADER + b"".join(row(7) for _ in range(5)) + row(8) + row(8) + row(7) + row(8)
        result = self.check(content)
        self.assertEqual([s["last"] for s in result["sessions"]],
                         ["2023-06-16T00:00:08.000001Z", "2023-06-16T00:00:08.001000Z"])

    def test_seconds_lived_three_times(self):
        self.check(HEADER + rows(100, 110) + rows(105, 108) + rows(100, 109) + rows(108, 115))

    def test_garbage_between_rows_of_one_second(self):
        self.check(HEADER + row(7) + b"garbage\r\n" + row(7) + HEADER + row(7))


class Nuls(LogTest):
    def test_run_between_header_and_first_row(self):
        for count in (1, 15, 16, 4096, 40_020):
            result = self.check(HEADER + b"\0" * count + rows(0, 3))
            self.assertEqual(result["rows"], 3)
            self.assertEqual(result["sessions"][0]["session"], len(HEADER) + count)

    def test_run_between_header_and_first_row_on_one_line(self):
        result = self.check(HEADER.rstrip() + b"\0" * 100 + rows(0, 3))
        self.assertEqual((result["rows"], result["set_aside"]), (3, 0))

    def test_run_at_the_start(self):
        self.assertEqual(self.check(b"\0" * 77 + HEADER + rows(0, 3))["rows"], 3)

    def test_run_at_the_end(self):
        for end in (b"", b"\r\n", b"\n"):
            self.assertEqual(self.check(HEADER + rows(0, 3) + b"\0" * 500 + end)["rows"], 3)

    def test_lines_of_nuls_alone(self):
        result = self.check(HEADER + b"\0\0\r\n\0\n" + rows(0, 2) + b"\0\0\0\n" + rows(2, 4))
        self.assertEqual((result["rows"], result["set_aside"]), (4, 0))

    def test_torn_row_then_run_then_header(self):
        """What a lost power supply leaves: the page ends in the middle of a row."""
        result = self.check(HEADER + rows(0, 3) + row(3)[:50] + b"\0" * 300 + HEADER + rows(900, 903))
        self.assertEqual((result["rows"], result["set_aside"], len(result["sessions"])), (6, 1, 2))

    def test_torn_row_then_run_then_row(self):
        result = self.check(HEADER + rows(0, 3) + row(3)[:50] + b"\0" * 300 + rows(5, 8))
        self.assertEqual((result["rows"], result["set_aside"]), (6, 1))

    def test_row_cut_off_in_its_last_cell_then_run_then_row(self):
        """Its last reading may have lost digits, so it is none."""
        for row_cut_off in (row(3)[:-6], row(3).rstrip(b" ,\r\n")):
            result = self.check(HEADER + rows(0, 3) + row_cut_off + b"\0" * 300 + rows(5, 8))
            self.assertEqual((result["rows"], result["set_aside"]), (6, 1))

    def test_whole_row_then_run_then_row(self):
        result = self.check(HEADER + rows(0, 3) + row(3, end=b"") + b"\0" * 300 + rows(5, 8))
        self.assertEqual((result["rows"], result["set_aside"]), (7, 0))

    def test_within_a_row(self):
        for at in (1, 12, 21, 25, 40, 60, len(row(3)) - 3, len(row(3)) - 2, len(row(3)) - 1):
            line = row(3)
            result = self.check(HEADER + rows(0, 3) + line[:at] + b"\0" * 9 + line[at:] + rows(5, 8))
            self.assertEqual((result["rows"], result["set_aside"]), (7, 0), at)

    def test_within_a_header(self):
        self.check(HEADER[:30] + b"\0\0\0" + HEADER[30:] + rows(0, 3))

    def test_within_garbage(self):
        self.check(HEADER + rows(0, 2) + b"\0gar\0\0bage\0\r\n" + rows(2, 4))

    def test_around_a_torn_tail(self):
        self.check(HEADER + rows(0, 3) + b"\0\0" + row(3)[:50] + b"\0" * 60)
        self.check(HEADER + rows(0, 3) + row(3, end=b"") + b"\0" * 60)
        self.check(HEADER + rows(0, 3) + row(3)[:50] + b"\0" * 60 + row(4, end=b""))

    def test_a_torn_tail_behind_a_whole_row(self):
        result = self.check(HEADER + rows(0, 3) + row(3, end=b"") + b"\0" * 60 + row(4)[:34])
        self.assertEqual((result["rows"], result["set_aside"]), (4, 1))


class ClockChange(LogTest):
    def test_repeated_hour(self):
        times = ["01:59:50", "01:59:59", "02:00:00", "02:10:00", "02:59:59", "02:00:00", "02:00:01",
                 "02:30:00", "02:59:59", "03:00:00", "03:00:01"]
        result = self.check(local_rows(times), "Europe/Berlin")
        self.assertEqual(result["sessions"][-1]["last"], "2024-10-27T02:00:01.000000Z")

    def test_logging_that_began_in_the_repeated_hour(self):
        self.check(local_rows(["02:40:00", "02:40:01", "02:05:00", "02:05:01", "03:00:00"]), "Europe/Berlin")

    def test_a_small_step_back_in_the_repeated_hour_is_no_change(self):
        result = self.check(local_rows(["02:40:00", "02:39:00", "02:39:01", "02:59:00", "02:29:01"]),
                            "Europe/Berlin")
        self.assertEqual(result["sessions"][-1]["last"], "2024-10-27T00:29:01.002000Z")

    def test_half_an_hour_back_is_the_change(self):
        result = self.check(local_rows(["02:40:00", "02:10:00", "02:10:01"]), "Europe/Berlin")
        self.assertEqual(result["sessions"][-1]["last"], "2024-10-27T01:10:01.000000Z")

    def test_a_step_back_over_the_second_pass_stays_in_it(self):
        self.check(local_rows(["02:50:00", "02:00:00", "02:50:00", "02:00:10", "03:01:00", "02:30:00"]),
                   "Europe/Berlin")

    def test_a_header_in_between(self):
        content = (local_rows(["02:50:00", "02:50:01"]) + local_rows(["02:00:00", "02:00:01"]))
        result = self.check(content, "Europe/Berlin")
        self.assertEqual(result["sessions"][-1]["last"], "2024-10-27T01:00:01.000000Z")

    def test_skipped_hour(self):
        times = ["01:59:59", "02:00:00", "02:30:00", "02:59:59", "03:00:00", "03:10:00", "03:40:00"]
        self.check(local_rows(times, b"2024-03-31"), "Europe/Berlin")

    def test_two_years_of_changes(self):
        content = local_rows(["02:50:00"], b"2023-10-29") + local_rows(["02:05:00", "02:06:00"])
        self.check(content, "Europe/Berlin")

    def test_other_zones(self):
        times = ["01:29:59", "01:30:00", "01:45:00", "01:59:59", "01:30:00", "01:50:00", "02:00:00"]
        self.check(local_rows(times, b"2024-04-07"), "Australia/Lord_Howe")
        self.check(local_rows(["01:00:00", "01:59:59", "01:00:00", "02:00:00"], b"2024-11-03"),
                   "America/New_York")
        self.check(local_rows(["01:10:00", "01:50:00", "01:05:00"], b"2024-10-27"), "Europe/Dublin")
        self.check(local_rows(["00:10:00", "23:50:00"], b"1999-01-01"), "Asia/Kathmandu")


class Damage(LogTest):
    """Logs put together and damaged at random; the seed is in the failure."""

    def test_seeded(self):
        with tempfile.TemporaryDirectory() as folder:
            for seed in SEEDS:
                path = os.path.join(folder, f"{seed}.txt")
                pathlib.Path(path).write_bytes(damaged_log(random.Random(seed)))
                with self.subTest(seed=seed):
                    check_log(self, path, "Europe/Berlin")
                os.remove(path)


def damaged_log(dice):
    content = b"\xef\xbb\xbf" if dice.random() < 0.1 else b""
    header, cells = dice.choice(LAYOUTS)
    second = dice.randrange(86_400)
    day = dice.choice((b"2023-06-16", b"2024-10-27", b"2024-03-31"))
    content += header  # left whole: without one it is no log
    spared = len(content)
    for _ in range(dice.randrange(1, 60)):
        chance = dice.random()
        if chance < 0.03:
            header, cells = dice.choice(LAYOUTS)
            content += header
        elif chance < 0.08:
            second += dice.choice((-4000, -1800, -1, 299, 300, 301, 3600))
        elif chance < 0.1:
            content += dice.choice((b"\r\n", b"\n", b"garbage\r\n", b",,,\n", b"\0" * 20, b" \t\r\n"))
        second = (second + dice.choice((0, 1, 1, 1, 1, 2))) % 86_400
        content += (b"%s %02d:%02d:%02d ," % (day, second // 3600, second // 60 % 60, second % 60)
                    + b"".join(b"   %s   ," % random_cell(dice) for _ in range(cells))
                    + dice.choice((b"\r\n", b"\r\n", b"\r\n", b"\n")))
    return content[:spared] + damage(content[spared:], dice)


LAYOUTS = ((HEADER, 3), (OTHER_HEADER, 2), (HEADER, 3), (OTHER_HEADER.replace(b"\r", b""), 2))


def random_cell(dice):
    chance = dice.random()
    if chance < 0.05:
        return dice.choice((b"-", b"", b"n/a", b"1e5", b"+3", b"-0.5", b"12345678901", b"0.12345678901"))
    return b"%.*f" % (dice.choice((0, 1, 1, 1, 4)), dice.uniform(0, 2000))


def damage(content, dice):
    for _ in range(dice.choice((0, 0, 1, 2, 5))):
        at = dice.randrange(len(content) + 1)
        kind = dice.randrange(5)
        if kind == 0:
            content = content[:at]
        elif kind == 1:
            content = content[:at] + b"\0" * dice.choice((1, 3, 16, 5000)) + content[at:]
        elif kind == 2:
            content = content[:at] + content[at + dice.randrange(1, 80):]
        elif kind == 3:
            content = content[:at] + bytes([dice.randrange(256)]) + content[at + 1:]
        else:
            lost = dice.randrange(1, 200)
            content = content[:at] + b"\0" * lost + content[at + lost:]
    return content


@unittest.skipUnless(os.path.isdir(REAL_LOGS), NO_REAL_LOGS)
class RealLogs(unittest.TestCase):
    def test_every_real_log(self):
        logs = sorted(pathlib.Path(REAL_LOGS).glob("*.txt"))
        self.assertTrue(logs, f"no log in {REAL_LOGS}")
        for path in logs:
            for zone in ("UTC", "Europe/Berlin", "America/Sao_Paulo"):
                with self.subTest(log=path.name, zone=zone):
                    check_log(self, str(path), zone)


def check_log(test, path, zone):
    done = subprocess.run([GPULSE, "inspect", "--json", "--timezone", zone, path],
                          capture_output=True, timeout=120, check=False)
    test.assertEqual(done.returncode, 0, done.stderr.decode(errors="replace"))
    expected = [oracle.inspect(path, zoneinfo.ZoneInfo(zone))]
    difference = compare.first_difference(json.loads(done.stdout), expected)
    test.assertIsNone(difference, f"gpulse is the one, the oracle the other: {difference}")


if __name__ == "__main__":
    if len(sys.argv) > 1 and not sys.argv[1].startswith("-"):
        GPULSE = os.path.abspath(sys.argv.pop(1))
    if not os.path.isdir(REAL_LOGS):
        print(f"SKIPPED: {NO_REAL_LOGS}", file=sys.stderr)
    unittest.main()
