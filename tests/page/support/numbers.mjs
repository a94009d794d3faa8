/** What a number on the page says: thin spaces and the true minus are for the eye. */
export function numberOf(text) {
  const plain = text.replace(/[\u202f ]/g, "").replace("\u2212", "-");
  return plain === "" || plain === "\u2013" ? null : Number(plain);
}

/** Does `text` say `value`, to the decimals that it shows? */
export function says(text, value) {
  const shown = numberOf(text);
  if (shown === null || value === null) return shown === value;
  const decimals = (text.split(".")[1] ?? "").length;
  // Means and percentiles are rounded where they end in a half, either way.
  return Math.abs(shown - value) <= 0.5000001 * 10 ** -decimals;
}
