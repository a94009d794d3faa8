import { store, type Theme } from "./state";

const key = "gpulse-theme";

function setTheme(theme: Theme): void {
  document.documentElement.dataset.theme = theme;
  store.set({ theme });
}

function savedTheme(): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    // Storage may be forbidden; then the system's choice holds.
    return null;
  }
}

/** The viewer's theme, else the system's, which may change while the page is open. */
export function chooseTheme(): void {
  const saved = savedTheme();
  const system = matchMedia("(prefers-color-scheme: light)");
  setTheme(saved === "light" || saved === "dark" ? saved : system.matches ? "light" : "dark");
  system.addEventListener("change", (event) => {
    if (savedTheme() === null) setTheme(event.matches ? "light" : "dark");
  });
}

export function toggleTheme(): void {
  const theme = store.get().theme === "dark" ? "light" : "dark";
  setTheme(theme);
  try {
    localStorage.setItem(key, theme);
  } catch {
    // Without storage the choice lasts as long as the page.
  }
}
