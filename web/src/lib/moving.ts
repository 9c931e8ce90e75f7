// Videos: what may be sent, the fields of the request, and the words for the result.
import type { MovingPerson, Video } from "../api/types";
import type { Grade } from "./words";

export interface Part {
  from: number | null;
  to: number | null;
  heightCm: number | null;
}

/** Why a file cannot be sent, or null. The server decides in the end. */
export function videoRefusal(file: File, maxBytes: number): string | null {
  const known = file.type.startsWith("video/") || ["image/gif", "image/webp", "image/png"].includes(file.type);
  if (!known && !/\.(mp4|m4v|mov|webm|mkv|avi|gif)$/i.test(file.name)) return `${file.name} is not a video.`;
  if (file.size === 0) return `${file.name} is empty.`;
  if (file.size > maxBytes) return `${file.name} is larger than ${Math.floor(maxBytes / 1e6)} MB; cut it or make it smaller.`;
  return null;
}

/** Why a part cannot be used, or null. */
export function partRefusal(part: Part, maxSeconds: number): string | null {
  const from = part.from ?? 0;
  if (from < 0) return "The video begins at second 0.";
  if (part.to === null) return null;
  if (part.to <= from) return "The part ends before it begins.";
  return part.to - from > maxSeconds ? `A part may have ${maxSeconds} seconds at most.` : null;
}

/** The fields of the request; what is not known is left out. */
export function fieldsOf(name: string, part: Part): Record<string, string> {
  const fields: Record<string, string> = { name };
  if (part.from) fields["start_s"] = String(part.from);
  if (part.to !== null) fields["end_s"] = String(part.to);
  if (part.heightCm !== null) fields["height_cm"] = String(part.heightCm);
  return fields;
}

export interface FileWords {
  key: string;
  title: string;
  about: string;
  url: string;
}

const OF_ALL: [string, string, string][] = [
  ["viewer", "Page", "clip and people, opens without a network"],
  ["people", "Everyone (GLB)", "moving avatars in one world"],
  ["preview", "Preview (WebM)", "clip, overlay and 3D side by side"],
  ["preview_mp4", "Preview (MP4)", "the same for other players"],
  ["motion", "Motion (NPZ)", "all arrays, for NumPy"],
  ["motion_json", "Motion (JSON)", "the joints that move"],
  ["check", "Check", "agreement with the clip, frame by frame"],
  ["report", "Report (JSON)", "clip, camera, people, warnings"],
  ["all", "Everything (ZIP)", "all files"],
];
const OF_PERSON: [string, string, string][] = [
  ["avatar", "Avatar (GLB)", "rigged and moving"],
  ["avatar_usdz", "Avatar (USDZ)", "rigged and moving"],
  ["avatar_fbx", "Avatar (FBX)", "rigged and moving"],
  ["motion_bvh", "Motion (BVH)", "a skeleton in the world"],
  ["joints", "Joints (CSV)", "positions in metres, a row per frame"],
  ["angles", "Angles (CSV)", "of the joints in degrees, a row per frame"],
  ["body", "Body (JSON)", "shape, pose, joints"],
];

const listed = (table: [string, string, string][], files: Record<string, string>): FileWords[] =>
  table.flatMap(([key, title, about]) => {
    const url = files[key];
    return url ? [{ key, title, about, url: `${url}?download=1` }] : [];
  });

export const videoDownloads = (video: Video): FileWords[] => listed(OF_ALL, video.files);
export const moverDownloads = (person: MovingPerson): FileWords[] => listed(OF_PERSON, person.files);

/** How well the avatar covers the person over all frames, in words; null where it was not measured. */
export function agreement(person: MovingPerson): { grade: Grade; words: string } | null {
  const share = person.checks["silhouette_iou"];
  if (share === null || share === undefined) return null;
  const grade = share >= 0.88 ? "good" : share >= 0.7 ? "warn" : "bad";
  return { grade, words: `${Math.round(share * 100)} % overlap with the clip` };
}
