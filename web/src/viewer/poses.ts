// Poses for a rigged avatar: how joints turn from rest in the file's axes (y up, facing +z, left hand
// at +x), relative to their parents. Joints have the body model's names.
import { Quaternion, Vector3 } from "three";

/** A T-pose, or a clip of the avatar's file. */
export type PoseName = "idle" | "walk" | "run" | "wave" | "sit" | "dance" | "t";

export const POSES: { name: PoseName; title: string }[] = [
  { name: "idle", title: "Stand" },
  { name: "walk", title: "Walk" },
  { name: "run", title: "Run" },
  { name: "wave", title: "Wave" },
  { name: "sit", title: "Sit" },
  { name: "dance", title: "Dance" },
  { name: "t", title: "T-pose" },
];

/** What the pose menu offers: the photograph's, then the others. */
export type PoseChoice = "photo" | PoseName;

/** Rest positions of the joints by name, in metres. */
export type RestJoints = ReadonlyMap<string, Vector3>;
/** Local rotation of each joint that is not at rest. */
export type Pose = Map<string, Quaternion>;

/**
 * Turn a limb's two segments to point along a direction (model axes), without twist. `names` are the
 * upper joint, the middle joint and the end.
 */
function aimLimb(pose: Pose, rest: RestJoints, names: [string, string, string], direction: Vector3): void {
  const [upper, middle, end] = names.map((name) => rest.get(name));
  if (!upper || !middle || !end) return;
  const upperRest = middle.clone().sub(upper).normalize();
  const lowerRest = end.clone().sub(middle).normalize();
  const upperTurn = new Quaternion().setFromUnitVectors(upperRest, direction);
  const bend = new Quaternion().setFromUnitVectors(lowerRest.applyQuaternion(upperTurn), direction);
  // In model axes; seen from the upper joint it is conjugated by that joint's rotation.
  const local = upperTurn.clone().invert().multiply(bend).multiply(upperTurn);
  pose.set(names[0], upperTurn);
  pose.set(names[1], local);
}

const LEFT: [string, string, string] = ["upperarm01.L", "lowerarm01.L", "wrist.L"];
const RIGHT: [string, string, string] = ["upperarm01.R", "lowerarm01.R", "wrist.R"];

/** The rotations of a T-pose for a skeleton. */
export function tPose(rest: RestJoints): Pose {
  const pose: Pose = new Map();
  aimLimb(pose, rest, LEFT, new Vector3(1, 0, 0));
  aimLimb(pose, rest, RIGHT, new Vector3(-1, 0, 0));
  return pose;
}

/** Whether a pose has motion of its own. */
export const moves = (name: PoseName): boolean => name !== "t";

/** The turn about y alone that faces where `rotation` takes +z. */
export function heading(rotation: Quaternion): Quaternion {
  const forward = new Vector3(0, 0, 1).applyQuaternion(rotation);
  const angle = Math.atan2(forward.x, forward.z);
  return new Quaternion().setFromAxisAngle(new Vector3(0, 1, 0), angle);
}
