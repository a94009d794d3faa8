// Reads a chart as the eye does: what colour stands in which column and row of its canvas.

/** The canvas's pixels, one a CSS pixel. */
export async function pixelsOf(canvas) {
  const { width, height, data } = await canvas.evaluate((element) => {
    const { width, height } = element;
    // Read from a copy: a canvas that is read often is told so by the browser, on the page's console.
    const copy = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
    copy.drawImage(element, 0, 0);
    const bytes = copy.getImageData(0, 0, width, height).data;
    let text = "";
    for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
    return { width, height, data: btoa(text) };
  });
  const bytes = Buffer.from(data, "base64");
  return {
    width,
    height,
    /** Rows in which a column of [from, to] has that colour, mixed by half with what is behind it at most. */
    rowsOf([r, g, b], from, to) {
      const rows = new Set();
      for (let x = Math.max(0, from); x <= Math.min(width - 1, to); x++) {
        for (let y = 0; y < height; y++) {
          const i = (y * width + x) * 4;
          const near = Math.abs(bytes[i] - r) + Math.abs(bytes[i + 1] - g) + Math.abs(bytes[i + 2] - b) < 60;
          if (near && bytes[i + 3] >= 100) rows.add(y);
        }
      }
      return [...rows].sort((a, b) => a - b);
    },
  };
}

/** The rows at which values stand, by the labels beside the plot. */
export async function scaleOf(figure) {
  const ticks = await figure.locator(".value_ticks span").evaluateAll((list) =>
    list.map((tick) => [Number(tick.textContent.replace(/\u202f/g, "").replace("\u2212", "-")), parseFloat(tick.style.top)]));
  const [[low, bottom], [high, top]] = [ticks[0], ticks[ticks.length - 1]];
  return (value) => bottom + ((value - low) / (high - low)) * (top - bottom);
}

/** A colour of the page's palette, as bytes. */
export async function colorOf(page, name) {
  const text = await page.evaluate((n) => getComputedStyle(document.documentElement).getPropertyValue(n).trim(), name);
  return [1, 3, 5].map((i) => parseInt(text.slice(i, i + 2), 16));
}
