// Poses for a rigged avatar: how joints turn from rest in the file's axes (y up, facing +z, left hand
// at +x), relative to their parents. Joints have the body model's names.
import { Quaternion, Vector3 } from "three";

export type PoseName = "stand" | "t" | "wave" | "cheer";

export const POSES: { name: PoseName; title: string }[] = [
  { name: "stand", title: "Stand at ease" },
  { name: "t", title: "T-pose" },
  { name: "wave", title: "Wave" },
  { name: "cheer", title: "Cheer" },
];

/** What the pose menu offers: the photograph's, then the others. */
export type PoseChoice = "photo" | PoseName;

/** Rest positions of the joints by name, in metres. */
export type RestJoints = ReadonlyMap<string, Vector3>;
/** Local rotation of each joint that is not at rest. */
export type Pose = Map<string, Quaternion>;

/**
 * Turn a limb's two segments to point along the given directions (model axes), without twist.
 * `names` are the upper joint, the middle joint and the end.
 */
function aimLimb(
  pose: Pose,
  rest: RestJoints,
  names: [string, string, string],
  upperTo: Vector3,
  lowerTo: Vector3,
  twist = 0,
): void {
  const [upper, middle, end] = names.map((name) => rest.get(name));
  if (!upper || !middle || !end) return;
  const upperRest = middle.clone().sub(upper).normalize();
  const lowerRest = end.clone().sub(middle).normalize();
  const upperTurn = new Quaternion().setFromUnitVectors(upperRest, upperTo.clone().normalize());
  const carried = lowerRest.clone().applyQuaternion(upperTurn);
  const bend = new Quaternion().setFromUnitVectors(carried, lowerTo.clone().normalize());
  const turned = new Quaternion().setFromAxisAngle(lowerTo.clone().normalize(), twist);
  // Both are in model axes; seen from the upper joint they are conjugated by its rotation.
  const local = upperTurn.clone().invert().multiply(turned).multiply(bend).multiply(upperTurn);
  pose.set(names[0], upperTurn);
  pose.set(names[1], local);
}

const LEFT: [string, string, string] = ["upperarm01.L", "lowerarm01.L", "wrist.L"];
const RIGHT: [string, string, string] = ["upperarm01.R", "lowerarm01.R", "wrist.R"];
const vector = (x: number, y: number, z: number): Vector3 => new Vector3(x, y, z);

/** The rotations of a pose for a skeleton; `seconds` moves those that move, such as waving. */
export function makePose(name: PoseName, rest: RestJoints, seconds = 0): Pose {
  const pose: Pose = new Map();
  const swing = Math.sin(seconds * 7) * 0.38;
  if (name === "t") {
    aimLimb(pose, rest, LEFT, vector(1, 0, 0), vector(1, 0, 0));
    aimLimb(pose, rest, RIGHT, vector(-1, 0, 0), vector(-1, 0, 0));
  } else if (name === "stand") {
    aimLimb(pose, rest, LEFT, vector(0.2, -1, 0), vector(0.12, -1, 0.12));
    aimLimb(pose, rest, RIGHT, vector(-0.2, -1, 0), vector(-0.12, -1, 0.12));
  } else if (name === "wave") {
    aimLimb(pose, rest, LEFT, vector(0.2, -1, 0), vector(0.12, -1, 0.12));
    const lower = vector(-0.15 - swing, 1, 0.15);
    aimLimb(pose, rest, RIGHT, vector(-1, 0.05, 0.25), lower, -0.6);
  } else {
    const lift = Math.sin(seconds * 5) * 0.12;
    aimLimb(pose, rest, LEFT, vector(0.75, 0.75 + lift, 0.1), vector(0.4, 1, 0.1));
    aimLimb(pose, rest, RIGHT, vector(-0.75, 0.75 + lift, 0.1), vector(-0.4, 1, 0.1));
  }
  return pose;
}

/** Whether a pose has motion of its own. */
export const moves = (name: PoseName): boolean => name === "wave" || name === "cheer";

/** The turn about y alone that faces where `rotation` takes +z. */
export function heading(rotation: Quaternion): Quaternion {
  const forward = new Vector3(0, 0, 1).applyQuaternion(rotation);
  const angle = Math.atan2(forward.x, forward.z);
  return new Quaternion().setFromAxisAngle(new Vector3(0, 1, 0), angle);
}
