/** Sizes a canvas for the screen's pixels and clears it; drawing is in CSS pixels afterwards. */
export function prepare(canvas: HTMLCanvasElement, width: number, height: number): CanvasRenderingContext2D | null {
  const px = window.devicePixelRatio || 1;
  const w = Math.round(width * px);
  const h = Math.round(height * px);
  if (canvas.width !== w) canvas.width = w;
  if (canvas.height !== h) canvas.height = h;
  canvas.style.width = width + "px";
  canvas.style.height = height + "px";
  const context = canvas.getContext("2d");
  context?.setTransform(px, 0, 0, px, 0, 0);
  context?.clearRect(0, 0, width, height);
  return context;
}
