// Heights in metres and centimetres, or in feet and inches: as the region does, or as one chose.
import { ref } from "vue";

export type Unit = "cm" | "ft";
const KEY = "vitruvian-unit";
const CM_PER_INCH = 2.54;
const IN_FEET = new Set(["US", "LR", "MM"]);

/** What people of a language's region measure each other in. */
export function unitOf(language: string): Unit {
  try {
    const region = new Intl.Locale(language).maximize().region;
    return /-/.test(language) && region && IN_FEET.has(region) ? "ft" : "cm";
  } catch {
    return "cm";
  }
}

function remembered(): Unit {
  if (typeof navigator === "undefined") return "cm"; // in tests of words
  try {
    const stored = localStorage.getItem(KEY);
    if (stored === "cm" || stored === "ft") return stored;
  } catch {
    // Storage may be forbidden; the region's then stands.
  }
  return unitOf(navigator.language);
}

export const unit = ref<Unit>(remembered());

export function chooseUnit(chosen: Unit): void {
  unit.value = chosen;
  try {
    localStorage.setItem(KEY, chosen);
  } catch {
    // Kept for this visit only.
  }
}

/** Feet and inches, to the whole inch. */
export function feetOf(cm: number): { feet: number; inches: number } {
  const inches = Math.round(cm / CM_PER_INCH);
  return { feet: Math.floor(inches / 12), inches: inches % 12 };
}

/** To a tenth of a millimetre, so that five feet are 152.4 cm. */
export const cmOf = (feet: number, inches: number): number => Math.round((12 * feet + inches) * CM_PER_INCH * 100) / 100;

/** "76.3", in centimetres or inches. */
export const lengthText = (cm: number): string => (unit.value === "cm" ? cm : cm / CM_PER_INCH).toFixed(1);

/** "1.75 m", or "5 ft 9 in". */
export function heightText(metres: number): string {
  if (unit.value === "cm") return `${metres.toFixed(2)} m`;
  const { feet, inches } = feetOf(metres * 100);
  return `${feet} ft ${inches} in`;
}

/** How far a height may be off: "7 cm", or "3 in". */
export function errorText(metres: number): string {
  if (unit.value === "cm") return `${Math.max(1, Math.round(metres * 100))} cm`;
  return `${Math.max(1, Math.round((metres * 100) / CM_PER_INCH))} in`;
}
