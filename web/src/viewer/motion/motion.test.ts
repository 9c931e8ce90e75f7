import { describe, expect, it } from "vitest";
import { Matrix4, Vector3 } from "three";
import { cameraAt, frameAt, inside, isPresent, type MotionData } from "./data";

const times = [0, 0.1, 0.25, 0.3];

describe("frames of a clip", () => {
  it("is the last that has begun", () => {
    expect([-1, 0, 0.099, 0.1, 0.29, 5].map((seconds) => frameAt(times, seconds))).toEqual([0, 0, 0, 1, 2, 3]);
  });

  it("is left by no rounding from its middle", () => {
    for (const frame of times.keys()) expect(frameAt(times, inside(times, frame) + 1e-3)).toBe(frame);
  });

  it("shows who is there", () => {
    const person = { name: "person-1", label: "", height: "", present: [[0, 1], [3, 3]] as [number, number][] };
    expect(times.map((_, frame) => isPresent(person, frame))).toEqual([true, true, false, true]);
  });

  it("is taken by the camera as it is turned then", () => {
    const half = Math.PI / 12; // of a turn by 30 degrees about the camera's y axis, which is down
    const data: MotionData = {
      times: [0, 0.1],
      numbers: [0, 1],
      // Three metres before the origin, upright: x right, y down, z towards -z of the world.
      camera: {
        focalPx: 500, width: 640, height: 480, cx: 320, cy: 240,
        cameraFromWorld: [1, 0, 0, 0, 0, -1, 0, 1, 0, 0, -1, 3, 0, 0, 0, 1],
      }, // prettier-ignore
      turns: [[0, 0, 0, 1], [0, Math.sin(half), 0, Math.cos(half)]],
      people: [],
    };
    const seen = (frame: number): Vector3 =>
      new Vector3(0, 1, 0).applyMatrix4(new Matrix4().fromArray(cameraAt(data, frame).cameraFromWorld).transpose());
    expect(seen(0).distanceTo(new Vector3(0, 0, 3))).toBeLessThan(1e-9);
    expect(seen(1).distanceTo(new Vector3(1.5, 0, 3 * Math.cos(Math.PI / 6)))).toBeLessThan(1e-9);
    data.shifts = [[0, 0, 0], [0.25, 0, -1]]; // prettier-ignore
    expect(seen(1).distanceTo(new Vector3(1.75, 0, 3 * Math.cos(Math.PI / 6) - 1))).toBeLessThan(1e-9);
    expect(cameraAt(data, 1).focalPx).toBe(500);
    data.zooms = [1, 1.6];
    expect(cameraAt(data, 1).focalPx).toBe(800);
    delete data.turns;
    expect(cameraAt(data, 1)).toBe(data.camera);
  });
});
