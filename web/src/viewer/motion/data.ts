// What the page of a clip is told besides its film and its people.
import { Matrix4, Quaternion } from "three";
import type { PhotoCamera } from "../camera";

export interface MovingPerson {
  /** Of the person's mesh and of what their bones hang from in the scene. */
  name: string;
  label: string;
  height: string;
  /** First and last frame, as indices into `times`, of each time that they are there. */
  present: [number, number][];
}

export interface MotionData {
  /** Seconds of every frame, from 0, ascending. */
  times: number[];
  /** Numbers of the frames in the clip. */
  numbers: number[];
  /** Of the first frame; of all where the camera stands still. */
  camera: PhotoCamera;
  /**
   * Of every frame, the rotation from the first frame's camera axes to its own, as a unit quaternion
   * x, y, z, w; absent where the camera stands still.
   */
  turns?: [number, number, number, number][];
  /** Of every frame, the shift after that rotation, metres; as absent as `turns`. */
  shifts?: [number, number, number][];
  /** Of every frame, the focal length over the first one's; absent where the lens stays. */
  zooms?: number[];
  people: MovingPerson[];
}

/** The frame that is shown at a time: the last that has begun; the first before all. */
export function frameAt(times: readonly number[], seconds: number): number {
  let [low, high] = [0, times.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((times[middle] ?? 0) <= seconds) low = middle;
    else high = middle - 1;
  }
  return low;
}

export function isPresent(person: MovingPerson, frame: number): boolean {
  return person.present.some(([first, last]) => first <= frame && frame <= last);
}

/** The camera that took a frame. */
export function cameraAt(data: MotionData, frame: number): PhotoCamera {
  const turn = data.turns?.[frame];
  if (!turn) return data.camera;
  const first = new Matrix4().fromArray(data.camera.cameraFromWorld).transpose();
  const moved = new Matrix4().makeRotationFromQuaternion(new Quaternion(...turn));
  const own = moved.setPosition(...(data.shifts?.[frame] ?? [0, 0, 0])).multiply(first);
  const focalPx = data.camera.focalPx * (data.zooms?.[frame] ?? 1);
  return { ...data.camera, focalPx, cameraFromWorld: own.transpose().toArray() };
}

/** A moment inside of a frame's time, so that rounding does not lead to its neighbour. */
export function inside(times: readonly number[], frame: number): number {
  const start = times[frame] ?? 0;
  const next = times[frame + 1] ?? start + 0.02;
  return start + 0.3 * (next - start);
}
