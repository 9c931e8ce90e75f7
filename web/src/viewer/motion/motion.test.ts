import { describe, expect, it } from "vitest";
import { frameAt, inside, isPresent } from "./data";

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
});
