import { expect, test } from "vitest";
import type { Reconstruction } from "../api/types";
import { around, corrected, drawn, factsOf, hintsOf, isDrawn, madeWith, nothingOf, overlap, sameAs, without } from "./corrections";

const left = { id: 1, box: [10.5, 10.25, 50.5, 110.75] };
const right = { id: 2, box: [60.5, 0.5, 140.5, 160.5] };

function made(options: object, left_out: object[] = []): Reconstruction {
  return { people: [left, right], left_out, options } as unknown as Reconstruction;
}

test("boxes overlap by what they share", () => {
  expect(overlap([0, 0, 10, 10], [0, 0, 10, 10])).toBe(1);
  expect(overlap([0, 0, 10, 10], [5, 0, 15, 10])).toBeCloseTo(1 / 3);
  expect(overlap([0, 0, 10, 10], [10, 0, 20, 10])).toBe(0);
  expect(around([left, right], [12, 12, 52, 110])).toBe(left);
  expect(around([left, right], [200, 0, 240, 100])).toBeNull();
});

test("what is said later of somebody takes the place of what was said before", () => {
  let list = corrected([], { ...nothingOf(left.box), height_cm: 165 });
  list = corrected(list, { ...nothingOf(right.box), sex: "man" });
  list = corrected(list, { ...nothingOf([10, 10, 51, 110]), height_cm: 170 });
  expect(list.map((one) => one.height_cm)).toEqual([null, 170]);
  const first = list[0];
  expect(first && corrected(list, without(first, "sex")).length).toBe(1); // nothing is left to say of them
});

test("a box that was drawn stays when nothing more is known", () => {
  const box = drawn([200.4, 10.2, 240.9, 99.6]);
  expect(box).toEqual([200, 10, 241, 100]);
  const list = corrected([], nothingOf(box));
  expect(list.every(isDrawn)).toBe(true);
  expect(hintsOf(list)).toEqual({ boxes: [{ box }] });
  expect(hintsOf([])).toBeNull();
});

test("numbers become places, and the height of the upload is the largest person's", () => {
  const list = madeWith(made({ height_cm: 180, hints: { people: { 1: { sex: "woman" } }, boxes: [] } }));
  expect(around(list, left.box)?.sex).toBe("woman");
  expect(around(list, right.box)?.height_cm).toBe(180);
  const gone = madeWith(made({ hints: { people: { 3: { not_a_person: true } } } }, [{ id: 3, box: [200.5, 0, 220, 40] }]));
  expect(gone).toEqual([{ ...nothingOf([200.5, 0, 220, 40]), not_a_person: true }]);
});

test("the order of corrections does not matter", () => {
  const a = { ...nothingOf(left.box), age: "child" as const };
  const b = { ...nothingOf(right.box), sex: "neutral" as const };
  expect(sameAs([a, b], [b, a])).toBe(true);
  expect(sameAs([a, b], [a])).toBe(false);
  expect(sameAs([a], [{ ...a, age: null }])).toBe(false);
});

test("limbs are told apart, kept and said in words", () => {
  const forearm = { ...nothingOf(left.box), limbs: { "left forearm": "away" as const } };
  const both = { ...forearm, limbs: { "right thigh": "away" as const, "left forearm": "towards" as const } };
  expect(sameAs([forearm], [both])).toBe(false);
  expect(sameAs([forearm], [nothingOf(left.box)])).toBe(false);
  expect(corrected([], forearm)).toEqual([forearm]);
  expect(corrected([forearm], without(forearm, "limbs"))).toEqual([]);
  expect(hintsOf([both])).toEqual({ boxes: [{ box: left.box, limbs: both.limbs }] });
  expect(madeWith(made({ hints: { people: { 1: { limbs: both.limbs } }, boxes: [] } }))).toEqual([both]);
  expect(factsOf(both, String).map((one) => one.words)).toEqual([
    "left forearm towards the camera, right thigh away from it",
  ]);
});
