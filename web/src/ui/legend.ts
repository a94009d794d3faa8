import { textWidth } from "../chart/text";

/** As style/narrow.css has them. */
const keyWidth = 14;
const itemGap = 12;
const titleGap = 16;
const foldWidth = 18;

/** Lines that pieces of these widths take, one after the other. */
export function wrappedLines(widths: readonly number[], gap: number, room: number): number {
  let lines = 0;
  let left = 0;
  for (const width of widths) {
    if (lines === 0 || left + gap + width > room) {
      lines++;
      left = width;
    } else {
      left += gap + width;
    }
  }
  return lines;
}

/**
 * Lines of its own that a legend needs below its title; 0 when it stands beside it. `numbers` are as
 * long as a reading gets, so that the lines do not change with the readings.
 */
export function legendLines(title: string, items: readonly { label: string; number: string }[], room: number): number {
  const widths = items.map(({ label, number }) => keyWidth + textWidth(label + " ", 11, 400) + textWidth(number, 11, 600));
  const lines = wrappedLines(widths, itemGap, room);
  const beside = textWidth(title, 12, 600) + foldWidth + titleGap;
  return items.length > 2 || lines > 1 || wrappedLines(widths, itemGap, room - beside) > 1 ? lines : 0;
}
