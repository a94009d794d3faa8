/** Above the page, since a picture that is passed on must say of which card and when. */
const titleHeight = 32;

/**
 * The page as it stands, on one canvas: the charts' own canvases, and every box and line of text
 * where the browser laid it out. A strict CSP rules out the usual way (an SVG with foreign objects).
 */
export function drawPage(page: HTMLElement, title: string): HTMLCanvasElement {
  const scale = Math.max(2, window.devicePixelRatio || 1);
  const box = page.getBoundingClientRect();
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(box.width * scale);
  canvas.height = Math.round((box.height + titleHeight) * scale);
  const ctx = canvas.getContext("2d");
  if (!ctx) return canvas;
  ctx.scale(scale, scale);
  const whole = getComputedStyle(document.documentElement);
  ctx.fillStyle = whole.backgroundColor;
  ctx.fillRect(0, 0, box.width, box.height + titleHeight);
  ctx.fillStyle = whole.color;
  ctx.font = `600 13px ${whole.fontFamily}`;
  ctx.textBaseline = "middle";
  ctx.fillText(title, 16, titleHeight / 2);
  ctx.translate(-box.left, titleHeight - box.top);
  const walker = document.createTreeWalker(page, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (node instanceof Text) drawText(ctx, node);
    else if (node instanceof HTMLCanvasElement) drawCanvas(ctx, node);
    else if (node instanceof HTMLElement) drawBox(ctx, node);
    else if (node instanceof SVGSVGElement) drawMark(ctx, node);
  }
  return canvas;
}

function isSeen(element: Element): boolean {
  return !element.closest(".unseen") && getComputedStyle(element).visibility !== "hidden";
}

function drawCanvas(ctx: CanvasRenderingContext2D, source: HTMLCanvasElement): void {
  const box = source.getBoundingClientRect();
  if (source.width && box.width) ctx.drawImage(source, box.left, box.top, box.width, box.height);
}

function drawBox(ctx: CanvasRenderingContext2D, element: HTMLElement): void {
  const box = element.getBoundingClientRect();
  if (!box.width || !isSeen(element)) return;
  const style = getComputedStyle(element);
  ctx.globalAlpha = Number(style.opacity);
  fillBox(ctx, style.backgroundColor, box.left, box.top, box.width, box.height, Math.min(parseFloat(style.borderRadius) || 0, box.width / 2));
  // A dashed key is a background image, which has no colour to be read.
  if (element.classList.contains("dashed")) {
    const color = style.getPropertyValue("--color");
    for (const left of [0, 6]) fillBox(ctx, color, box.left + left, box.top, 4, 2, 0);
  }
  const sides: [string, number, number, number, number][] = [
    ["top", box.left, box.top, box.width, 0], ["bottom", box.left, box.bottom, box.width, 0],
    ["left", box.left, box.top, 0, box.height], ["right", box.right, box.top, 0, box.height],
  ];
  // The hairline between tracks is a pseudo-element, which a walk over the elements does not meet.
  if (element.classList.contains("track")) fillBox(ctx, getComputedStyle(element, "::before").backgroundColor, box.left, box.top, box.width, 1, 0);
  for (const [side, left, top, width, height] of sides) {
    const thick = parseFloat(style.getPropertyValue(`border-${side}-width`));
    if (!thick || style.getPropertyValue(`border-${side}-style`) === "none") continue;
    const x = side === "right" ? left - thick : left;
    const y = side === "bottom" ? top - thick : top;
    fillBox(ctx, style.getPropertyValue(`border-${side}-color`), x, y, width || thick, height || thick, 0);
  }
  ctx.globalAlpha = 1;
}

function fillBox(
  ctx: CanvasRenderingContext2D, color: string, left: number, top: number, width: number, height: number, radius: number,
): void {
  if (color === "transparent" || /, 0\)$/.test(color)) return;
  ctx.fillStyle = color;
  ctx.beginPath();
  ctx.roundRect(left, top, width, height, radius);
  ctx.fill();
}

function drawText(ctx: CanvasRenderingContext2D, text: Text): void {
  const parent = text.parentElement;
  const words = text.data.replace(/[ \n\t]+/g, " ");
  if (words === " " || !parent || !isSeen(parent)) return;
  const style = getComputedStyle(parent);
  const range = document.createRange();
  range.selectNodeContents(text);
  const boxes = [...range.getClientRects()];
  const box = boxes[0];
  if (!box?.width) return;
  ctx.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
  ctx.fillStyle = style.color;
  ctx.textBaseline = "middle";
  const right = boxes.reduce((most, b) => Math.max(most, b.right), 0);
  // The canvas knows no tabular figures: a line is fitted to the width that it has on the page.
  if (boxes.length === 1) ctx.fillText(words, box.left, box.top + box.height / 2 + 0.5, box.width + 1);
  else drawWrapped(ctx, words, box.left, right - box.left, boxes);
}

function drawWrapped(ctx: CanvasRenderingContext2D, words: string, left: number, width: number, boxes: DOMRect[]): void {
  const parts = words.trim().split(" ");
  for (const box of boxes) {
    let line = "";
    while (parts.length && ctx.measureText(line + parts[0]).width <= width + 2) line += parts.shift() + " ";
    if (!line) line = parts.shift() ?? "";
    ctx.fillText(line.trim(), box.left || left, box.top + box.height / 2 + 0.5);
  }
}

// Marks (triangle, diamond, bar) are filled paths; line icons belong to the bar, which is not saved.
function drawMark(ctx: CanvasRenderingContext2D, svg: SVGSVGElement): void {
  const path = svg.classList.contains("mark") ? svg.querySelector("path") : null;
  const box = svg.getBoundingClientRect();
  if (!path || !box.width || svg.getAttribute("fill") === "none") return;
  ctx.save();
  ctx.translate(box.left, box.top);
  ctx.scale(box.width / svg.viewBox.baseVal.width, box.height / svg.viewBox.baseVal.height);
  ctx.fillStyle = getComputedStyle(svg).color;
  ctx.fill(new Path2D(path.getAttribute("d") ?? ""));
  ctx.restore();
}
