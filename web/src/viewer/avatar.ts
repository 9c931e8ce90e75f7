// A rigged person: the photograph's pose, other poses, and what is between.
import {
  type AnimationClip,
  type Bone,
  type Object3D,
  Quaternion,
  type SkinnedMesh,
  Vector3,
} from "three";
import { heading, makePose, type PoseName, type RestJoints } from "./poses";

/** Joints that would only clutter a drawing of the skeleton. */
const LEFT_OUT = /Toe(Proximal|Intermediate|Distal)|Eye|Breast|Jaw|Metacarpal|oculi|tongue|risorius|levator|orbic|temporalis|oris|special/i;

export class Avatar {
  readonly mesh: SkinnedMesh;
  private readonly bones: Bone[];
  private readonly rest: RestJoints;
  private readonly photoRotations: Quaternion[];
  private readonly photoRoot: Vector3;
  private readonly restRoot: Vector3;
  private readonly facing: Quaternion;

  /**
   * @param root what a loader made of `avatar.glb`, in its rest pose.
   * @param clips its animations, among them `photo`.
   */
  constructor(
    readonly root: Object3D,
    clips: AnimationClip[],
  ) {
    let mesh: SkinnedMesh | null = null;
    root.traverse((node) => {
      if ((node as SkinnedMesh).isSkinnedMesh) mesh = node as SkinnedMesh;
    });
    if (!mesh) throw new Error("The avatar holds no skinned mesh.");
    this.mesh = mesh as SkinnedMesh;
    this.mesh.frustumCulled = false; // its bounds are those of the rest pose
    this.bones = this.mesh.skeleton.bones;
    const hips = this.bones[0];
    if (!hips) throw new Error("The avatar's skeleton is empty.");
    root.updateMatrixWorld(true);
    this.rest = new Map(this.bones.map((bone) => [bone.name, bone.getWorldPosition(new Vector3())]));
    this.restRoot = hips.position.clone();
    this.photoRotations = this.bones.map(() => new Quaternion());
    this.photoRoot = this.restRoot.clone();
    const photo = clips.find((clip) => clip.name === "photo");
    for (const track of photo?.tracks ?? []) {
      const dot = track.name.lastIndexOf(".");
      const index = this.bones.findIndex((bone) => bone.name === track.name.slice(0, dot));
      const property = track.name.slice(dot + 1);
      if (property === "quaternion") this.photoRotations[index]?.fromArray(Array.from(track.values));
      if (property === "position" && index === 0) this.photoRoot.fromArray(Array.from(track.values));
    }
    // The clip plays on the spot, and says where in the scene that is.
    const place: unknown = photo?.userData.position;
    if (Array.isArray(place)) this.photoRoot.add(new Vector3().fromArray(place as number[]));
    this.facing = heading(this.photoRotations[0] ?? new Quaternion());
    this.pose("stand", 0);
  }

  /** Blend from the photograph's pose (amount 0) to a named one (amount 1). */
  pose(name: PoseName, amount: number, seconds = 0): void {
    const target = makePose(name, this.rest, seconds);
    const identity = new Quaternion();
    this.bones.forEach((bone, index) => {
      const goal = index === 0 ? this.facing : (target.get(bone.name) ?? identity);
      bone.quaternion.slerpQuaternions(this.photoRotations[index] ?? identity, goal, amount);
    });
    const standing = new Vector3(this.photoRoot.x, this.restRoot.y, this.photoRoot.z);
    this.bones[0]?.position.lerpVectors(this.photoRoot, standing, amount);
    this.root.updateMatrixWorld(true);
  }

  /** Pairs of joints (parent, child) to draw as bones. */
  segments(): [Bone, Bone][] {
    const pairs: [Bone, Bone][] = [];
    for (const bone of this.bones) {
      if (LEFT_OUT.test(bone.name)) continue;
      // The nearest ancestor that is drawn.
      let parent = bone.parent;
      while (parent && (parent as Bone).isBone && LEFT_OUT.test(parent.name)) parent = parent.parent;
      if (parent && (parent as Bone).isBone) pairs.push([parent as Bone, bone]);
    }
    return pairs;
  }

  /** A point above the head, in the world. */
  top(): Vector3 {
    const head = this.bones.find((bone) => bone.name === "Head") ?? this.bones[0];
    const point = head ? head.getWorldPosition(new Vector3()) : new Vector3();
    point.y += 0.3;
    return point;
  }
}
