/** Narrow no-break space: the thousands mark, as typography has it and no decimal point anywhere is. */
export const thin = "\u202f";
const minus = "\u2212";
export const dash = "\u2013";

/** 1995 with one decimal → "1 995.0"; a true minus; never "−0". */
export function formatNumber(value: number, decimals: number): string {
  const fixed = Math.abs(value).toFixed(decimals);
  const [whole = "", fraction] = fixed.split(".");
  const sign = value < 0 && Number(fixed) !== 0 ? minus : "";
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, thin);
  return sign + grouped + (fraction ? "." + fraction : "");
}

/** A number with only the decimals that it needs, at most `decimals`. */
export function formatShort(value: number, decimals = 3): string {
  return formatNumber(value, decimalsOf(value, decimals));
}

/** Least number of decimals that shows `value` to within `most` decimals. */
export function decimalsOf(value: number, most: number): number {
  for (let decimals = 0; decimals < most; decimals++) {
    const scaled = value * 10 ** decimals;
    if (Math.abs(scaled - Math.round(scaled)) < 10 ** (decimals - most) / 2) return decimals;
  }
  return most;
}

export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} bytes`;
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(0)} kB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(2)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;
}

export function plural(count: number, one: string, many = one + "s"): string {
  return `${formatNumber(count, 0)} ${count === 1 ? one : many}`;
}

/** Shares of time: "43 %", and never "0 %" or "100 %" for what is only nearly so. */
export function formatShare(share: number): string {
  if (share > 0 && share < 0.005) return "< 1 %";
  if (share < 1 && share >= 0.995) return "> 99 %";
  return `${Math.round(share * 100)} %`;
}
