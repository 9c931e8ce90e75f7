import { expect, test } from "vitest";
import type { Person, Reconstruction } from "../api/types";
import { described, heightOf, letterOf, photographs, verdict } from "./result";

const good = { silhouette_iou: 0.99, keypoint_error: 0.005, image_similarity: 0.95 };

function person(extent: string, more: Partial<Person> & { hidden?: string[] } = {}): Person {
  const { hidden = [], ...rest } = more;
  const seen = { extent, share: 1, cut: [], hidden, guessed: [] };
  const complete = extent === "whole" && !hidden.length;
  return { id: 2, complete, seen, checks: good, height_m: 1.754, height_sd_m: 0.09, ...rest } as unknown as Person;
}

test("only whole figures are said to agree with the photograph", () => {
  expect(verdict(person("whole"))).toEqual({ grade: "good", words: "Agrees with the photo" });
  expect(verdict(person("whole", { checks: { ...good, silhouette_iou: 0.5 } })).words).toBe("Look closely");
  for (const [extent, words] of [["three-quarter", "Three-quarter figure"], ["half", "Half figure"], ["bust", "Bust"], ["head", "Only a face"], ["part", "Partly in the picture"]]) {
    expect(verdict(person(extent ?? ""))).toEqual({ grade: "warn", words });
  }
  expect(verdict(person("whole", { hidden: ["left foot"] })).words).toBe("Partly hidden");
  // Results of earlier versions do not say what is seen.
  expect(verdict({ ...person("whole"), complete: false, seen: null } as Person).words).toBe("Partly in the picture");
});

test("who is left out has a letter", () => {
  expect([0, 1, 25, 26, 27, 52].map(letterOf)).toEqual(["A", "B", "Z", "AA", "AB", "BA"]);
});

test("heights come with their error, or not at all", () => {
  expect(heightOf(person("half"))).toEqual({ text: "1.75 m", error: "± 9 cm" });
  expect(heightOf(person("bust"))).toBeNull();
  expect(described(person("head"))).toBe("Person 2");
  // What the user said is known, whatever the picture shows.
  expect(heightOf(person("bust", { height_sd_m: 0 }))).toEqual({ text: "1.75 m", error: "" });
  expect(described(person("whole"))).toBe("Person 2, 1.75 m");
});

test("pictures of one person stay in their order, and nothing else is one", () => {
  const files = { photo_10: "/j.jpg", photo_2: "/b.jpg", thumbnail: "/t.jpg", photo: "/a.jpg", photo_3: null };
  expect(photographs({ files } as unknown as Reconstruction)).toEqual(["/a.jpg", "/b.jpg", "/j.jpg"]);
  expect(photographs({ files: { photo: "/a.jpg", scene: "/s.glb" } } as unknown as Reconstruction)).toEqual(["/a.jpg"]);
});
