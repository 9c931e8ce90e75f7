// What the result's screen derives from the API's answer.
import type { Person, Reconstruction } from "../api/types";
import { errorText, heightText } from "./units";
import { checkWords, type Grade, worst } from "./words";
import type { PhotoCamera } from "../viewer/camera";

export type Kind = "own" | "shared" | "sample";

export const personName = (person: Person): string => `Person ${person.id}`;
/** What tells those who are left out apart, on the photograph and in the list: A, B... then AA. */
export const letterOf = (index: number): string =>
  (index < 26 ? "" : letterOf(Math.floor(index / 26) - 1)) + String.fromCharCode(65 + (index % 26));
/** The person's node in `scene.glb`. */
export const nodeName = (person: Person): string => `person-${person.id}`;

export interface Verdict {
  grade: Grade;
  words: string;
}

const EXTENTS: Record<string, string> = {
  "three-quarter": "Three-quarter figure",
  half: "Half figure",
  bust: "Bust",
  head: "Only a face",
  part: "Partly in the picture",
};

/** What the picture shows of somebody; and, when that is everything, how well the model agrees with it. */
export function verdict(person: Person): Verdict {
  if (!person.complete) {
    const { extent = "part", hidden = [] } = person.seen ?? {};
    if (extent === "whole" && hidden.length) return { grade: "warn", words: "Partly hidden" };
    return { grade: "warn", words: EXTENTS[extent] ?? "Partly in the picture" };
  }
  const grade = worst(checkWords(person.checks).map((check) => check.grade));
  return { grade, words: { good: "Agrees with the photo", warn: "Mostly agrees", bad: "Look closely" }[grade] };
}

/** Of these the picture does not tell how tall they are. */
const HEIGHTLESS = new Set(["bust", "head", "part"]);

/** A height and how far it may be off, both in words; null when the picture does not tell. */
export function heightOf(person: Person): { text: string; error: string } | null {
  const sd = person.height_sd_m;
  if (sd !== 0 && HEIGHTLESS.has(person.seen?.extent ?? "whole")) return null;
  return { text: heightText(person.height_m), error: sd ? `± ${errorText(sd)}` : "" };
}

/** "Person 2, 1.75 m". */
export function described(person: Person): string {
  const height = heightOf(person);
  return height ? `${personName(person)}, ${height.text}` : personName(person);
}

/** The pictures that a result was made from: the one it is seen in, then the others of the same person. */
export function photographs(result: Reconstruction): string[] {
  const others = Object.entries(result.files).filter(([key, url]) => /^photo_\d+$/.test(key) && url);
  others.sort(([one], [other]) => Number(one.slice("photo_".length)) - Number(other.slice("photo_".length)));
  return [result.files.photo, ...others.map(([, url]) => url)].filter((url): url is string => Boolean(url));
}

/** Rows of a rigid matrix's inverse. */
export function invertRigid(rows: number[][]): number[] {
  const at = (row: number, column: number): number => rows[row]?.[column] ?? 0;
  const result: number[] = [];
  for (let row = 0; row < 3; row++) {
    // The inverse rotation is the transpose; the translation is turned by it.
    const turned = [0, 1, 2].map((column) => at(column, row));
    const moved = -turned.reduce((sum, value, index) => sum + value * at(index, 3), 0);
    result.push(...turned, moved);
  }
  return [...result, 0, 0, 0, 1];
}

/** The photograph's camera, its principal point in the middle. */
export function photoCamera(result: Reconstruction): PhotoCamera {
  const { width, height } = result.image;
  return {
    focalPx: result.camera.focal_px,
    width,
    height,
    cx: width / 2,
    cy: height / 2,
    cameraFromWorld: invertRigid(result.camera.world_from_camera),
  };
}

export interface Download {
  key: string;
  title: string;
  about: string;
  url: string;
}

const PERSON_FILES: [key: string, title: string, about: string][] = [
  ["mesh_obj_zip", "OBJ", "with material and texture, zipped; opens everywhere"],
  ["mesh_glb", "GLB", "one file with its texture, for the web and engines"],
  ["mesh_ply", "PLY", "coloured points and faces, for research tools"],
  ["mesh_stl", "STL", "shape only, in millimetres, for 3D printing"],
  ["avatar", "Avatar", "rigged GLB with a humanoid skeleton"],
  ["avatar_vrm", "VRM", "the avatar for virtual-character programs, in a T-pose"],
  ["avatar_usdz", "USDZ", "the avatar for iPhones and programs that speak USD"],
  ["avatar_fbx", "FBX", "the avatar for Unity, Unreal and Maya"],
  ["avatar_bvh", "BVH", "the skeleton in the photo's pose, as text"],
  ["body_mesh", "Body", "OBJ of the body under the clothes"],
  ["body", "Body numbers", "shape, pose and joints as JSON"],
  ["alpha", "Cut-out mask", "PNG the size of the photo"],
];

const SCENE_FILES: [key: string, title: string, about: string][] = [
  ["all", "Everything", "all files of all people, zipped"],
  ["scene", "Scene", "everyone in one GLB"],
  ["preview", "Preview", "photo, overlay and all sides as PNG"],
  ["poses", "Poses", "everyone in other poses as PNG"],
  ["keypoints_openpose", "OpenPose", "keypoints that were seen, as OpenPose's JSON"],
  ["keypoints_coco", "COCO", "keypoints and masks that were seen, as COCO's JSON"],
  ["keypoints_blazepose", "BlazePose", "keypoints that were seen, as MediaPipe's JSON"],
  ["keypoints_given", "Your keypoints", "those that were sent, in pixels of the photo, as JSON"],
  ["masks_given", "Your masks", "those that were sent, the size of the photo, as COCO's JSON"],
  ["viewer", "Viewer", "a page that shows the scene without a network"],
  ["report", "Report", "camera, heights and checks as JSON"],
];

/** Add `download=1`, so that the browser saves instead of shows. */
export const saving = (url: string): string => `${url}${url.includes("?") ? "&" : "?"}download=1`;

function present(files: Record<string, string | null | undefined>, table: typeof PERSON_FILES): Download[] {
  return table.flatMap(([key, title, about]) => {
    const url = files[key];
    return url ? [{ key, title, about, url: saving(url) }] : [];
  });
}

// A format that has no words of its own here is offered by its name.
const otherMeshes = (person: Person): typeof PERSON_FILES =>
  Object.keys(person.files)
    .filter((key) => /^mesh_(?!obj$|mtl$)/.test(key) && !PERSON_FILES.some(([known]) => known === key))
    .map((key) => [key, key.slice("mesh_".length).toUpperCase(), "the mesh"]);

export const personDownloads = (person: Person): Download[] =>
  present(person.files, [...PERSON_FILES, ...otherMeshes(person)]);
export const sceneDownloads = (result: Reconstruction): Download[] => present(result.files, SCENE_FILES);
