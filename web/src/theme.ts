// Light or dark: the system's choice until somebody chooses.
const STORED = "fks-theme";

export function showTheme(): void {
  const chosen = localStorage.getItem(STORED);
  if (chosen) document.documentElement.dataset["theme"] = chosen;
}

export function turnTheme(): void {
  const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  const present = document.documentElement.dataset["theme"] ?? system;
  localStorage.setItem(STORED, present === "dark" ? "light" : "dark");
  showTheme();
}
