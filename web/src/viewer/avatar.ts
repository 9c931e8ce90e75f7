// A rigged person: the photograph's pose, other poses, and what is between.
import {
  type AnimationClip,
  AnimationMixer,
  type Bone,
  type Object3D,
  Quaternion,
  type SkinnedMesh,
  Vector3,
} from "three";
import { heading, type PoseName, type RestJoints, tPose } from "./poses";
import { tornShare } from "./tear";

/** Joints that would only clutter a drawing of the skeleton. */
const LEFT_OUT = /^(toe\d|eye|breast|jaw|metacarpal|oculi|tongue|risorius|levator|orbic|temporalis|oris|special|pelvis|shoulder01|(upper|lower)(arm|leg)02)/i;

/** The body model's name of a joint, whatever its bone is called in the file. */
const jointOf = (bone: Object3D): string => String(bone.userData.joint ?? bone.name);

export class Avatar {
  readonly mesh: SkinnedMesh;
  private readonly bones: Bone[];
  private readonly rest: RestJoints;
  /** Of each bone at rest: its rotation relative to its parent, and its axes in the file's. */
  private readonly restTurns: Quaternion[];
  private readonly axes: Quaternion[];
  private readonly photoRotations: Quaternion[];
  private readonly photoRoot: Vector3;
  /** How high in the world the ground of the clips is: people that end on a cut stand on that. */
  private readonly ground: number;
  private readonly clips: Map<string, AnimationClip>;
  private readonly mixer: AnimationMixer;
  private readonly restRoot: Vector3;
  private readonly facing: Quaternion;
  /** From the head's joint up to the crown, metres. */
  private readonly crown: number;
  private readonly tears = new Map<PoseName, number>();

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
    this.rest = new Map(this.bones.map((bone) => [jointOf(bone), bone.getWorldPosition(new Vector3())]));
    this.restTurns = this.bones.map((bone) => bone.quaternion.clone());
    this.axes = this.bones.map((bone) => bone.getWorldQuaternion(new Quaternion()));
    this.restRoot = hips.position.clone();
    this.photoRotations = this.restTurns.map((turn) => turn.clone());
    this.photoRoot = this.restRoot.clone();
    this.clips = new Map(clips.map((clip) => [clip.name, clip]));
    this.mixer = new AnimationMixer(root);
    const photo = this.clips.get("photo");
    for (const track of photo?.tracks ?? []) {
      const dot = track.name.lastIndexOf(".");
      const index = this.bones.findIndex((bone) => bone.name === track.name.slice(0, dot));
      const property = track.name.slice(dot + 1);
      if (property === "quaternion") this.photoRotations[index]?.fromArray(Array.from(track.values));
      if (property === "position" && index === 0) this.photoRoot.fromArray(Array.from(track.values));
    }
    // The clip plays on the spot, and says where in the scene that is.
    const place: unknown = photo?.userData.position;
    const moved = new Vector3().fromArray(Array.isArray(place) ? (place as number[]) : [0, 0, 0]);
    this.photoRoot.add(moved);
    this.ground = moved.y;
    this.mesh.geometry.computeBoundingBox();
    // At rest the arms are below the head.
    const highest = this.mesh.geometry.boundingBox?.max.y ?? 0;
    this.crown = highest - (this.rest.get("head")?.y ?? highest);
    const unturned = this.axes[0]?.clone().invert() ?? new Quaternion();
    this.facing = heading(unturned.premultiply(this.photoRotations[0] ?? new Quaternion()));
    this.pose("t", 0);
  }

  /** Whether the avatar can take a pose: a file may lack clips. */
  can(name: PoseName): boolean {
    return name === "t" || this.clips.has(name);
  }

  /**
   * Blend from the photograph's pose (amount 0) to a named one (amount 1), as it is after some
   * seconds; without a time a clip shows its middle.
   */
  pose(name: PoseName, amount: number, seconds: number | null = null): void {
    this.take(name, seconds);
    const root = this.bones[0];
    if (root) {
      // Clips face ahead in their file; here people face where they do in the photograph.
      const height = this.ground + root.position.y;
      root.quaternion.premultiply(this.facing);
      root.position.sub(this.restRoot).applyQuaternion(this.facing).add(this.photoRoot).setY(height);
    }
    this.bones.forEach((bone, index) => {
      const photo = this.photoRotations[index];
      if (photo) bone.quaternion.slerpQuaternions(photo, bone.quaternion.clone(), amount);
    });
    root?.position.lerpVectors(this.photoRoot, root.position.clone(), amount);
    this.root.updateMatrixWorld(true);
  }

  /** Put all bones into a pose, facing as the file does. */
  private take(name: PoseName, seconds: number | null): void {
    this.bones.forEach((bone, index) => bone.quaternion.copy(this.restTurns[index] ?? bone.quaternion));
    this.bones[0]?.position.copy(this.restRoot);
    this.mixer.stopAllAction();
    const clip = this.clips.get(name);
    if (clip) {
      this.mixer.clipAction(clip).play();
      this.mixer.setTime(seconds ?? clip.duration / 2);
    } else {
      const target = tPose(this.rest);
      this.bones.forEach((bone, index) => {
        const [axes, turn] = [this.axes[index], target.get(jointOf(bone))];
        // The turn in the file's axes, seen from the bone's own.
        if (axes && turn) bone.quaternion.multiply(axes.clone().invert()).multiply(turn).multiply(axes);
      });
    }
  }

  /** Pairs of joints (parent, child) to draw as bones. */
  segments(): [Bone, Bone][] {
    const pairs: [Bone, Bone][] = [];
    for (const bone of this.bones) {
      if (LEFT_OUT.test(jointOf(bone))) continue;
      // The nearest ancestor that is drawn.
      let parent = bone.parent;
      while (parent && (parent as Bone).isBone && LEFT_OUT.test(jointOf(parent))) parent = parent.parent;
      if (parent && (parent as Bone).isBone) pairs.push([parent as Bone, bone]);
    }
    return pairs;
  }

  /** The top of the head, in the world. */
  top(): Vector3 {
    const index = Math.max(0, this.bones.findIndex((bone) => jointOf(bone) === "head"));
    const [head, axes] = [this.bones[index], this.axes[index]];
    const point = head ? head.getWorldPosition(new Vector3()) : new Vector3();
    // Its place when the person is upright; who bows or lies has it beside the joint.
    const up = new Vector3(0, this.crown, 0);
    if (!head || !axes) return point;
    const turned = head.getWorldQuaternion(new Quaternion()).multiply(axes.clone().invert());
    return point.add(up.applyQuaternion(turned));
  }

  /** Vertices as they are posed now, in the world: three numbers each. */
  vertices(): Float32Array {
    const { geometry, skeleton, bindMatrix } = this.mesh;
    skeleton.update();
    const [position, joints, weights] = ["position", "skinIndex", "skinWeight"].map((name) => geometry.getAttribute(name));
    const posed = new Float32Array(3 * (position?.count ?? 0));
    if (!position || !joints || !weights) return posed;
    const matrices = skeleton.boneMatrices ?? [];
    const point = new Vector3();
    for (let i = 0; i < position.count; i++) {
      const { x, y, z } = point.fromBufferAttribute(position, i).applyMatrix4(bindMatrix);
      for (let slot = 0; slot < 4; slot++) {
        const weight = weights.getComponent(i, slot);
        if (!weight) continue;
        const from = 16 * joints.getComponent(i, slot);
        for (let row = 0; row < 3; row++) {
          const moved =
            (matrices[from + row] ?? 0) * x +
            (matrices[from + 4 + row] ?? 0) * y +
            (matrices[from + 8 + row] ?? 0) * z +
            (matrices[from + 12 + row] ?? 0);
          posed[3 * i + row] = (posed[3 * i + row] ?? 0) + weight * moved;
        }
      }
    }
    return posed;
  }

  /** Share of the surface that tears in a pose, 0 to 1. Leaves another pose behind. */
  torn(name: PoseName): number {
    let share = this.tears.get(name);
    if (share === undefined) {
      this.pose(name, 0);
      const photographed = this.vertices();
      const count = photographed.length / 3;
      const index = this.mesh.geometry.index?.array ?? Array.from({ length: count }, (_, i) => i);
      const length = this.clips.get(name)?.duration ?? 0;
      // The extremes of a stride are half a cycle apart, those of a wave between.
      const times = length ? [0, 0.25, 0.5].map((part) => part * length) : [0];
      share = Math.max(
        ...times.map((seconds) => {
          this.pose(name, 1, seconds);
          return tornShare(photographed, this.vertices(), index);
        }),
      );
      this.tears.set(name, share);
    }
    return share;
  }
}
