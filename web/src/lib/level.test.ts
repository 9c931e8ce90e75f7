import { describe, expect, it } from "vitest";
import { levelWords, tiltOf } from "./level";

const G = 9.81;

describe("tilt", () => {
  it("is nothing upright, on either side", () => {
    for (const [x, y] of [[0, G], [G, 0], [-G, 0], [0, -G]] as const) {
      const { roll, pitch } = tiltOf(x, y, 0);
      expect(Math.abs(roll)).toBeLessThan(1e-9);
      expect(Math.abs(pitch)).toBeLessThan(1e-9);
    }
  });

  it("says which way to go", () => {
    const at = (degrees: number): [number, number] => [Math.sin((degrees * Math.PI) / 180) * G, Math.cos((degrees * Math.PI) / 180) * G];
    const [back, up] = at(10);
    expect(tiltOf(0, up, back).pitch).toBeCloseTo(-10);
    // The screen leans back when its top goes away from who looks at it: the camera behind it looks down
    // when gravity is felt out of the screen.
    expect(levelWords(tiltOf(0, up, back))).toContain("looks down");
    expect(levelWords(tiltOf(0, up, -back))).toContain("looks up");
    expect(levelWords(tiltOf(back, up, 0))).toContain("leans");
    expect(levelWords(tiltOf(0.2, G, 0.2))).toContain("straight");
  });
});
