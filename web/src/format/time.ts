const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const two = (n: number) => String(n).padStart(2, "0");

export const second = 1000;
export const minute = 60 * second;
export const hour = 60 * minute;
export const day = 24 * hour;

/**
 * Wall clock of one IANA time zone. "Local" is milliseconds since 1970 as that zone's clocks count
 * them, so that UTC getters read it. Offsets are kept per quarter of an hour, the least step in
 * which any zone changes: Intl is some hundred times too slow to be asked per tick and row.
 */
export class Zone {
  private readonly offsets = new Map<number, number>();
  private readonly format: Intl.DateTimeFormat;

  constructor(readonly name: string) {
    this.format = formatOf(name);
  }

  offset(time: number): number {
    const quarter = Math.floor(time / (15 * minute));
    let offset = this.offsets.get(quarter);
    if (offset === undefined) {
      offset = this.measure(quarter * 15 * minute);
      this.offsets.set(quarter, offset);
    }
    return offset;
  }

  local(time: number): number {
    return time + this.offset(time);
  }

  /** The instant at which the zone's clocks show `local`; of a repeated hour one of the two. */
  instant(local: number): number {
    const guess = local - this.offset(local);
    return local - this.offset(guess);
  }

  private measure(time: number): number {
    const part: Record<string, number> = {};
    for (const { type, value } of this.format.formatToParts(time)) part[type] = Number(value);
    const local = Date.UTC(
      part.year ?? 1970, (part.month ?? 1) - 1, part.day ?? 1, part.hour ?? 0, part.minute ?? 0, part.second ?? 0);
    return local - Math.floor(time / second) * second;
  }

  private at(time: number): Date {
    return new Date(this.local(time));
  }

  /** 11:23:07 */
  clock(time: number): string {
    return `${this.hourMinute(time)}:${two(this.at(time).getUTCSeconds())}`;
  }

  /** 11:23 */
  hourMinute(time: number): string {
    const d = this.at(time);
    return `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}`;
  }

  /** 16 Jun */
  dayMonth(time: number): string {
    const d = this.at(time);
    return `${d.getUTCDate()} ${months[d.getUTCMonth()]}`;
  }

  /** 16 Jun 2023 */
  date(time: number): string {
    return `${this.dayMonth(time)} ${this.at(time).getUTCFullYear()}`;
  }

  /** Jun 2023 */
  monthYear(time: number): string {
    const d = this.at(time);
    return `${months[d.getUTCMonth()]} ${d.getUTCFullYear()}`;
  }

  sameDay(a: number, b: number): boolean {
    return Math.floor(this.local(a) / day) === Math.floor(this.local(b) / day);
  }

  /** The clock, with its date where that is another than `near`'s. */
  clockNear(time: number, near: number): string {
    return this.sameDay(time, near) ? this.clock(time) : `${this.dayMonth(time)} ${this.clock(time)}`;
  }
}

function formatOf(name: string): Intl.DateTimeFormat {
  const options: Intl.DateTimeFormatOptions = {
    timeZone: name, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric",
    hour: "numeric", minute: "numeric", second: "numeric",
  };
  try {
    return new Intl.DateTimeFormat("en-US", options);
  } catch {
    // A zone that this browser does not know: UTC is wrong by hours at most, a broken page is worse.
    return new Intl.DateTimeFormat("en-US", { ...options, timeZone: "UTC" });
  }
}

/** 2 s · 2 min 04 s · 1 h 20 min · 3 d 4 h */
export function formatDuration(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) {
    const rest = s % 60;
    return `${Math.floor(s / 60)} min` + (rest ? ` ${two(rest)} s` : "");
  }
  const minutes = Math.floor(s / 60);
  if (s < 86400) {
    const rest = minutes % 60;
    return `${Math.floor(minutes / 60)} h` + (rest ? ` ${rest} min` : "");
  }
  const hours = Math.floor(minutes / 60);
  return `${Math.floor(hours / 24)} d` + (hours % 24 ? ` ${hours % 24} h` : "");
}

/** Age of the last sample: tenths below ten seconds, so that a live log is seen to live. */
export function formatAge(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  return seconds < 9.95 ? `${seconds.toFixed(1)} s` : formatDuration(seconds);
}
