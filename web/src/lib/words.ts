// Numbers and checks in words.

export interface Checks {
  silhouette_iou: number | null;
  keypoint_error: number | null;
  image_similarity?: number | null;
}

export type Grade = "good" | "warn" | "bad";

export interface CheckWords {
  title: string;
  grade: Grade;
  words: string;
  value: string;
}

const percent = (value: number): string => `${Math.round(value * 100)} %`;

/** The checks of a person as sentences; those that were not measured are left out. */
export function checkWords(checks: Checks): CheckWords[] {
  const words: CheckWords[] = [];
  const { silhouette_iou: outline, keypoint_error: joints, image_similarity: colors } = checks;
  if (outline !== null) {
    const grade = outline >= 0.88 ? "good" : outline >= 0.7 ? "warn" : "bad";
    words.push({
      title: "Outline",
      grade,
      words: {
        good: "The model covers the person in the photo closely.",
        warn: "The model and the person's outline differ in places.",
        bad: "The model covers the person poorly; shape or pose may be wrong.",
      }[grade],
      value: `${percent(outline)} overlap`,
    });
  }
  if (joints !== null) {
    const grade = joints <= 0.02 ? "good" : joints <= 0.05 ? "warn" : "bad";
    words.push({
      title: "Pose",
      grade,
      words: {
        good: "The joints fall where the photo shows them.",
        warn: "Some joints are a little off.",
        bad: "The joints miss those in the photo; the pose may be wrong.",
      }[grade],
      value: `${(joints * 100).toFixed(1)} % of the height off`,
    });
  }
  if (colors !== null && colors !== undefined) {
    const grade = colors >= 0.8 ? "good" : colors >= 0.6 ? "warn" : "bad";
    words.push({
      title: "Colours",
      grade,
      words: {
        good: "Seen from the camera, the model looks like the photo.",
        warn: "The model's colours differ from the photo in places.",
        bad: "The model's colours differ from the photo.",
      }[grade],
      value: `${percent(Math.max(0, colors))} alike`,
    });
  }
  return words;
}

/** The worst of some grades; good when there is none. */
export function worst(grades: Grade[]): Grade {
  return grades.includes("bad") ? "bad" : grades.includes("warn") ? "warn" : "good";
}

export function bytesWords(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1e6) return `${Math.round(bytes / 1e3)} kB`;
  if (bytes < 1e9) return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
  return `${(bytes / 1e9).toFixed(1)} GB`;
}

export function secondsWords(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 90) return whole === 1 ? "1 second" : `${whole} seconds`;
  return `${Math.round(whole / 60)} minutes`;
}

export const peopleWords = (count: number): string => (count === 1 ? "1 person" : `${count} people`);

export function dateWords(iso: string): string {
  return new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" }).format(new Date(iso));
}

export function dayWords(iso: string): string {
  return new Intl.DateTimeFormat(undefined, { dateStyle: "medium" }).format(new Date(iso));
}

/** "waist_girth" -> "Waist girth". */
export function label(name: string): string {
  const words = name.replaceAll(/[_-]+/g, " ").replace(/ cm$/, "").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}
