// Light, dark, or as the system says.
import { ref } from "vue";

export type Theme = "system" | "light" | "dark";
const KEY = "vitruvian-theme";
const ORDER: Theme[] = ["system", "light", "dark"];

export const theme = ref<Theme>("system");

export function applyTheme(): void {
  try {
    const stored = localStorage.getItem(KEY) as Theme | null;
    if (stored && ORDER.includes(stored)) theme.value = stored;
  } catch {
    // Storage may be forbidden; the system's choice then stands.
  }
  show();
}

export function nextTheme(): void {
  theme.value = ORDER[(ORDER.indexOf(theme.value) + 1) % ORDER.length] ?? "system";
  try {
    localStorage.setItem(KEY, theme.value);
  } catch {
    // Kept for this visit only.
  }
  show();
}

function show(): void {
  if (theme.value === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme.value;
}
