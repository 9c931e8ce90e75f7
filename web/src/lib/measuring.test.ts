import { describe, expect, it } from "vitest";
import { fromFragment, kgOf, NO_PAIR, openText, pairOf, poundsOf, type Told, toFragment, viewsOf, wholePairs } from "./measuring";

const told: Told = { heightCm: 172.5, weightKg: null, sex: "woman", age: 34, clothes: "tight", keep: true };

describe("hand-off", () => {
  it("carries over what was told", () => {
    expect(fromFragment(`#${toFragment("vtr_a-b_c", told)}`)).toEqual({ token: "vtr_a-b_c", told });
    expect(fromFragment("")).toBeNull();
    expect(fromFragment("#t=x&height_cm=abc&sex=horse&clothes=none")?.told).toEqual({ heightCm: null, weightKg: null, sex: null, age: null, clothes: null, keep: false });
  });
});

describe("refusals", () => {
  it("tell which picture to take again", () => {
    expect(viewsOf("The feet are cut off in the front view: step back.")).toEqual(["front"]);
    expect(viewsOf("The side view looks like a front view: turn a quarter.")).toEqual(["side"]);
    expect(viewsOf("The person is 40 pixels tall: come closer.")).toEqual(["front", "side"]);
    expect(viewsOf("Pair 2: The side view looks like a front view: turn a quarter.")).toEqual(["side"]);
    expect(pairOf("Pair 2: The side view looks like a front view: turn a quarter.")).toBe(1);
    expect(pairOf("The side view looks like a front view: turn a quarter.")).toBe(0);
  });
});

it("pairs go when they are whole", () => {
  const file = new File(["x"], "x.jpg");
  const pair = { front: file, side: file };
  expect(wholePairs([NO_PAIR])).toBeNull();
  expect(wholePairs([pair, { front: file, side: null }])).toBeNull();
  expect(wholePairs([pair, NO_PAIR])).toEqual([pair]);
  expect(wholePairs([pair, pair])).toHaveLength(2);
});

it("pounds come back as they were", () => {
  for (const pounds of [100, 150, 233]) expect(poundsOf(kgOf(pounds))).toBe(pounds);
});

it("says what sizes are open", () => {
  const size = { wearer: "men", garment: "Trousers", system: "EU", size: "50" } as const;
  expect(openText({ ...size, smallest: "48", largest: "52" })).toBe("48 to 52");
  expect(openText({ ...size, smallest: "50", largest: "50" })).toBe("");
  expect(openText({ ...size, smallest: null, largest: "50" })).toBe("");
});
