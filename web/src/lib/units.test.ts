import { afterEach, expect, test } from "vitest";
import { chooseUnit, cmOf, errorText, feetOf, heightText, unitOf } from "./units";

afterEach(() => chooseUnit("cm"));

test("feet and inches are whole, and come back as centimetres", () => {
  expect(feetOf(175)).toEqual({ feet: 5, inches: 9 });
  expect(feetOf(182.8)).toEqual({ feet: 6, inches: 0 });
  expect(cmOf(5, 0)).toBe(152.4);
  for (let inches = 20; inches < 90; inches++) {
    expect(feetOf(cmOf(0, inches))).toEqual({ feet: Math.floor(inches / 12), inches: inches % 12 });
  }
});

test("heights are in the unit that was chosen", () => {
  expect(heightText(1.754)).toBe("1.75 m");
  expect(errorText(0.068)).toBe("7 cm");
  chooseUnit("ft");
  expect(heightText(1.754)).toBe("5 ft 9 in");
  expect(errorText(0.068)).toBe("3 in");
});

test("the region says what people are measured in", () => {
  expect(unitOf("en-US")).toBe("ft");
  expect(unitOf("en-GB")).toBe("cm");
  expect(unitOf("en")).toBe("cm"); // no region: nobody said so
  expect(unitOf("de-DE")).toBe("cm");
  expect(unitOf("not a language")).toBe("cm");
});
